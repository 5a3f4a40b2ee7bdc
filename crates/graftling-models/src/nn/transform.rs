//! The projection with an activation that stands above an encoder, below the last projection of a head. Knows no family and no task.

use graftling_tensor::{Activation, Graph, Var};

use super::declarations::Scope;
use super::linear::Linear;
use super::norm::Norm;
use crate::architecture::{Architecture, Bias};

/// `activation(dense(x))`, and in some heads a norm over it.
pub(crate) struct Transform {
    dense: Linear,
    activation: Activation,
    norm: Option<Norm>,
}

impl Transform {
    /// Without a norm, and with a bias.
    pub fn plain(scope: &mut Scope<'_>, architecture: &Architecture, activation: Activation) -> Self {
        let size = architecture.hidden_size;
        Self { dense: Linear::new(&mut scope.part("dense"), size, size), activation, norm: None }
    }

    /// With a norm over what it gives, which is `size` wide.
    pub fn normed(scope: &mut Scope<'_>, architecture: &Architecture, size: usize, activation: Activation, bias: Bias) -> Self {
        Self {
            dense: Linear::with_bias(&mut scope.part("dense"), architecture.hidden_size, size, bias),
            activation,
            norm: Some(Norm::new(&mut scope.part("norm"), size, architecture)),
        }
    }

    /// x: `[rows, hidden_size]`; gives `[rows, size]`.
    pub fn forward(&self, graph: &Graph<'_>, x: &Var) -> Var {
        let projected = self.dense.forward_activated(graph, x, self.activation);
        self.norm.as_ref().map_or_else(|| projected.clone(), |norm| norm.forward(graph, &projected))
    }
}
