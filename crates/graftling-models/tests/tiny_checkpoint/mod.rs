//! A tiny BERT checkpoint in a temporary folder, which a test changes before it is written. Knows no test.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::fs;
use std::path::Path;

use graftling_models::{Head, Model, ModelError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A weight as it will lie in a safetensors file.
#[derive(Clone)]
pub struct Weight {
    pub name: String,
    pub dtype: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Weight {
    /// A weight with values that differ from one another and from those of every other weight.
    pub fn f32(name: &str, shape: &[usize]) -> Self {
        let count = shape.iter().product::<usize>();
        let start = name.bytes().map(f32::from).sum::<f32>() / 1000.0;
        let values = (0..count).map(|index| ((start + index as f32) * 1.7).sin() / 4.0);
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        Self { name: name.to_owned(), dtype: "F32", shape: shape.to_vec(), bytes }
    }

    pub fn of_dtype(name: &str, dtype: &'static str, shape: &[usize], bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), dtype, shape: shape.to_vec(), bytes }
    }

    pub fn values(&self) -> Vec<f32> {
        self.bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }
}

/// A checkpoint that is yet to be written.
pub struct Checkpoint {
    pub config: Map<String, Value>,
    pub weights: Vec<Weight>,
}

impl Checkpoint {
    /// An encoder and pooler of so many layers, named as in a checkpoint without a head.
    pub fn backbone(layers: usize) -> Self {
        let config = json!({
            "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 5, "hidden_size": 2, "num_hidden_layers": layers,
            "num_attention_heads": 1, "intermediate_size": 3, "max_position_embeddings": 4, "type_vocab_size": 2,
        });
        let Value::Object(config) = config else { unreachable!("written as an object") };
        let mut weights = Vec::new();
        let mut add = |name: String, shape: &[usize]| weights.push(Weight::f32(&name, shape));
        for (table, rows) in [("word", 5), ("position", 4), ("token_type", 2)] {
            add(format!("embeddings.{table}_embeddings.weight"), &[rows, 2]);
        }
        add("embeddings.LayerNorm.weight".to_owned(), &[2]);
        add("embeddings.LayerNorm.bias".to_owned(), &[2]);
        for layer in 0..layers {
            let attention =
                ["self.query", "self.key", "self.value", "output.dense"].map(|part| (format!("attention.{part}"), 2, 2));
            let feed_forward = [("intermediate.dense".to_owned(), 3, 2), ("output.dense".to_owned(), 2, 3)];
            for (part, outputs, inputs) in attention.into_iter().chain(feed_forward) {
                add(format!("encoder.layer.{layer}.{part}.weight"), &[outputs, inputs]);
                add(format!("encoder.layer.{layer}.{part}.bias"), &[outputs]);
            }
            for part in ["attention.output", "output"] {
                add(format!("encoder.layer.{layer}.{part}.LayerNorm.weight"), &[2]);
                add(format!("encoder.layer.{layer}.{part}.LayerNorm.bias"), &[2]);
            }
        }
        add("pooler.dense.weight".to_owned(), &[2, 2]);
        add("pooler.dense.bias".to_owned(), &[2]);
        Self { config, weights }
    }

    /// The same as a fine-tuned classifier of these labels.
    pub fn classifier(layers: usize, labels: &[&str]) -> Self {
        let mut checkpoint = Self::backbone(layers);
        for weight in &mut checkpoint.weights {
            weight.name = format!("bert.{}", weight.name);
        }
        checkpoint.weights.push(Weight::f32("classifier.weight", &[labels.len(), 2]));
        checkpoint.weights.push(Weight::f32("classifier.bias", &[labels.len()]));
        let id2label = labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label)));
        checkpoint.set("id2label", Value::Object(id2label.collect()));
        checkpoint.set("architectures", json!(["BertForSequenceClassification"]));
        checkpoint
    }

    pub fn set(&mut self, key: &str, value: Value) {
        self.config.insert(key.to_owned(), value);
    }

    pub fn weight(&mut self, name: &str) -> &mut Weight {
        self.weights.iter_mut().find(|weight| weight.name == name).unwrap()
    }

    pub fn remove(&mut self, name: &str) {
        let before = self.weights.len();
        self.weights.retain(|weight| weight.name != name);
        assert_eq!(self.weights.len(), before - 1, "{name} was to be removed");
    }

    /// A folder with `config.json` and `model.safetensors`.
    pub fn write(&self) -> TempDir {
        let folder = self.write_config();
        fs::write(folder.path().join("model.safetensors"), safetensors(&self.weights)).unwrap();
        folder
    }

    /// A folder with `config.json` alone.
    pub fn write_config(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), Value::Object(self.config.clone()).to_string()).unwrap();
        folder
    }
}

/// The bytes of a safetensors file.
pub fn safetensors(weights: &[Weight]) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut start = 0;
    for weight in weights {
        let end = start + weight.bytes.len();
        header.insert(weight.name.clone(), json!({ "dtype": weight.dtype, "shape": weight.shape, "data_offsets": [start, end] }));
        start = end;
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(weights.iter().flat_map(|weight| &weight.bytes));
    file
}

pub fn labels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What loading a folder as a pretrained encoder says, with FOLDER for its path.
pub fn refusal(folder: &Path) -> String {
    told(folder, Model::from_pretrained(folder, Head::single_label(&labels(&["no", "yes"])), 1).map(drop))
}

/// What loading a folder as a fine-tuned classifier says, with FOLDER for its path.
pub fn refusal_of_classifier(folder: &Path) -> String {
    told(folder, Model::from_checkpoint(folder).map(drop))
}

pub fn told(folder: &Path, outcome: Result<(), ModelError>) -> String {
    match outcome {
        Ok(()) => "no error".to_owned(),
        Err(error) => error.to_string().replace(&*folder.to_string_lossy(), "FOLDER"),
    }
}
