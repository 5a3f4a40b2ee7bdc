//! The projection: every matrix that a token's vector goes through, in every family, is one of these. Knows no family.

use graftling_tensor::{Activation, Graph, ParameterId, Var};

use super::declarations::Scope;
use crate::architecture::Bias;

/// `x W^T + b`. The one place where an adapter can hang on a projection: whatever is added here, every family has.
pub(crate) struct Linear {
    weight: ParameterId,
    bias: Option<ParameterId>,
}

impl Linear {
    pub fn new(scope: &mut Scope<'_>, inputs: usize, outputs: usize) -> Self {
        Self::with_bias(scope, inputs, outputs, Bias::Added)
    }

    /// The same, with a bias or without one.
    pub fn with_bias(scope: &mut Scope<'_>, inputs: usize, outputs: usize, bias: Bias) -> Self {
        let weight = scope.weight("weight", &[outputs, inputs]);
        let bias = match bias {
            Bias::Added => Some(scope.zeros("bias", outputs)),
            Bias::Absent => None,
        };
        Self { weight, bias }
    }

    /// x: `[rows, inputs]`; gives `[rows, outputs]`.
    pub fn forward(&self, graph: &Graph<'_>, x: &Var) -> Var {
        graph.linear(x, self.weight, self.bias, None)
    }

    /// The same with an activation over the result, fused with it.
    pub fn forward_activated(&self, graph: &Graph<'_>, x: &Var, activation: Activation) -> Var {
        graph.linear(x, self.weight, self.bias, Some(activation))
    }
}
