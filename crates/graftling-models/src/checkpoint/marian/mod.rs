//! Model files of Marian, `.bin` (version 1, little endian) and `.npz`: the two containers, the settings that lie in them, and what a student of Bergamot
//! or Firefox Translations is in a folder of ours. Knows no tokenizer: what a vocabulary settles is handed in.
//!
//! The formats and the meaning of the settings are those of marian-dev: `common/binary.cpp`, `common/io.cpp`, `common/types.h`, `models/transformer.h`.

mod binary;
mod conversion;
mod item;
mod npy;
mod npz;
mod problem;
mod settings;
mod student;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde_json::{Map, Value};

use super::map::map;
use crate::error::ModelError;
pub use conversion::MarianVocabulary;
pub(super) use conversion::Stored;
use item::{Item, Kind};
pub use problem::MarianProblem;

/// What the items are called that hold no tensor.
const SPECIAL: &str = "special:";
/// The item that holds the settings.
const SETTINGS: &str = "special:model.yml";
/// No settings are longer; those of Marian have one to two thousand bytes.
const LONGEST_SETTINGS: usize = 1 << 20;

/// A model file of Marian on the disk, brought into memory as it is touched.
#[derive(Debug)]
pub struct MarianFile {
    path: PathBuf,
    map: Mmap,
}

impl MarianFile {
    /// Opens a file.
    ///
    /// # Errors
    /// If the system does not let it be read.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let map = map(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), map })
    }

    /// What is in it.
    ///
    /// # Errors
    /// As [`Marian::parse`], with the file's name.
    pub fn parse(&self) -> Result<Marian<'_>, ModelError> {
        Marian::parse(&self.map).map_err(|problem| ModelError::Marian { path: self.path.clone(), problem })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The contents of a model file of Marian.
#[derive(Debug)]
pub struct Marian<'a> {
    items: Vec<Item<'a>>,
    settings: Map<String, Value>,
}

impl<'a> Marian<'a> {
    /// Takes the bytes of a file apart, of a `.bin` or of a `.npz`.
    ///
    /// # Errors
    /// If they are not a whole file of one of these kinds, or have no settings.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MarianProblem> {
        let items = if npz::is_archive(bytes) { npz::items(bytes)? } else { binary::items(bytes)? };
        let mut names = BTreeSet::new();
        if let Some(item) = items.iter().find(|item| !names.insert(&item.name)) {
            return Err(MarianProblem::TensorTwice { name: item.name.clone() });
        }
        let text = items.iter().find(|item| item.name == SETTINGS).ok_or(MarianProblem::NoSettings)?;
        if text.kind != Kind::Int8 {
            let accepted = "text, a byte each (int8)".to_owned();
            return Err(MarianProblem::Array { name: SETTINGS.to_owned(), found: text.kind.to_string(), accepted });
        }
        let length = text.count();
        if length > LONGEST_SETTINGS {
            return Err(MarianProblem::LongSettings { length, largest: LONGEST_SETTINGS });
        }
        let bytes = text.data.bytes()?;
        let settings = settings::parse(&bytes[..length])?;
        Ok(Self { items, settings })
    }
}
