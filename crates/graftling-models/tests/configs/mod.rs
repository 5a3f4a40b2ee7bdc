//! Configs in temporary folders, and what is made of them. Knows no family and no test.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::fs;
use std::path::Path;

use graftling_models::{Family, Head, Model, ModelFacts, inspect};
use serde_json::{Map, Value};

use crate::tiny_checkpoint::{labels, safetensors, told};

/// A folder with this config and a weight file that holds nothing.
pub fn folder(config: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    fs::write(folder.path().join("model.safetensors"), safetensors(&[])).unwrap();
    folder
}

/// What is said of a config, without the title of the message.
pub fn refusal(config: &Value) -> String {
    let folder = folder(config);
    let outcome = Model::from_pretrained(folder.path(), Head::single_label(&labels(&["no", "yes"])), 1);
    let told = told(folder.path(), outcome.map(drop));
    let title = "FOLDER/config.json: the config asks for what this program does not offer: ";
    told.strip_prefix(title).map_or(told.clone(), str::to_owned)
}

/// The config of the family's tiny model, as transformers saved it.
pub fn golden_config(family: Family) -> Map<String, Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    let heads = ["sequence", "seq2seq"].map(|head| root.join(family.model_type()).join(head).join("model/config.json"));
    let path = heads.iter().find(|path| path.exists()).expect("golden files of the family");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn only(key: &str, found: &str, accepted: &str) -> String {
    format!("\"{key}\" is {found}; accepted: {accepted}")
}

/// A config, and what comes of it: hidden size, layers, heads, intermediate size, vocabulary, longest sequence (0: any), token types.
pub struct Case {
    pub name: &'static str,
    pub config: Value,
    pub figures: [usize; 7],
}

pub fn check(cases: Vec<Case>) {
    let mut failures = Vec::new();
    for Case { name, config, figures } in cases {
        let folder = folder(&config);
        match inspect(folder.path()) {
            Ok(inspection) if figures_of(&inspection.facts) == figures => {
                assert_eq!(Some(inspection.facts.family), config["model_type"].as_str());
            }
            Ok(inspection) => failures.push(format!("{name}: {:?} instead of {figures:?}", figures_of(&inspection.facts))),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

pub fn figures_of(facts: &ModelFacts) -> [usize; 7] {
    let ModelFacts { hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, .. } = *facts;
    let ModelFacts { vocabulary_size, type_vocabulary_size, .. } = *facts;
    let max_positions = facts.max_positions.unwrap_or(0);
    let sizes = [hidden_size, num_hidden_layers, num_attention_heads, intermediate_size];
    [sizes[0], sizes[1], sizes[2], sizes[3], vocabulary_size, max_positions, type_vocabulary_size]
}
