//! The part of a layer that works on each token alone. Knows no family.

use graftling_tensor::{Activation, Graph, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::{Architecture, FeedForwardKind};

/// `down(activation(up(x)))`, or `down(activation(gate(x)) * up(x))` where there is a gate.
pub(crate) struct FeedForward {
    gate: Option<Linear>,
    up: Linear,
    down: Linear,
    activation: Activation,
}

impl FeedForward {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let (hidden, intermediate) = (architecture.hidden_size, architecture.intermediate_size);
        let bias = architecture.layout.feed_forward_bias;
        let mut projection =
            |name: &str, inputs: usize, outputs: usize| Linear::with_bias(&mut scope.part(name), inputs, outputs, bias);
        Self {
            gate: match architecture.layout.feed_forward {
                FeedForwardKind::Plain => None,
                FeedForwardKind::Gated => Some(projection("gate", hidden, intermediate)),
            },
            up: projection("up", hidden, intermediate),
            down: projection("down", intermediate, hidden),
            activation: architecture.activation,
        }
    }

    /// hidden: `[rows, hidden_size]`; gives the same shape. `dropout`, where the family has it, stands before the last projection.
    pub fn forward(&self, graph: &Graph<'_>, hidden: &Var, dropout: Option<f32>) -> Var {
        let inner = match &self.gate {
            Some(gate) => {
                let (gate, up) = (gate.forward(graph, hidden), self.up.forward(graph, hidden));
                graph.gated(&gate, &up, self.activation, dropout.unwrap_or(0.0))
            }
            None => {
                let inner = self.up.forward_activated(graph, hidden, self.activation);
                dropout.map_or_else(|| inner.clone(), |dropout| graph.dropout(&inner, dropout))
            }
        };
        self.down.forward(graph, &inner)
    }
}
