//! What transformers computed, read from golden files, and how near our numbers must be. Knows no family and no head.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use graftling_models::{Model, PackedBatch};
use graftling_tensor::{Parameters, Rate, Spans};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

/// The bounds that issue 2 sets. Golden values are exact (computed in double precision); torch's own single precision stays
/// within 1e-6 of the logits, 4e-7 of the loss, 2.1e-6 of a gradient's norm and 5.1e-6 of the weights after ten steps.
pub const LOGITS: f32 = 1e-4;
pub const LOSS: f32 = 1e-5;
pub const GRADIENT: f64 = 1e-3;
pub const WEIGHTS: f32 = 1e-4;
/// How far the way that a parameter goes in ten steps may be off, as a share of its length: ten steps of MiniLM at 2e-5 go hardly
/// further than 1e-4, which alone would show little. torch's own single precision is off by 0.002.
pub const MOVEMENT: f64 = 0.02;

/// Tensors in single precision by their Hugging Face names.
pub type Tensors = BTreeMap<String, Vec<f32>>;

#[derive(Deserialize)]
pub struct Recipe {
    pub optimizer: AdamW,
    pub max_grad_norm: f32,
    pub steps: usize,
}

#[derive(Deserialize)]
pub struct AdamW {
    pub learning_rate: f32,
    pub epsilon: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub weight_decay: f32,
}

pub fn read_tensors(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors.tensors().into_iter().map(|(name, tensor)| (name, numbers(tensor.dtype(), tensor.data()))).collect()
}

/// The numbers of a tensor. Indices stay below 2^24, where `f32` counts exactly.
pub fn numbers(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
    match dtype {
        Dtype::F32 => bytes.chunks_exact(4).map(|chunk| f32::from_le_bytes(chunk.try_into().unwrap())).collect(),
        Dtype::I64 => bytes.chunks_exact(8).map(|chunk| i64::from_le_bytes(chunk.try_into().unwrap()) as f32).collect(),
        other => panic!("golden tensor of type {other:?}"),
    }
}

/// The values of the model's parameters as they are saved.
pub fn saved_tensors(model: &Model) -> Tensors {
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path()).unwrap();
    read_tensors(&folder.path().join("model.safetensors"))
}

/// Weight decay on everything but biases and norms, which are BERT's vectors.
pub fn rates(parameters: &Parameters, learning_rate: f32, weight_decay: f32) -> Vec<Rate> {
    let decay = |matrix: bool| if matrix { weight_decay } else { 0.0 };
    parameters.ids().map(|id| Rate { learning_rate, weight_decay: decay(parameters.shape(id).len() > 1) }).collect()
}

pub fn check_weights(name: &str, start: &[f32], values: &[f32], reference: &[f32], failures: &mut Vec<String>) {
    let apart = largest(&difference(values, reference));
    if apart > WEIGHTS || apart.is_nan() {
        failures.push(format!("{name}: off by {apart:.2e}"));
    }
    let error = norm(&difference(values, reference)) / norm(&difference(reference, start));
    // A key's bias moves by rounding noise alone, see `measured_by`.
    if measured_by(name) == name && (error > MOVEMENT || error.is_nan()) {
        failures.push(format!("{name}: its way is off by {error:.2e} of its length"));
    }
}

/// How the bias of a key is called, and that of the query beside it, in each family.
const KEY_BIASES: [(&str, &str); 10] = [
    ("attention.self.key.bias", "attention.self.query.bias"),
    ("attention.key.bias", "attention.query.bias"),
    ("attention.k_lin.bias", "attention.q_lin.bias"),
    ("attention.attn.k.bias", "attention.attn.q.bias"),
    ("attention.self.key_proj.bias", "attention.self.query_proj.bias"),
    ("self_attn.k_proj.bias", "self_attn.q_proj.bias"),
    ("encoder_attn.k_proj.bias", "encoder_attn.q_proj.bias"),
    ("attention.self.pos_key_proj.bias", "attention.self.query_proj.bias"),
    ("_self_bk", "_self_bq"),
    ("_context_bk", "_context_bq"),
];

/// The parameter whose gradient says how large an error in the gradient of `name` may be: itself, but for a key's bias. That adds the
/// same number to all scores of a query, which softmax does not see: its gradient is zero, and its noise is that of the query's bias.
pub fn measured_by(name: &str) -> String {
    let instead = KEY_BIASES.iter().find_map(|(key, query)| Some(format!("{}{query}", name.strip_suffix(key)?)));
    instead.unwrap_or_else(|| name.to_owned())
}

pub fn with_prefix(tensors: &Tensors, prefix: &str) -> Tensors {
    tensors.iter().filter_map(|(name, values)| Some((name.strip_prefix(prefix)?.to_owned(), values.clone()))).collect()
}

pub fn assert_same_names(ours: &Tensors, reference: &Tensors) {
    let missing: Vec<_> = reference.keys().filter(|name| !ours.contains_key(*name)).collect();
    let unexpected: Vec<_> = ours.keys().filter(|name| !reference.contains_key(*name)).collect();
    assert!(
        !reference.is_empty() && missing.is_empty() && unexpected.is_empty(),
        "missing: {missing:?}; unexpected: {unexpected:?}"
    );
}

/// Sequences end to end, each of one segment; all of their tokens are wanted.
pub fn packed<S: AsRef<[u32]>>(sequences: &[S]) -> PackedBatch {
    let spans = Spans::from_lengths(sequences.iter().map(|sequence| sequence.as_ref().len()));
    let input_ids: Vec<u32> = sequences.iter().flat_map(AsRef::as_ref).copied().collect();
    PackedBatch { token_type_ids: vec![0; input_ids.len()], input_ids, spans, wanted: None }
}

/// Fails where a value is as far off as the tolerance, or is no number.
pub fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, case: &str) {
    let apart = largest(&difference(found, expected));
    assert!(apart < tolerance, "{case}: off by {apart:.2e}");
}

pub fn difference(left: &[f32], right: &[f32]) -> Vec<f32> {
    assert_eq!(left.len(), right.len(), "{} values against {}", left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| left - right).collect()
}

/// The largest size; not a number where one of the values is not.
pub fn largest(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).max_by(f32::total_cmp).unwrap_or(0.0)
}

pub fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}
