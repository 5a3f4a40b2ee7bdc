//! Self attention: each token looks at the tokens of its own sequence. Knows no family.

use graftling_tensor::{AttentionOptions, Graph, Spans, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::Architecture;

/// Multi-head self attention with its output projection.
pub(crate) struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl SelfAttention {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let size = architecture.hidden_size;
        let mut projection = |name: &str| Linear::new(&mut scope.part(name), size, size);
        Self {
            query: projection("query"),
            key: projection("key"),
            value: projection("value"),
            output: projection("output"),
            heads: architecture.num_attention_heads,
        }
    }

    /// hidden: `[tokens, hidden_size]`; gives the same shape.
    pub fn forward(&self, graph: &Graph<'_>, hidden: &Var, spans: &Spans, dropout: f32) -> Var {
        let query = self.query.forward(graph, hidden);
        let key = self.key.forward(graph, hidden);
        let value = self.value.forward(graph, hidden);
        let context = graph.attention(&query, &key, &value, spans, &AttentionOptions { heads: self.heads, dropout });
        self.output.forward(graph, &context)
    }
}
