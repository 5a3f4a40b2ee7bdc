//! Whether every head goes onto every checkpoint of a family, whatever class it was saved from, and which weights are new then.
//!
//! What transformers draws anew stands in a golden file made by `tools/reference/families_loading.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Head, LoadReport, Model, ProblemType, read_values};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Golden {
    /// By family, by the class that the checkpoint was saved from, and by the head that is wanted: the weights that are new.
    new: BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeSet<String>>>>,
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The folder of a checkpoint of this class: those with a head that is offered are those of the test of families.
fn checkpoint(family: &str, source: &str) -> PathBuf {
    match source {
        "Model" | "ForPreTraining" => golden_folder().join("pretrained").join(family).join(source),
        head => golden_folder().join("families").join(family).join(head).join("model"),
    }
}

fn labels(count: usize) -> Vec<String> {
    (0..count).map(|label| format!("label {label}")).collect()
}

/// The head of this name, with labels that no checkpoint has.
fn head(name: &str) -> Head {
    match name {
        "sequence" => Head::SequenceClassification { problem: ProblemType::SingleLabelClassification, labels: labels(3) },
        "tokens" => Head::TokenClassification { labels: labels(5) },
        "masked" => Head::MaskedLanguageModelling,
        "answers" => Head::QuestionAnswering,
        other => panic!("no head is called {other}"),
    }
}

/// What is wrong with a model that was made from a checkpoint of which `new` should be drawn anew.
fn problems(folder: &Path, model: &Model, report: &LoadReport, new: &BTreeSet<String>) -> Vec<String> {
    let stored = read_values(&folder.join("model.safetensors")).unwrap();
    let id = |name: &String| model.parameters.find(name).unwrap();
    let ours: BTreeSet<String> = report.new_parameters.iter().map(|name| model.stored_name(id(name))).collect();
    let mut problems = Vec::new();
    if ours != *new {
        problems.push(format!("new are {ours:?}, by transformers {new:?}"));
    }
    let saved = tempfile::tempdir().unwrap();
    model.save(saved.path()).unwrap();
    let mut used = BTreeSet::new();
    for (name, ours) in
        read_values(&saved.path().join("model.safetensors")).unwrap().iter().filter(|(name, _)| !ours.contains(*name))
    {
        // A checkpoint of the backbone alone has no prefix.
        let bare = name.split_once('.').map_or("", |(_, bare)| bare);
        let Some((name, values)) = stored.get_key_value(name).or_else(|| stored.get_key_value(bare)) else {
            problems.push(format!("{name} is neither new nor in the checkpoint"));
            continue;
        };
        used.insert(name.clone());
        if ours != values {
            problems.push(format!("{name} has other values than in the checkpoint"));
        }
    }
    used.extend(report.ignored.iter().map(|weight| weight.name.clone()));
    let unsaid: Vec<_> = stored.keys().filter(|name| !used.contains(*name)).collect();
    if !unsaid.is_empty() {
        problems.push(format!("nothing is said of {unsaid:?}"));
    }
    problems
}

#[test]
fn every_head_goes_onto_every_checkpoint_with_the_weights_new_that_are_new_to_transformers() {
    let text = fs::read_to_string(golden_folder().join("pretrained/new.json")).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for (family, sources) in &golden.new {
        for (source, heads) in sources {
            for (name, new) in heads {
                let folder = checkpoint(family, source);
                let case = format!("{name} onto {family} {source}");
                count += 1;
                match Model::from_pretrained(&folder, head(name), 5) {
                    Ok((model, report)) => {
                        let found = problems(&folder, &model, &report, new);
                        failures.extend(found.into_iter().map(|problem| format!("{case}: {problem}")));
                    }
                    Err(error) => failures.push(format!("{case}: {error}")),
                }
            }
        }
    }
    assert!(count >= 100, "only {count} cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The published checkpoints of DeBERTa-v3 hold a head of masked language modelling that a config without the key `legacy` does not look
/// at, positions that are not added, and the head that finds replaced tokens.
#[test]
fn a_checkpoint_of_deberta_v3_is_read_as_transformers_reads_it() {
    let golden = checkpoint("deberta-v2-p2c", "masked");
    let bytes = fs::read(golden.join("model.safetensors")).unwrap();
    let mut tensors: Vec<(String, TensorView<'_>)> = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let further = vec![0; 4 * 24 * 12];
    for (name, shape) in [
        ("deberta.embeddings.position_embeddings.weight", vec![24, 12]),
        ("mask_predictions.dense.weight", vec![12, 12]),
        ("mask_predictions.classifier.bias", vec![1]),
    ] {
        let len = 4 * shape.iter().product::<usize>();
        tensors.push((name.to_owned(), TensorView::new(safetensors::Dtype::F32, shape, &further[..len]).unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.safetensors"), safetensors::serialize(tensors, None).unwrap()).unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(&fs::read_to_string(golden.join("config.json")).unwrap()).unwrap();
    let mut load = |legacy: Option<bool>| {
        config.remove("legacy");
        config.extend(legacy.map(|legacy| ("legacy".to_owned(), json!(legacy))));
        fs::write(folder.path().join("config.json"), Value::Object(config.clone()).to_string()).unwrap();
        let (model, report) = Model::from_pretrained(folder.path(), Head::MaskedLanguageModelling, 1).unwrap();
        let stored = |name: &String| model.stored_name(model.parameters.find(name).unwrap());
        let new: BTreeSet<String> = report.new_parameters.iter().map(stored).collect();
        let ignored: BTreeSet<String> = report.ignored.iter().map(|weight| weight.name.clone()).collect();
        (new, ignored)
    };
    let own = ["dense.weight", "dense.bias", "LayerNorm.weight", "LayerNorm.bias", "bias"];
    let set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<String>>();
    let (new, ignored) = load(Some(false));
    let mut left =
        ["deberta.embeddings.position_embeddings.weight", "mask_predictions.dense.weight", "mask_predictions.classifier.bias"]
            .map(str::to_owned)
            .to_vec();
    assert_eq!((new, ignored), (BTreeSet::new(), set(left.clone())));
    let (new, ignored) = load(None);
    let bare = |name: &str| if name == "bias" { "cls.predictions.".to_owned() } else { "cls.predictions.transform.".to_owned() };
    left.extend(own.map(|name| format!("lm_predictions.lm_head.{name}")));
    assert_eq!((new, ignored), (set(own.map(|name| bare(name) + name).to_vec()), set(left)));
}
