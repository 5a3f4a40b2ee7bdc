//! Layer normalisation, alone and fused with the residual sum before it.
use crate::{Graph, ParameterId, Var};
impl Graph<'_> {
    /// `layer_norm(x) * weight + bias` over the last dimension: x `[rows, hidden]`, weight and bias `[hidden]`.
    pub fn layer_norm(&self, x: &Var, weight: ParameterId, bias: ParameterId, epsilon: f32) -> Var {
        unimplemented!()
    }
    /// `layer_norm(residual + dropout(branch))`, the end of a post-norm block: all `[rows, hidden]`.
    pub fn add_norm(
        &self,
        branch: &Var,
        residual: &Var,
        dropout: f32,
        weight: ParameterId,
        bias: ParameterId,
        epsilon: f32,
    ) -> Var {
        unimplemented!()
    }
}
