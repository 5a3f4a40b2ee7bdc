//! Squared error against real targets.
use crate::{Graph, Var};
impl Graph<'_> {
    /// `sum of (prediction - target)^2 / normalizer`: predictions of any shape, one target a value; a scalar.
    pub fn mean_squared_error(&self, predictions: &Var, targets: &[f32], normalizer: f32) -> Var {
        unimplemented!()
    }
}
