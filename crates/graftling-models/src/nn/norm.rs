//! Layer normalisation, alone and at the end of a residual branch. Knows no family.

use graftling_tensor::{Graph, ParameterId, Var};

use super::declarations::Scope;

/// Brings each row to mean 0 and variance 1, then scales and shifts it.
pub(crate) struct LayerNorm {
    weight: ParameterId,
    bias: ParameterId,
    epsilon: f32,
}

impl LayerNorm {
    pub fn new(scope: &mut Scope<'_>, size: usize, epsilon: f32) -> Self {
        Self { weight: scope.ones("weight", size), bias: scope.zeros("bias", size), epsilon }
    }

    /// x: `[rows, size]`; gives the same shape.
    pub fn forward(&self, graph: &Graph<'_>, x: &Var) -> Var {
        graph.layer_norm(x, self.weight, Some(self.bias), self.epsilon)
    }

    /// The norm of `residual + dropout(branch)`: both `[rows, size]`; gives the same shape.
    pub fn forward_residual(&self, graph: &Graph<'_>, branch: &Var, residual: &Var, dropout: f32) -> Var {
        graph.add_norm(branch, residual, dropout, self.weight, Some(self.bias), self.epsilon)
    }
}
