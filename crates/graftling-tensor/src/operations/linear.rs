//! `activation(x W^T + b)`.
use crate::{Activation, Graph, ParameterId, Var};
impl Graph<'_> {
    /// `activation(x W^T + b)`: x `[rows, in]`, W `[out, in]` (output-first), b `[out]`; gives `[rows, out]`.
    pub fn linear(&self, x: &Var, weight: ParameterId, bias: Option<ParameterId>, activation: Option<Activation>) -> Var {
        unimplemented!()
    }
}
