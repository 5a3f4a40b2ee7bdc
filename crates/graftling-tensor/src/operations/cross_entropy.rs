//! Softmax cross-entropy against class labels.
use crate::{Graph, Var};
impl Graph<'_> {
    /// `sum over rows of -log softmax(logits)[label] / normalizer`: logits `[rows, classes]`; a scalar.
    ///
    /// `normalizer` is the number of examples in the whole step, so that the gradients of its micro-batches add up to those of one big batch.
    pub fn cross_entropy(&self, logits: &Var, labels: &[usize], normalizer: f32) -> Var {
        unimplemented!()
    }
}
