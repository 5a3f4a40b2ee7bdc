//! Files beside a language model that say how it is used and that training leaves alone: how it generates, how it is spoken to.
//! Kept byte for byte unless a task has something to say there; knows nothing of what is in them.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Error, disk};

/// What says how a model generates.
pub(crate) const GENERATION: &str = "generation_config.json";
/// The names of the files.
pub(crate) const NAMES: [&str; 2] = [GENERATION, "chat_template.jinja"];

/// What the files hold.
#[derive(Default)]
pub(crate) struct Companions {
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Companions {
    /// Reads those that are there.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut files = Vec::new();
        for name in NAMES {
            let path = folder.join(name);
            match fs::read(&path) {
                Ok(bytes) => files.push((name, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        Ok(Self { files })
    }

    /// The same with this text of how the model generates.
    pub fn with_generation(mut self, text: String) -> Self {
        self.files.retain(|(name, _)| *name != GENERATION);
        self.files.push((GENERATION, text.into_bytes()));
        self
    }

    /// Writes them again.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        self.files.iter().try_for_each(|(name, bytes)| disk::write(&folder.join(name), bytes))
    }
}
