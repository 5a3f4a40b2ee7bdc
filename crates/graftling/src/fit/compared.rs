//! The gradients of a loss that compares all examples of a step with each other, where the step does not fit in one pass.
//! Knows nothing of what is compared.
//!
//! The scheme of Gao and others, "Scaling deep contrastive learning batch size under memory limited setup" (2021): all vectors are
//! computed and no tape is kept; the loss is taken of all of them, with its slopes by the vectors; and each micro-batch is run again,
//! with the same dropout, to send its slopes back. What comes out is the gradient of the step in one pass.

use graftling_tensor::{Gradients, Graph, Parameters};

use crate::features::Packed;
use crate::preparation::Prepared;
use crate::tasks::Target;

/// Adds the gradients of a step and gives its loss. `seed_of` is the seed of the dropout of each micro-batch.
pub(super) fn accumulate(
    prepared: &Prepared,
    micro_batches: &[Packed],
    targets: &[&Target],
    normalizer: f32,
    seed_of: impl Fn(usize) -> u64,
    gradients: &mut Gradients,
) -> f32 {
    let Prepared { model, objective, .. } = prepared;
    let mut vectors = Vec::new();
    let mut rows = 0;
    for (index, micro_batch) in micro_batches.iter().enumerate() {
        let graph = Graph::training(&model.parameters, seed_of(index));
        let output = objective.output(model, &graph, micro_batch);
        rows += output.tensor().rows();
        vectors.extend(output.tensor().to_vec());
    }
    let mut held = Parameters::new();
    let columns = vectors.len() / rows.max(1);
    let id = held.add("vectors", &[rows, columns], vectors);
    let mut by_vectors = Gradients::new(&held);
    let graph = Graph::training(&held, 0);
    let loss = objective.training_loss(&graph, &graph.parameter(id), targets, normalizer);
    let value = loss.tensor().item();
    graph.backward(&loss, &mut by_vectors);
    let Some(mut slopes) = by_vectors.get(id) else { return value };
    for (index, micro_batch) in micro_batches.iter().enumerate() {
        let graph = Graph::training(&model.parameters, seed_of(index));
        let output = objective.output(model, &graph, micro_batch);
        let (own, others) = slopes.split_at(output.tensor().rows() * columns);
        slopes = others;
        let product = graph.inner_product(&output, own);
        drop(output);
        graph.backward(&product, gradients);
    }
    value
}
