//! The model files of other programs that become model folders here, told apart by their first bytes. Knows nothing of what follows these.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// How many bytes tell the formats apart.
const TELLING: usize = 8;

/// A format of model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// GGUF: llama.cpp's files.
    Gguf,
    /// `.bin` or `.npz`: Marian's files.
    Marian,
}

impl SourceFormat {
    /// What a message accepts.
    pub const ACCEPTED: &str = "GGUF files, which begin with \"GGUF\", and the .bin and .npz files of Marian";

    /// The format of a file that begins with these bytes: a word; the number of a version, which is small; a zip archive.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [b'G', b'G', b'U', b'F', ..] => Some(Self::Gguf),
            [1..=u8::MAX, 0, 0, 0, 0, 0, 0, 0, ..] | [b'P', b'K', 3, 4, ..] => Some(Self::Marian),
            _ => None,
        }
    }

    /// The first bytes of a file, as many as tell its format or as there are.
    ///
    /// # Errors
    /// If the system does not let it be read.
    pub fn beginning(path: &Path) -> io::Result<Vec<u8>> {
        let mut beginning = Vec::with_capacity(TELLING);
        File::open(path)?.take(TELLING as u64).read_to_end(&mut beginning)?;
        Ok(beginning)
    }

    /// The names of the model files in a folder, sorted: all that are called `.gguf` or `.npz`, and those called `.bin` that begin as Marian's do,
    /// as its shortlists and pickles do not.
    ///
    /// # Errors
    /// If the system does not let the folder or such a file be read.
    pub fn files_in(folder: &Path) -> io::Result<Vec<OsString>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let path = folder.join(&name);
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            let is_model = match ending.as_deref() {
                Some("gguf" | "npz") => path.is_file(),
                Some("bin") => path.is_file() && matches!(Self::beginning(&path)?[..], [1..=u8::MAX, 0, 0, 0, 0, 0, 0, 0]),
                _ => false,
            };
            found.extend(is_model.then_some(name));
        }
        found.sort();
        Ok(found)
    }
}
