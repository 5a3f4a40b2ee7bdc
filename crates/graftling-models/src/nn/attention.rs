//! Self attention: each token looks at the tokens of its own sequence. Knows no family.

use graftling_tensor::{AttentionOptions, DistanceBias, Graph, ParameterId, Spans, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::{Architecture, Distance};

/// Vectors, and which of them belong to which sequence.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The place of each in its sequence; needed where attention knows distances.
    pub positions: &'a [u32],
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
    distance: Distance,
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
            distance: architecture.distance,
        }
    }

    /// What each query finds in the keys' rows of its own sequence: gives the shape of the queries' rows. `bias` is the table of a model
    /// whose attention is biased by distance.
    pub fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, bias: Option<ParameterId>, dropout: f32) -> Var {
        let query = self.query.forward(graph, queries.hidden);
        let key = self.key.forward(graph, keys.hidden);
        let value = self.value.forward(graph, keys.hidden);
        let options = AttentionOptions { heads: self.heads, dropout };
        let context = match (self.distance, bias) {
            (Distance::Biased(buckets), Some(table)) => {
                let bias = DistanceBias { table, buckets, positions: queries.positions };
                graph.attention_by_distance([&query, &key, &value], [queries.spans, keys.spans], options, &bias)
            }
            _ => graph.attention(&query, &key, &value, queries.spans, keys.spans, options),
        };
        self.output.forward(graph, &context)
    }
}
