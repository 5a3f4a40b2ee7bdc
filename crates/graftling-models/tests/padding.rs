//! Whether the token that a config calls padding is trained where torch trains it, and not where torch does not: it may stand in a text
//! (`[PAD]`, written out), and in conversations it often ends every message.
//!
//! The golden file is made by `tools/reference/padding.py`.

mod golden_files;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use golden_files::{GRADIENT, LOSS, difference, norm, packed};
use graftling_models::{Model, PackedBatch};
use graftling_tensor::{Gradients, Graph};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Golden {
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    input_ids: Vec<u32>,
    loss: f32,
    /// The rows that are not zero.
    gradient: BTreeMap<usize, Vec<f32>>,
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The loss, and the gradient of each row of the word embeddings.
fn loss_and_gradient(folder: &Path, ids: &[u32]) -> (f32, Vec<Vec<f32>>) {
    let mut model = Model::from_checkpoint(folder).unwrap();
    model.set_dropout(0.0);
    let mut gradients = Gradients::new(&model.parameters);
    let graph = Graph::training(&model.parameters, 1);
    let is_language_model = model.vocabulary().is_some();
    let wanted = is_language_model.then(|| (0..ids.len() - 1).collect());
    let logits = model.forward(&graph, &PackedBatch { wanted, ..packed(&[ids]) });
    let classes: Vec<usize> = match is_language_model {
        true => ids[1..].iter().map(|id| *id as usize).collect(),
        false => vec![2],
    };
    let loss = graph.cross_entropy(&logits, &classes, classes.len() as f32);
    graph.backward(&loss, &mut gradients);
    let words = model.parameters.find("embeddings.word.weight").unwrap();
    let width = model.parameters.shape(words)[1];
    let all = gradients.get(words).unwrap().to_vec();
    (loss.tensor().values()[0], all.chunks_exact(width).map(<[f32]>::to_vec).collect())
}

#[test]
fn padding_that_is_read_is_trained_as_torch_trains_it() {
    let golden: Golden = serde_json::from_str(&fs::read_to_string(golden_folder().join("padding.json")).unwrap()).unwrap();
    assert_eq!(golden.cases.len(), 16);
    for (name, Case { input_ids, loss, gradient }) in &golden.cases {
        let folder = golden_folder().join("families").join(name).join("model");
        let (found, rows) = loss_and_gradient(&folder, input_ids);
        assert!((found - loss).abs() < LOSS, "{name}: loss {found}, not {loss}");
        let length = norm(&gradient.values().flatten().copied().collect::<Vec<_>>());
        for (row, found) in rows.iter().enumerate() {
            match gradient.get(&row) {
                None => {
                    assert!(found.iter().all(|value| *value == 0.0), "{name}: row {row} is {found:?}, and torch gives it nothing")
                }
                Some(expected) => {
                    let off = norm(&difference(found, expected));
                    assert!(off < GRADIENT * length, "{name}: row {row} is off by {off}, and the gradient is {length} long");
                }
            }
        }
    }
}

#[test]
fn a_negative_row_counts_from_the_end_and_one_that_is_not_there_is_none() {
    let stored = golden_folder().join("families/llama-biased/causal/model");
    let copy = tempfile::tempdir().unwrap();
    fs::copy(stored.join("model.safetensors"), copy.path().join("model.safetensors")).unwrap();
    let mut config: Value = serde_json::from_str(&fs::read_to_string(stored.join("config.json")).unwrap()).unwrap();
    let mut is_trained = |padding: Value| {
        config["pad_token_id"] = padding;
        fs::write(copy.path().join("config.json"), config.to_string()).unwrap();
        let (_, rows) = loss_and_gradient(copy.path(), &[3, 39, 9, 5]);
        rows[39].iter().any(|value| *value != 0.0)
    };
    assert!(!is_trained((-1).into()));
    assert!(!is_trained(39.into()));
    assert!(is_trained(40.into()));
    assert!(is_trained((-41).into()));
    assert!(is_trained(Value::Null));
}
