//! Runs a model over examples without training it: the one way for evaluation and prediction. Knows nothing of texts or labels.

use graftling_models::Model;
use graftling_tensor::{Graph, PackedWeights, Var};

use crate::batching::by_length;
use crate::features::{Features, pack};

/// Hands the logits of every example to `visit`, a batch of similar lengths at a time: the places of its examples, the pass they
/// were computed in, and the logits, one row an example. A batch holds at most `budget` tokens unless one example is longer.
pub(crate) fn each_batch(model: &Model, features: &[Features], budget: usize, mut visit: impl FnMut(&[usize], &Graph<'_>, &Var)) {
    let lengths: Vec<usize> = features.iter().map(|features| features.input_ids.len()).collect();
    let weights = PackedWeights::new(&model.parameters);
    for examples in by_length((0..features.len()).collect(), &lengths, budget) {
        let graph = Graph::inference_packed(&weights);
        let logits = model.forward(&graph, &pack(features, &examples));
        visit(&examples, &graph, &logits);
    }
}

/// The rows of a tensor of logits, each with the place of its example.
pub(crate) fn rows<'a>(examples: &'a [usize], logits: &Var, values: &'a [f32]) -> impl Iterator<Item = (usize, &'a [f32])> {
    examples.iter().copied().zip(values.chunks(logits.tensor().columns()))
}
