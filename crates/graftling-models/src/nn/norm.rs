//! The norms, alone and at the end of a residual branch. Knows no family.

use graftling_tensor::{Graph, ParameterId, Var};

use super::declarations::Scope;
use crate::architecture::{Architecture, Bias, NormKind};

/// Brings each row to mean 0 and variance 1, or to mean square 1, then scales it and, where the family's norms have a bias, shifts it.
pub(crate) struct Norm {
    kind: NormKind,
    weight: ParameterId,
    bias: Option<ParameterId>,
    epsilon: f32,
}

impl Norm {
    pub fn new(scope: &mut Scope<'_>, size: usize, architecture: &Architecture) -> Self {
        let weight = scope.ones("weight", size);
        let bias = match architecture.layout.norm_bias {
            Bias::Added => Some(scope.zeros("bias", size)),
            Bias::Absent => None,
        };
        Self { kind: architecture.layout.norm, weight, bias, epsilon: architecture.norm_epsilon }
    }

    /// x: `[rows, size]`; gives the same shape. A norm of mean squares takes rows that are several vectors end to end, each by itself.
    pub fn forward(&self, graph: &Graph<'_>, x: &Var) -> Var {
        match self.kind {
            NormKind::Layer => graph.layer_norm(x, self.weight, self.bias, self.epsilon),
            NormKind::RootMeanSquare => graph.rms_norm(x, self.weight, self.epsilon),
        }
    }

    /// The norm of `residual + dropout(branch)`: both `[rows, size]`; gives the same shape.
    pub fn forward_residual(&self, graph: &Graph<'_>, branch: &Var, residual: &Var, dropout: f32) -> Var {
        match self.kind {
            NormKind::Layer => graph.add_norm(branch, residual, dropout, self.weight, self.bias, self.epsilon),
            NormKind::RootMeanSquare => self.forward(graph, &graph.residual_sum(branch, residual, dropout)),
        }
    }
}
