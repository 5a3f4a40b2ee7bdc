//! Runs a model over examples without training it: the one way for evaluation and prediction. Knows nothing of texts or labels.

use graftling_models::Model;
use graftling_tensor::{Graph, PackedWeights, Var};

use crate::batching::by_length;
use crate::features::{Features, pack};

/// Some examples, the pass they were computed in, and their logits.
pub(crate) struct Batch<'a> {
    /// The places of the examples.
    pub examples: &'a [usize],
    pub graph: &'a Graph<'a>,
    pub logits: &'a Var,
    features: &'a [Features],
}

impl Batch<'_> {
    /// Hands the logits of each example to `visit`, with its place: all its rows, one after the other.
    pub fn each(&self, mut visit: impl FnMut(usize, &[f32])) {
        let columns = self.logits.tensor().columns();
        let values = self.logits.tensor().to_vec();
        let mut rest = &values[..];
        for &place in self.examples {
            let (logits, others) = rest.split_at(self.features[place].rows() * columns);
            visit(place, logits);
            rest = others;
        }
    }
}

/// Hands every example to `visit`, a batch of similar lengths at a time. A batch holds at most `budget` tokens unless one example is
/// longer.
pub(crate) fn each_batch(model: &Model, features: &[Features], budget: usize, mut visit: impl FnMut(Batch<'_>)) {
    let lengths: Vec<usize> = features.iter().map(|features| features.input_ids.len()).collect();
    let weights = PackedWeights::new(&model.parameters);
    for examples in by_length((0..features.len()).collect(), &lengths, budget) {
        let graph = Graph::inference_packed(&weights);
        let logits = model.forward(&graph, &pack(features, &examples));
        visit(Batch { examples: &examples, graph: &graph, logits: &logits, features });
    }
}
