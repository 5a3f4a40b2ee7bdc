//! From one vector a sequence (or a token) to one logit a label. Knows no family.

use graftling_tensor::{Graph, Var};

use super::declarations::Declarations;
use super::linear::Linear;
use crate::facts::Depth;

/// Dropout, then a projection to as many logits as there are labels.
pub(crate) struct ClassificationHead {
    classifier: Linear,
}

impl ClassificationHead {
    pub fn new(declarations: &mut Declarations, inputs: usize, labels: usize) -> Self {
        Self { classifier: Linear::new(&mut declarations.scope("classifier", Depth::Head), inputs, labels) }
    }

    /// x: `[rows, inputs]`; gives `[rows, labels]`.
    pub fn forward(&self, graph: &Graph<'_>, x: &Var, dropout: f32) -> Var {
        let kept = graph.dropout(x, dropout);
        self.classifier.forward(graph, &kept)
    }
}
