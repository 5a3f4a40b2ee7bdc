//! Losses of few values, whose slopes are computed together with them. Knows no formula of a loss.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::tensor::Tensor;

/// The sum over the rows of logits of what `row_loss` gives, divided by `normalizer`. `row_loss` has the number of a row and its
/// logits, and writes the slope of its result by each.
pub(super) fn at_logits(
    graph: &Graph<'_>,
    logits: &Var,
    normalizer: f32,
    row_loss: impl Fn(usize, &[f32], &mut [f32]) -> f64,
) -> Var {
    let columns = logits.tensor.columns().max(1);
    let values = logits.tensor.values();
    let mut slopes = vec![0.0; values.len()];
    let rows = values.chunks_exact(columns).zip(slopes.chunks_exact_mut(columns)).enumerate();
    let total: f64 = rows.map(|(row, (values, slopes))| row_loss(row, values, slopes)).sum();
    recorded(graph, logits, normalizer, total, slopes)
}

/// A sum of losses divided by `normalizer`, with the slope of the sum by each logit.
pub(super) fn recorded(graph: &Graph<'_>, logits: &Var, normalizer: f32, total: f64, slopes: Vec<f32>) -> Var {
    let loss = Tensor::from_vec(&[], vec![(total / f64::from(normalizer)) as f32]);
    let backward = logits.node.map(|node| -> Box<dyn Backward> {
        Box::new(SlopesBackward { node, slopes: Tensor::from_vec(logits.tensor.shape(), slopes), normalizer })
    });
    graph.record(loss, backward)
}

/// The logarithm of each probability, of logits of any size.
pub(super) fn ln_softmax(logits: &[f32]) -> impl Iterator<Item = f64> {
    let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let normalizer = logits.iter().map(|logit| (f64::from(*logit) - top).exp()).sum::<f64>().ln();
    logits.iter().map(move |logit| f64::from(*logit) - top - normalizer)
}

/// `ln(1 + exp(x))`.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

struct SlopesBackward {
    node: usize,
    slopes: Tensor,
    normalizer: f32,
}

impl Backward for SlopesBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let scale = upstream.item() / self.normalizer;
        let mut gradient = self.slopes;
        for value in gradient.values_mut() {
            *value *= scale;
        }
        sink.add(Some(self.node), gradient);
    }
}
