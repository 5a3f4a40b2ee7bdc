//! What tests of imports share: the folder that came out, and the weights that a golden file has for it. Knows no format.

use std::collections::BTreeMap;
use std::fs;

use graftling::Imported;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

#[derive(Deserialize)]
pub struct Weight {
    pub shape: Vec<usize>,
    /// Of the values in single precision, as they lie in a file.
    pub sha256: String,
    pub first: Vec<f32>,
}

/// A file of the folder `model`.
pub fn read_json(folder: &TempDir, name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.path().join("model").join(name)).unwrap()).unwrap()
}

/// That the folder `model` holds these weights and no others.
pub fn check_weights(model: &str, folder: &TempDir, summary: &Imported, expected: &BTreeMap<String, Weight>) {
    let bytes = fs::read(folder.path().join("model/model.safetensors")).unwrap();
    assert_eq!(bytes.len() as u64, summary.size_bytes, "{model}");
    let found = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = found.names();
    names.sort();
    assert_eq!(names, expected.keys().collect::<Vec<_>>(), "{model}");
    for (weight, Weight { shape, sha256, first }) in expected {
        let tensor = found.tensor(weight).unwrap();
        assert_eq!(tensor.shape(), shape, "{model}: {weight}");
        let values: Vec<f32> = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).take(3).collect();
        assert_eq!(&values, first, "{model}: {weight}");
        let digest: String = Sha256::digest(tensor.data()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(&digest, sha256, "{model}: {weight}");
    }
    let count: usize = expected.values().map(|weight| weight.shape.iter().product::<usize>()).sum();
    assert_eq!(summary.parameter_count, count, "{model}");
}
