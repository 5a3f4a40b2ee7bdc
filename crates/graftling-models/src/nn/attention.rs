//! Self attention: each token looks at the tokens of its own sequence. Knows no family.

use graftling_tensor::{AttentionOptions, AttentionWindow, DistanceBias, Graph, ParameterId, RotaryAngles, Spans, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::{Architecture, Distance, Sight};

/// Vectors, and which of them belong to which sequence.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The place of each in its sequence, ascending; needed where attention knows places or distances.
    pub positions: &'a [u32],
    /// `[rows, hidden_size]`.
    pub hidden: &'a Var,
    pub spans: &'a Spans,
}

/// What the attention of a layer knows of places.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    pub sight: Sight,
    /// The angles by which queries and keys are turned, in a model with rotary positions.
    pub angles: Option<&'a RotaryAngles>,
    /// The table of a model whose attention is biased by distance.
    pub bias: Option<ParameterId>,
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
        let mut projection =
            |name: &str| Linear::with_bias(&mut scope.part(name), size, size, architecture.layout.attention_bias);
        Self {
            query: projection("query"),
            key: projection("key"),
            value: projection("value"),
            output: projection("output"),
            heads: architecture.num_attention_heads,
            distance: architecture.distance,
        }
    }

    /// What each query finds in the keys' rows of its own sequence: gives the shape of the queries' rows.
    pub fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, places: Places<'_>, dropout: f32) -> Var {
        let turned = |projected: Var, rows: Rows<'_>| match places.angles {
            Some(angles) => graph.rotary(projected, self.heads, angles, rows.positions),
            None => projected,
        };
        let query = turned(self.query.forward(graph, queries.hidden), queries);
        let key = turned(self.key.forward(graph, keys.hidden), keys);
        let value = self.value.forward(graph, keys.hidden);
        let options = AttentionOptions { heads: self.heads, dropout };
        let spans = [queries.spans, keys.spans];
        let context = match (places.sight, self.distance, places.bias) {
            (Sight::Everything, Distance::Biased(buckets), Some(table)) => {
                let bias = DistanceBias { table, buckets, positions: queries.positions };
                graph.attention_by_distance([&query, &key, &value], spans, options, &bias)
            }
            (Sight::Everything, ..) => graph.attention(&query, &key, &value, spans[0], spans[1], options),
            (Sight::Window { reach }, Distance::Unknown, _) => {
                let window = AttentionWindow { reach, positions: queries.positions };
                graph.attention_in_window([&query, &key, &value], spans, options, window)
            }
            (Sight::Window { .. }, distance, _) => panic!("attention: no family has a window together with {distance:?}"),
        };
        self.output.forward(graph, &context)
    }
}
