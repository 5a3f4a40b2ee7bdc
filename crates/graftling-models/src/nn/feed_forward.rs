//! The part of a layer that works on each token alone. Knows no family.

use graftling_tensor::{Activation, Graph, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::Architecture;

/// `down(activation(up(x)))`.
pub(crate) struct FeedForward {
    up: Linear,
    down: Linear,
    activation: Activation,
}

impl FeedForward {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let (hidden, intermediate) = (architecture.hidden_size, architecture.intermediate_size);
        Self {
            up: Linear::new(&mut scope.part("up"), hidden, intermediate),
            down: Linear::new(&mut scope.part("down"), intermediate, hidden),
            activation: architecture.activation,
        }
    }

    /// hidden: `[rows, hidden_size]`; gives the same shape.
    pub fn forward(&self, graph: &Graph<'_>, hidden: &Var) -> Var {
        let inner = self.up.forward_activated(graph, hidden, self.activation);
        self.down.forward(graph, &inner)
    }
}
