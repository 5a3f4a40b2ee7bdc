//! The last projection before a classifier, over the first token of each sequence. Knows no family and no task.

use graftling_tensor::{Activation, Graph, Var};

use super::declarations::Declarations;
use super::linear::Linear;
use crate::architecture::{Architecture, Dropout};
use crate::facts::Depth;

/// A projection with an activation over the first token of each sequence.
pub(crate) struct Pooler {
    dense: Linear,
    activation: Activation,
}

impl Pooler {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let mut scope = declarations.scope("pooler.dense", Depth::Head);
        let dense = Linear::new(&mut scope, architecture.hidden_size, architecture.hidden_size);
        Self { dense, activation: architecture.pooler_activation }
    }

    /// first_tokens: `[sequences, hidden_size]`; gives the same shape.
    pub fn forward(&self, graph: &Graph<'_>, first_tokens: &Var, dropout: &Dropout) -> Var {
        let kept = graph.dropout(first_tokens, dropout.pooler.unwrap_or(0.0));
        self.dense.forward_activated(graph, &kept, self.activation)
    }
}
