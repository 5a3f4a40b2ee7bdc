//! The weight files of a folder: one, or several with an index. Knows headers and names, no model and no values.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use serde::Deserialize;

use super::config::read_json;
use super::header::{self, StoredTensor};
use super::map::{MappedValues, map};
use crate::error::{ModelError, WeightProblem};

pub(super) const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Weights in formats that are not read, in the order in which they are mentioned.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// The opened weight files of a folder. Their headers are sound; no value has been looked at.
pub(crate) struct WeightFiles {
    /// What messages about weights name: the file, or the index.
    pub path: PathBuf,
    files: Vec<WeightFile>,
    /// What is wrong between the index and its files.
    pub problems: Vec<WeightProblem>,
}

pub(crate) struct WeightFile {
    pub name: String,
    map: Arc<Mmap>,
    tensors: Vec<StoredTensor>,
}

impl WeightFile {
    fn open(folder: &Path, name: &str) -> Result<Self, ModelError> {
        let path = folder.join(name);
        let map = map(&path).map_err(|source| ModelError::Read { path: path.clone(), source })?;
        let tensors = header::parse(&map).map_err(|problem| ModelError::Header { path, problem })?;
        Ok(Self { name: name.to_owned(), map: Arc::new(map), tensors })
    }

    /// The values of one of its weights as they lie in the file.
    pub fn bytes(&self, tensor: &StoredTensor) -> &[u8] {
        &self.map[tensor.range.clone()]
    }

    /// These bytes of the file as values of single precision that stay there; none where they do not lie as the machine reads them.
    pub fn values(&self, range: Range<usize>) -> Option<MappedValues> {
        MappedValues::new(&self.map, range)
    }
}

/// A `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    /// In which file each weight is.
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let single = folder.join(SINGLE);
        if single.exists() {
            return Ok(Self { path: single, files: vec![WeightFile::open(folder, SINGLE)?], problems: Vec::new() });
        }
        let index = folder.join(INDEX);
        if index.exists() {
            return Self::open_shards(folder, index);
        }
        let folder = folder.to_owned();
        Err(match PICKLES.into_iter().find(|name| folder.join(name).exists()) {
            Some(found) => ModelError::Pickle { folder, found },
            None => ModelError::NoWeights { folder },
        })
    }

    fn open_shards(folder: &Path, path: PathBuf) -> Result<Self, ModelError> {
        let Index { weight_map } = read_json(&path, "index of weight files")?;
        let mut problems = Vec::new();
        for (name, file) in &weight_map {
            if !is_plain_name(file) {
                problems.push(WeightProblem::ShardName { name: name.clone(), file: file.clone() });
            }
        }
        if !problems.is_empty() {
            return Err(ModelError::Weights { path, fitting: 0, expected: weight_map.len(), problems });
        }
        let names: BTreeSet<&String> = weight_map.values().collect();
        let files = names.into_iter().map(|name| WeightFile::open(folder, name)).collect::<Result<Vec<_>, _>>()?;
        let mut in_place = BTreeSet::new();
        for file in &files {
            for tensor in &file.tensors {
                if weight_map.get(&tensor.name) == Some(&file.name) {
                    in_place.insert(&tensor.name);
                } else {
                    problems.push(WeightProblem::NotInIndex { name: tensor.name.clone(), file: file.name.clone() });
                }
            }
        }
        for (name, file) in weight_map.iter().filter(|(name, _)| !in_place.contains(name)) {
            problems.push(WeightProblem::NotInShard { name: name.clone(), file: file.clone() });
        }
        Ok(Self { path, files, problems })
    }

    /// One file of values, whatever they are.
    pub fn open_single(path: &Path) -> Result<Self, ModelError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().unwrap_or(Path::new("."));
        Ok(Self { path: path.to_owned(), files: vec![WeightFile::open(folder, &name)?], problems: Vec::new() })
    }

    /// Every weight with the file it is in.
    pub fn tensors(&self) -> impl Iterator<Item = (&WeightFile, &StoredTensor)> {
        self.files.iter().flat_map(|file| file.tensors.iter().map(move |tensor| (file, tensor)))
    }
}

/// Whether a name stays in its folder and is that of a safetensors file.
fn is_plain_name(name: &str) -> bool {
    name.ends_with(".safetensors") && !name.contains(['/', '\\', ':', '\0'])
}
