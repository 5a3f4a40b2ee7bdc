//! Self attention: each token looks at the tokens of its own sequence. Knows no family.

use graftling_tensor::{AttentionOptions, Graph, Spans, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::Architecture;

/// Vectors, and which of them belong to which sequence.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// `[rows, hidden_size]`.
    pub hidden: &'a Var,
    pub spans: &'a Spans,
}

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

    /// What each query finds in the keys' rows of its own sequence: gives the shape of the queries' rows.
    pub fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, dropout: f32) -> Var {
        let query = self.query.forward(graph, queries.hidden);
        let key = self.key.forward(graph, keys.hidden);
        let value = self.value.forward(graph, keys.hidden);
        let options = AttentionOptions { heads: self.heads, dropout };
        let context = graph.attention(&query, &key, &value, queries.spans, keys.spans, options);
        self.output.forward(graph, &context)
    }
}
