//! What is ModernBERT's own: older keys of its config, merged weights, every dropout, and tokens that are wanted of long texts.

mod tiny_checkpoint;

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Head, Model, PackedBatch, inspect};
use graftling_tensor::{Graph, Spans};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tiny_checkpoint::{Weight, labels, safetensors, told};

/// Sums over some rows may be added in another order than sums over all.
const ROUNDING: f32 = 1e-5;

/// The folder of a tiny model as transformers saved it.
fn golden(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families").join(model).join("model")
}

/// The same with these keys set, or taken out where they are null.
fn changed(model: &str, changes: &[(&str, Value)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(golden(model).join("config.json")).unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap();
    for (key, value) in changes {
        match value {
            Value::Null => drop(config.shift_remove(*key)),
            value => drop(config.insert((*key).to_owned(), value.clone())),
        }
    }
    fs::write(folder.path().join("config.json"), Value::Object(config).to_string()).unwrap();
    fs::copy(golden(model).join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    folder
}

/// Sequences of these lengths with ids that are no padding.
fn batch(lengths: &[usize], wanted: Option<Vec<usize>>) -> PackedBatch {
    let rows = lengths.iter().sum();
    PackedBatch {
        input_ids: (0..rows).map(|row: usize| 3 + (row * row + row / 7) as u32 % 37).collect(),
        token_type_ids: vec![0; rows],
        spans: Spans::from_lengths(lengths.iter().copied()),
        wanted,
    }
}

fn logits(model: &Model, batch: &PackedBatch) -> Vec<f32> {
    model.forward(&Graph::inference(&model.parameters), batch).tensor().to_vec()
}

fn of_folder(folder: &Path) -> Vec<f32> {
    logits(&Model::from_checkpoint(folder).unwrap(), &batch(&[20, 1, 13], None))
}

#[test]
fn older_keys_mean_the_same_model() {
    let newer = [("layer_types", Value::Null), ("rope_parameters", Value::Null)];
    let mut defaults = newer.to_vec();
    assert_eq!(of_folder(&golden("modernbert/sequence")), of_folder(changed("modernbert/sequence", &defaults).path()));
    defaults.extend([
        ("global_attn_every_n_layers", json!(3)),
        ("global_rope_theta", json!(160_000.0)),
        ("local_rope_theta", json!(10_000)),
    ]);
    assert_eq!(of_folder(&golden("modernbert/sequence")), of_folder(changed("modernbert/sequence", &defaults).path()));
    let bases = [
        ("rope_parameters", json!({ "full_attention": { "rope_theta": 500 }, "sliding_attention": null })),
        ("global_rope_theta", json!(7)),
        ("local_rope_theta", json!(20)),
    ];
    assert_eq!(of_folder(&golden("modernbert-biased/sequence")), of_folder(changed("modernbert-biased/sequence", &bases).path()));
}

#[test]
fn every_key_that_makes_another_model_makes_another_model() {
    let as_it_is = of_folder(&golden("modernbert/sequence"));
    for change in [
        ("local_attention", json!(9)),
        ("layer_types", json!(vec!["full_attention"; 4])),
        ("rope_parameters", json!({ "full_attention": { "rope_theta": 100.0 } })),
        ("rope_parameters", json!({ "sliding_attention": { "rope_theta": 100.0 } })),
        ("classifier_pooling", json!("mean")),
        ("hidden_activation", json!("gelu")),
        ("classifier_activation", json!("gelu")),
        ("norm_eps", json!(0.1)),
    ] {
        assert_ne!(as_it_is, of_folder(changed("modernbert/sequence", std::slice::from_ref(&change)).path()), "{change:?}");
    }
    let both = [("layer_types", Value::Null), ("global_attn_every_n_layers", json!(2))];
    assert_ne!(as_it_is, of_folder(changed("modernbert/sequence", &both).path()));
    // It changes which logits are computed in training, not what they are.
    let sparse = [("sparse_prediction", json!(true)), ("sparse_pred_ignore_index", json!(-1))];
    assert_eq!(of_folder(&golden("modernbert/masked")), of_folder(changed("modernbert/masked", &sparse).path()));
}

#[test]
fn every_dropout_is_where_its_key_says() {
    for (model, key) in [
        ("modernbert/sequence", "embedding_dropout"),
        ("modernbert/sequence", "attention_dropout"),
        ("modernbert/sequence", "mlp_dropout"),
        ("modernbert/sequence", "classifier_dropout"),
        ("modernbert/tokens", "classifier_dropout"),
        ("modernbert/answers", "classifier_dropout"),
    ] {
        let of = |probability: f64| Model::from_checkpoint(changed(model, &[(key, json!(probability))]).path()).unwrap();
        let batch = batch(&[20, 1, 13], None);
        let trained = |model: &Model| model.forward(&Graph::training(&model.parameters, 1), &batch).tensor().to_vec();
        let (none, some) = (of(0.0), of(0.5));
        assert_eq!(logits(&none, &batch), logits(&some, &batch), "{model}: {key} in inference");
        assert_eq!(trained(&none), logits(&none, &batch), "{model}: without any");
        assert_ne!(trained(&none), trained(&some), "{model}: {key} in training");
    }
    let language = |key| changed("modernbert/masked", &[(key, json!(0.5))]);
    let classifier = Model::from_checkpoint(language("classifier_dropout").path()).unwrap();
    let trained = classifier.forward(&Graph::training(&classifier.parameters, 1), &batch(&[20], None)).tensor().to_vec();
    assert_eq!(trained, logits(&classifier, &batch(&[20], None)), "a language model has no classifier");
}

#[test]
fn tokens_that_are_wanted_come_out_as_they_do_among_all() {
    // In one the last layer sees everything, in the other a window.
    for name in ["modernbert/masked", "modernbert-local/masked"] {
        let longer = [("max_position_embeddings", json!(1000))];
        let model = Model::from_checkpoint(changed(name, &longer).path()).unwrap();
        let lengths = [700, 3, 200];
        let all = logits(&model, &batch(&lengths, None));
        for wanted in [vec![0], vec![5, 6, 7, 300, 699, 700, 702, 902], (0..903).step_by(3).collect(), (400..650).collect()] {
            let some = logits(&model, &batch(&lengths, Some(wanted.clone())));
            for (found, row) in some.chunks_exact(40).zip(&wanted) {
                for (found, expected) in found.iter().zip(&all[row * 40..]) {
                    assert!((found - expected).abs() < ROUNDING, "{name}: row {row}: {found} among some, {expected} among all");
                }
            }
        }
    }
}

#[test]
fn neighbours_do_not_change_a_long_text() {
    let model = Model::from_checkpoint(changed("modernbert/masked", &[("max_position_embeddings", json!(1000))]).path()).unwrap();
    let all = batch(&[70, 300, 150], None);
    let alone = PackedBatch {
        input_ids: all.input_ids[70..370].to_vec(),
        token_type_ids: vec![0; 300],
        spans: Spans::from_lengths([300]),
        wanted: None,
    };
    assert_eq!(logits(&model, &all)[70 * 40..370 * 40], logits(&model, &alone));
}

#[test]
#[should_panic(expected = "a sequence of 25 tokens but only 24 positions")]
fn sequences_longer_than_the_model_is_made_for_are_a_mistake() {
    let model = Model::from_checkpoint(&golden("modernbert/sequence")).unwrap();
    logits(&model, &batch(&[25], None));
}

#[test]
fn every_parameter_is_in_one_weight_on_disk() {
    for name in ["modernbert/sequence", "modernbert-biased/tokens", "modernbert/masked"] {
        let model = Model::from_checkpoint(&golden(name)).unwrap();
        let tensors = inspect(&golden(name)).unwrap().tensors;
        let mut held: Vec<&str> = tensors.iter().flat_map(|tensor| tensor.parameters.iter().map(String::as_str)).collect();
        held.sort_unstable();
        let mut own: Vec<&str> = model.parameters.ids().map(|id| model.parameters.name(id)).collect();
        own.sort_unstable();
        assert_eq!(held, own, "{name}");
        let merged = tensors.iter().find(|tensor| tensor.name == "model.layers.1.attn.Wqkv.weight").unwrap();
        let parts = ["query", "key", "value"].map(|part| format!("encoder.layers.1.attention.{part}.weight"));
        assert_eq!((&merged.parameters[..], &merged.shape[..]), (&parts[..], &[36, 12][..]));
        for part in parts {
            let id = model.parameters.find(&part).unwrap();
            assert_eq!((&*model.stored_name(id), model.parameters.shape(id)), (&*merged.name, &[12, 12][..]));
        }
    }
}

/// The weights of the tiny classifier, changed.
fn damaged(change: impl Fn(&mut Vec<Weight>)) -> String {
    let folder = changed("modernbert/sequence", &[]);
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let stored = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut weights: Vec<Weight> =
        stored.iter().map(|(name, view)| Weight::of_dtype(name, "F32", view.shape(), view.data().to_vec())).collect();
    change(&mut weights);
    fs::write(path, safetensors(&weights)).unwrap();
    told(folder.path(), Model::from_checkpoint(folder.path()).map(drop))
}

#[test]
fn what_is_wrong_with_a_merged_weight_is_said_once() {
    const MERGED: &str = "model.layers.2.attn.Wqkv.weight";
    let missing = damaged(|weights| weights.retain(|weight| weight.name != MERGED));
    assert!(missing.contains("missing weight \"model.layers.2.attn.Wqkv.weight\" (shape [36, 12])"), "{missing}");
    assert_eq!(missing.matches(MERGED).count(), 1, "{missing}");
    let another_shape = damaged(|weights| {
        let weight = weights.iter_mut().find(|weight| weight.name == MERGED).unwrap();
        weight.shape = vec![24, 18];
    });
    assert_eq!(another_shape.matches(MERGED).count(), 1, "{another_shape}");
    assert!(another_shape.contains("[24, 18]") && another_shape.contains("[36, 12]"), "{another_shape}");
    let not_finite = damaged(|weights| {
        let weight = weights.iter_mut().find(|weight| weight.name == MERGED).unwrap();
        weight.bytes[4 * 300..4 * 301].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert_eq!(not_finite.matches(MERGED).count(), 1, "{not_finite}");
    assert!(not_finite.contains("300"), "{not_finite}");
}

#[test]
fn a_classifier_is_not_taken_for_answers() {
    // Two labels have the shape of two logits, and both are called classifier on disk.
    let source = tempfile::tempdir().unwrap();
    let two = Head::single_label(&labels(&["no", "yes"]));
    Model::from_pretrained(&golden("modernbert/masked"), two, 3).unwrap().0.save(source.path()).unwrap();
    let (_, report) = Model::from_pretrained(source.path(), Head::QuestionAnswering, 3).unwrap();
    assert_eq!(report.new_parameters, ["answers.weight", "answers.bias"]);
    let (_, report) = Model::from_pretrained(&golden("modernbert/answers"), Head::QuestionAnswering, 3).unwrap();
    assert_eq!(report.new_parameters, [""; 0]);
}

#[test]
fn new_projections_are_drawn_as_wide_as_the_family_draws_them() {
    let head = Head::TokenClassification { labels: (0..400).map(|label| label.to_string()).collect() };
    let (model, _) = Model::from_pretrained(&golden("modernbert/masked"), head, 3).unwrap();
    let values = model.parameters.values(model.parameters.find("classifier.weight").unwrap());
    let deviation = (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt();
    // One over the root of the width; four standard errors of the estimate over 4,800 draws.
    assert!((deviation * 12.0_f32.sqrt() - 1.0).abs() < 4.0 / 9600.0_f32.sqrt(), "{deviation}");
}
