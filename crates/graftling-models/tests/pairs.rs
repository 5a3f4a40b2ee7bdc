//! Whether an encoder becomes the pair that transformers makes of it: which weights are new, and what the others then compute.
//!
//! The golden file is made by `tools/reference/pairs.py`.

mod golden_files;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use golden_files::{assert_near, packed};
use graftling_models::{Head, Model};
use graftling_tensor::Graph;
use serde::Deserialize;

/// Sums of a dozen products of single precision, of logits around 1.
const LOGIT: f32 = 2e-5;

#[derive(Deserialize)]
struct Golden {
    sources: Vec<Vec<u32>>,
    targets: Vec<Vec<u32>>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    new: BTreeSet<String>,
    logits: Vec<Vec<Vec<f32>>>,
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn folder(case: &str) -> PathBuf {
    match case {
        "Model" | "ForPreTraining" => golden_folder().join("pretrained/bert").join(case),
        other => {
            let (family, head) = other.split_once('-').unwrap_or(("bert", other));
            golden_folder().join("families").join(family).join(head).join("model")
        }
    }
}

#[test]
fn an_encoder_becomes_the_pair_that_transformers_makes_of_it() {
    let golden: Golden =
        serde_json::from_str(&fs::read_to_string(golden_folder().join("pretrained/pairs.json")).unwrap()).unwrap();
    assert_eq!(golden.cases.len(), 6);
    for (name, case) in &golden.cases {
        let (mut model, report) = Model::from_pretrained(&folder(name), Head::SequenceToSequence, 5).unwrap();
        let new: BTreeMap<String, _> = report
            .new_parameters
            .iter()
            .map(|parameter| model.parameters.find(parameter).unwrap())
            .map(|id| (model.stored_name(id), id))
            .collect();
        let ours: BTreeSet<String> = new.keys().cloned().collect();
        // The weights of these were never trained, so that new zeros and ones cannot be told from theirs.
        let untrained = matches!(name.as_str(), "Model" | "ForPreTraining");
        assert!(case.new.is_subset(&ours) && (untrained || case.new == ours), "{name}: {ours:?}, by transformers {:?}", case.new);
        for stored in &case.new {
            let values = model.parameters.values_mut(new[stored]);
            values.iter_mut().zip(1..).for_each(|(value, index)| *value = 0.3 * f64::from(index).sin() as f32);
        }
        // It is what it was when it is opened again.
        let saved = tempfile::tempdir().unwrap();
        model.save(saved.path()).unwrap();
        for model in [model, Model::from_checkpoint(saved.path()).unwrap()] {
            let graph = Graph::inference(&model.parameters);
            let logits = model.forward_pair(&graph, &packed(&golden.sources), &packed(&golden.targets));
            let expected: Vec<f32> = case.logits.iter().flatten().flatten().copied().collect();
            assert_near(logits.tensor().values(), &expected, LOGIT, name);
        }
    }
}

#[test]
fn what_is_new_depends_on_the_seed_and_nothing_else_does() {
    let pair = |seed| Model::from_pretrained(&folder("masked"), Head::SequenceToSequence, seed).unwrap();
    let [(one, report), (same, _), (other, _)] = [1, 1, 2].map(pair);
    for id in one.parameters.ids() {
        let name = one.parameters.name(id);
        assert_eq!(one.parameters.values(id), same.parameters.values(id), "{name}");
        let drawn = report.new_parameters.iter().any(|new| new == name) && one.parameters.shape(id).len() == 2;
        assert_eq!(one.parameters.values(id) != other.parameters.values(id), drawn, "{name}");
    }
}

#[test]
fn a_model_from_its_config_is_the_same_one_untrained() {
    for head in [Head::SequenceToSequence, Head::MaskedLanguageModelling] {
        let (trained, _) = Model::from_pretrained(&folder("masked"), head.clone(), 3).unwrap();
        let (untrained, report) = Model::from_config(&folder("masked"), head, 3).unwrap();
        let shapes = |model: &Model| -> Vec<(String, Vec<usize>)> {
            let parameters = &model.parameters;
            parameters.ids().map(|id| (parameters.name(id).to_owned(), parameters.shape(id).to_vec())).collect()
        };
        assert_eq!(shapes(&trained), shapes(&untrained));
        assert_eq!(report.new_parameters.len(), shapes(&untrained).len());
        let deviation = |model: &Model| {
            let values = model.parameters.values(model.parameters.find("embeddings.word.weight").unwrap());
            (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt()
        };
        // That of `initializer_range`, 0.02, within the noise of 480 draws.
        assert!((deviation(&untrained) - 0.02).abs() < 0.003, "{}", deviation(&untrained));
        assert!(deviation(&trained) > 0.03);
    }
}

#[test]
fn an_encoder_of_another_family_makes_no_pair() {
    let electra = golden_folder().join("families/electra/masked/model");
    let error = Model::from_pretrained(&electra, Head::SequenceToSequence, 1).err().unwrap().to_string();
    assert!(
        error.contains("models of the family electra are not offered as a model that writes one text from another"),
        "{error}"
    );
}
