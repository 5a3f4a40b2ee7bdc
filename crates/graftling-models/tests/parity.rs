//! Whether a model computes what transformers computes: logits, loss, every gradient, ten updates.
//!
//! The golden files are made by `tools/reference/bert.py`. The weights of the real MiniLM are not among them: its test wants
//! the folder that `graftling models pull all-MiniLM-L6-v2` leaves, and fails where there is none.
//!
//! Parameters are compared under their Hugging Face names: what is to be compared is put in the place of the weights, and the
//! model saved. So no test here knows what a parameter is called inside.

mod golden_files;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use golden_files::{
    AdamW, GRADIENT, LOGITS, LOSS, Recipe, Tensors, assert_same_names, check_weights, difference, largest, measured_by, norm,
    packed, rates, read_tensors, saved_tensors, with_prefix,
};
use graftling_models::{Head, Model, PackedBatch};
use graftling_tensor::{Gradients, Graph, Optimizer, OptimizerState};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    recipe: Recipe,
    losses: Vec<f32>,
    gradient_norms: Vec<f32>,
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    input_ids: Vec<Vec<u32>>,
    token_type_ids: Vec<Vec<u32>>,
    labels: Vec<usize>,
}

#[test]
fn a_tiny_bert_has_the_logits_and_the_loss_of_transformers() {
    let (model, golden, expected) = tiny_bert();
    assert_logits_and_loss(&model, &golden, &expected);
}

#[test]
fn a_tiny_bert_has_the_gradients_of_transformers() {
    let (mut model, golden, expected) = tiny_bert();
    let gradients = gradients_under_saved_names(&mut model, &golden);
    assert_same_names(&gradients, &with_prefix(&expected, "gradient/"));
    let mut failures = Vec::new();
    for (name, gradient) in &gradients {
        let reference = &expected[&format!("gradient/{name}")];
        let error = norm(&difference(gradient, reference)) / norm(&expected[&format!("gradient/{}", measured_by(name))]);
        if error > GRADIENT || error.is_nan() {
            failures.push(format!("{name}: off by {error:.2e} of its norm"));
        }
    }
    assert!(failures.is_empty(), "gradients:\n{}", failures.join("\n"));
}

#[test]
fn ten_steps_of_a_tiny_bert_end_where_transformers_ends() {
    let (mut model, golden, expected) = tiny_bert();
    let start = saved_tensors(&model);
    let steps = train(&mut model, &golden, &[1, golden.recipe.steps]);
    let mut failures = Vec::new();
    for (step, weights) in steps {
        let prefix = format!("step{step}/");
        assert_same_names(&weights, &with_prefix(&expected, &prefix));
        for (name, values) in &weights {
            check_weights(&format!("{prefix}{name}"), &start[name], values, &expected[&format!("{prefix}{name}")], &mut failures);
        }
    }
    assert!(failures.is_empty(), "weights:\n{}", failures.join("\n"));
}

#[test]
fn minilm_has_the_logits_and_the_loss_of_transformers() {
    let (model, golden, expected) = minilm();
    assert_logits_and_loss(&model, &golden, &expected);
}

#[test]
fn minilm_has_the_gradients_of_transformers() {
    let (mut model, golden, expected) = minilm();
    let gradients = gradients_under_saved_names(&mut model, &golden);
    assert_same_names(&gradients, &with_prefix(&expected, "gradient/"));
    let mut failures = Vec::new();
    for (name, gradient) in &gradients {
        let whole = f64::from(expected[&format!("gradient_norm/{name}")][0]);
        let scale = f64::from(expected[&format!("gradient_norm/{}", measured_by(name))][0]);
        let sampled = sample(gradient, &expected[&format!("indices/{name}")]);
        let norm_error = (norm(gradient) - whole).abs() / scale;
        let sample_error = norm(&difference(&sampled, &expected[&format!("gradient/{name}")])) / scale;
        if norm_error > GRADIENT || sample_error > GRADIENT || norm_error.is_nan() || sample_error.is_nan() {
            failures.push(format!("{name}: norm off by {norm_error:.2e}, sampled values off by {sample_error:.2e} of it"));
        }
    }
    assert!(failures.is_empty(), "gradients:\n{}", failures.join("\n"));
}

#[test]
fn ten_steps_of_minilm_end_where_transformers_ends() {
    let (mut model, golden, expected) = minilm();
    let steps = train(&mut model, &golden, &[golden.recipe.steps]);
    let weights = &steps[&golden.recipe.steps];
    assert_same_names(weights, &with_prefix(&expected, "step10/"));
    let mut failures = Vec::new();
    for (name, values) in weights {
        let sampled = sample(values, &expected[&format!("indices/{name}")]);
        let [start, end] = ["step0", "step10"].map(|step| &expected[&format!("{step}/{name}")]);
        check_weights(name, start, &sampled, end, &mut failures);
    }
    assert!(failures.is_empty(), "weights:\n{}", failures.join("\n"));
}

/// The tiny model, its batches, and what transformers computes.
fn tiny_bert() -> (Model, Golden, Tensors) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny-bert");
    let model = Model::from_checkpoint(&folder.join("model")).unwrap();
    assert_eq!(model.labels(), ["negative", "neutral", "positive"]);
    (model, read_golden(&folder), read_tensors(&folder.join("expected.safetensors")))
}

/// The real MiniLM without dropout under the golden file's head, its batches, and what transformers computes.
fn minilm() -> (Model, Golden, Tensors) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/minilm");
    let expected = read_tensors(&folder.join("expected.safetensors"));
    let labels = ["negative".to_owned(), "positive".to_owned()];
    let (mut model, report) = Model::from_pretrained(&minilm_folder(), Head::single_label(&labels), 1).unwrap();
    assert_eq!(report.new_parameters, ["classifier.weight", "classifier.bias"]);
    for name in &report.new_parameters {
        let id = model.parameters.find(name).unwrap();
        model.parameters.values_mut(id).copy_from_slice(&expected[&format!("initial/{name}")]);
    }
    model.set_dropout(0.0);
    (model, read_golden(&folder), expected)
}

/// Where the pulled model lies: `GRAFTLING_MINILM`, or else its place in graftling's cache.
fn minilm_folder() -> PathBuf {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("GRAFTLING_MINILM").unwrap_or_else(|| {
        let cache = variable("GRAFTLING_HOME")
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("graftling")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/graftling")))
            .expect("none of GRAFTLING_MINILM, GRAFTLING_HOME, XDG_CACHE_HOME and HOME is set: where is MiniLM?");
        cache.join("models/all-MiniLM-L6-v2")
    });
    assert!(
        folder.join("model.safetensors").is_file(),
        "{}: no model.safetensors here; parity is tested on the real MiniLM: run `graftling models pull all-MiniLM-L6-v2`, \
         or set GRAFTLING_MINILM to a folder that holds it (./check does)",
        folder.display()
    );
    folder
}

fn read_golden(folder: &Path) -> Golden {
    serde_json::from_str(&fs::read_to_string(folder.join("batches.json")).unwrap()).unwrap()
}

fn read(batch: &Batch) -> PackedBatch {
    PackedBatch { token_type_ids: batch.token_type_ids.concat(), ..packed(&batch.input_ids) }
}

fn assert_logits_and_loss(model: &Model, golden: &Golden, expected: &Tensors) {
    let batch = &golden.batches[0];
    let graph = Graph::inference(&model.parameters);
    let logits = model.forward(&graph, &read(batch));
    assert_eq!(logits.tensor().shape(), [batch.labels.len(), model.labels().len()]);
    let apart = largest(&difference(&logits.tensor().to_vec(), &expected["logits"]));
    assert!(apart <= LOGITS, "logits: off by {apart:.2e}");
    let loss = graph.cross_entropy(&logits, &batch.labels, batch.labels.len() as f32).tensor().item();
    assert!((loss - golden.losses[0]).abs() <= LOSS, "loss: {loss}, but {} by transformers", golden.losses[0]);
}

/// The mean loss of a batch and the gradients of it.
fn loss_and_gradients(model: &Model, batch: &Batch, gradients: &mut Gradients) -> f32 {
    gradients.clear();
    let graph = Graph::training(&model.parameters, 1);
    let logits = model.forward(&graph, &read(batch));
    let loss = graph.cross_entropy(&logits, &batch.labels, batch.labels.len() as f32);
    let value = loss.tensor().item();
    graph.backward(&loss, gradients);
    value
}

/// The gradients of the first batch under the names that the weights are saved with. None may be missing.
fn gradients_under_saved_names(model: &mut Model, golden: &Golden) -> Tensors {
    let mut gradients = Gradients::new(&model.parameters);
    loss_and_gradients(model, &golden.batches[0], &mut gradients);
    for id in model.parameters.ids() {
        let name = model.parameters.name(id).to_owned();
        let gradient = gradients.get(id).unwrap_or_else(|| panic!("{name}: no gradient"));
        model.parameters.values_mut(id).copy_from_slice(gradient);
    }
    saved_tensors(model)
}

/// Ten updates by the golden recipe; gives the weights after the steps in `wanted` and checks each loss and gradient norm.
fn train(model: &mut Model, golden: &Golden, wanted: &[usize]) -> BTreeMap<usize, Tensors> {
    let AdamW { learning_rate, epsilon, beta1, beta2, weight_decay } = golden.recipe.optimizer;
    let optimizer = Optimizer::AdamW { beta1, beta2, epsilon, bias_correction: true };
    let mut gradients = Gradients::new(&model.parameters);
    let mut state = OptimizerState::new(&model.parameters);
    let mut snapshots = BTreeMap::new();
    assert_eq!(golden.batches.len(), golden.recipe.steps);
    for (step, batch) in golden.batches.iter().enumerate() {
        let loss = loss_and_gradients(model, batch, &mut gradients);
        assert!(
            (loss - golden.losses[step]).abs() <= LOSS,
            "step {step}: loss {loss}, but {} by transformers",
            golden.losses[step]
        );
        let norm = gradients.norm();
        let reference = golden.gradient_norms[step];
        assert!(((norm - reference) / reference).abs() <= GRADIENT as f32, "step {step}: gradient norm {norm}, not {reference}");
        // torch.nn.utils.clip_grad_norm_: the small number keeps the division safe.
        let gradient_scale = (golden.recipe.max_grad_norm / (norm + 1e-6)).min(1.0);
        let learning_rate = learning_rate * (golden.recipe.steps - step) as f32 / golden.recipe.steps as f32;
        let rates = rates(&model.parameters, learning_rate, weight_decay);
        state.step(&optimizer, &mut model.parameters, &gradients, gradient_scale, &rates);
        if wanted.contains(&(step + 1)) {
            snapshots.insert(step + 1, saved_tensors(model));
        }
    }
    snapshots
}

fn sample(values: &[f32], indices: &[f32]) -> Vec<f32> {
    indices.iter().map(|index| values[*index as usize]).collect()
}
