//! Which parameters get a gradient, and that neighbours in a batch do not change one another.

mod tiny_checkpoint;

use graftling_models::{Head, Model, PackedBatch};
use graftling_tensor::{Gradients, Graph, Spans};
use tiny_checkpoint::{Checkpoint, labels};

/// Sums over rows of different blocks may be added in another order.
const ROUNDING: f32 = 1e-6;

fn model() -> Model {
    let (model, _) =
        Model::from_pretrained(Checkpoint::backbone(2).write().path(), Head::single_label(&labels(&["a", "b", "c"])), 3).unwrap();
    model
}

fn batch(sequences: &[&[u32]]) -> PackedBatch {
    let input_ids = sequences.concat();
    let token_type_ids = input_ids.iter().map(|id| id % 2).collect();
    PackedBatch {
        token_type_ids,
        input_ids,
        spans: Spans::from_lengths(sequences.iter().map(|sequence| sequence.len())),
        wanted: None,
    }
}

fn gradients(model: &Model, seed: u64) -> Gradients {
    let mut gradients = Gradients::new(&model.parameters);
    let graph = Graph::training(&model.parameters, seed);
    let logits = model.forward(&graph, &batch(&[&[1, 4, 2], &[3, 2], &[0, 1, 2, 3]]));
    let loss = graph.cross_entropy(&logits, &[2, 0, 1], 3.0);
    graph.backward(&loss, &mut gradients);
    gradients
}

#[test]
fn every_trainable_parameter_gets_a_gradient() {
    let mut model = model();
    model.set_dropout(0.0);
    let gradients = gradients(&model, 1);
    for id in model.parameters.ids() {
        let name = model.parameters.name(id);
        let gradient = gradients.get(id).unwrap_or_else(|| panic!("no gradient for {name}"));
        assert!(gradient.iter().all(|value| value.is_finite()), "{name}: {gradient:?}");
        // A key's bias adds the same to all scores of a query, which the softmax takes away again.
        if !name.ends_with("attention.key.bias") {
            assert!(gradient.iter().any(|value| *value != 0.0), "{name} has a gradient of zeros");
        }
    }
}

#[test]
fn frozen_parameters_get_none() {
    let mut model = model();
    let frozen = |name: &str| name.starts_with("embeddings.") || name.contains("layers.0.") || name.ends_with(".norm.weight");
    for id in model.parameters.ids() {
        let trainable = !frozen(model.parameters.name(id));
        model.parameters.set_trainable(id, trainable);
    }
    let gradients = gradients(&model, 1);
    for id in model.parameters.ids() {
        let name = model.parameters.name(id);
        assert_eq!(gradients.get(id).is_none(), frozen(name), "{name}");
    }
}

#[test]
fn neighbours_in_a_batch_do_not_change_logits() {
    let model = model();
    let logits = |sequences: &[&[u32]]| model.forward(&Graph::inference(&model.parameters), &batch(sequences)).tensor().to_vec();
    let sequences: [&[u32]; 3] = [&[1, 4, 2], &[3], &[0, 1, 2, 3]];
    let together = logits(&sequences);
    assert_eq!(together.len(), 9);
    for (place, sequence) in sequences.into_iter().enumerate() {
        for (alone, together) in logits(&[sequence]).iter().zip(&together[3 * place..]) {
            assert!((alone - together).abs() < ROUNDING, "sequence {place}: {alone} alone, {together} together");
        }
    }
}

#[test]
fn dropout_changes_training_and_not_inference() {
    let mut model = model();
    let sequences: [&[u32]; 2] = [&[1, 4, 2], &[3, 2]];
    let trained =
        |model: &Model, seed| model.forward(&Graph::training(&model.parameters, seed), &batch(&sequences)).tensor().to_vec();
    let inferred = |model: &Model| model.forward(&Graph::inference(&model.parameters), &batch(&sequences)).tensor().to_vec();
    let before = inferred(&model);
    model.set_dropout(0.5);
    assert_eq!(inferred(&model), before);
    assert_ne!(trained(&model, 1), before);
    assert_ne!(trained(&model, 1), trained(&model, 2));
    assert_eq!(trained(&model, 1), trained(&model, 1));
    model.set_dropout(0.0);
    assert_eq!(trained(&model, 1), before);
}

#[test]
#[should_panic(expected = "2 token_type_ids but spans of 3 rows")]
fn a_batch_that_contradicts_itself_is_a_mistake() {
    let model = model();
    let mut batch = batch(&[&[1, 2, 3]]);
    batch.token_type_ids.pop();
    model.forward(&Graph::inference(&model.parameters), &batch);
}
