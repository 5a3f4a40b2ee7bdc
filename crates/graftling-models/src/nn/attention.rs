//! Self attention: each token looks at the tokens of its own sequence. Knows no family.

use graftling_tensor::{
    AttentionOptions, AttentionWindow, DistanceBias, DistanceBuckets, DistanceVectors, Graph, RotaryAngles, Spans, Var,
};

use super::declarations::Scope;
use super::distances::Distances;
use super::linear::Linear;
use crate::architecture::{Architecture, Disentangled, Distance, DistanceProjections, Dropout, Sight};

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
    /// What all layers share of what they know of distances.
    pub distances: &'a Distances,
}

/// Multi-head self attention with its output projection.
pub(crate) struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    distance: DistanceUse,
}

/// What a layer makes of what all layers share.
enum DistanceUse {
    None,
    Bias(DistanceBuckets),
    /// What projects the vectors of distances that queries, and that keys are multiplied with.
    Vectors {
        key: Option<VectorProjection>,
        query: Option<VectorProjection>,
    },
}

/// What projects the vectors of distances.
enum VectorProjection {
    /// What projects tokens.
    OfTokens,
    Own(Linear),
}

impl VectorProjection {
    fn or<'a>(&'a self, of_tokens: &'a Linear) -> &'a Linear {
        match self {
            Self::OfTokens => of_tokens,
            Self::Own(own) => own,
        }
    }
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
            distance: match architecture.distance {
                Distance::Unknown => DistanceUse::None,
                Distance::Biased(buckets) => DistanceUse::Bias(buckets),
                Distance::Disentangled(Disentangled { projections, content_to_position, position_to_content, .. }) => {
                    let mut of_vectors = |name: &str| match projections {
                        DistanceProjections::OfTokens => VectorProjection::OfTokens,
                        DistanceProjections::Own => VectorProjection::Own(projection(name)),
                    };
                    DistanceUse::Vectors {
                        key: content_to_position.then(|| of_vectors("position_key")),
                        query: position_to_content.then(|| of_vectors("position_query")),
                    }
                }
            },
        }
    }

    /// What each query finds in the keys' rows of its own sequence: gives the shape of the queries' rows.
    pub fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, places: Places<'_>, dropout: &Dropout) -> Var {
        let turned = |projected: Var, rows: Rows<'_>| match places.angles {
            Some(angles) => graph.rotary(projected, self.heads, angles, rows.positions),
            None => projected,
        };
        let query = turned(self.query.forward(graph, queries.hidden), queries);
        let key = turned(self.key.forward(graph, keys.hidden), keys);
        let value = self.value.forward(graph, keys.hidden);
        let options = AttentionOptions { heads: self.heads, key_heads: self.heads, dropout: dropout.attention_weights };
        let (tokens, spans, positions) = ([&query, &key, &value], [queries.spans, keys.spans], queries.positions);
        let context = match (places.sight, &self.distance, places.distances) {
            (Sight::Everything, DistanceUse::Bias(buckets), Distances::Bias(table)) => {
                let bias = DistanceBias { table: *table, buckets: *buckets, positions };
                graph.attention_by_distance(tokens, spans, options, &bias)
            }
            (Sight::Everything, DistanceUse::Vectors { key, query }, Distances::Vectors { vectors, rows }) => {
                let vectors = graph.dropout(vectors, dropout.embeddings);
                let key = key.as_ref().map(|projection| projection.or(&self.key).forward(graph, &vectors));
                let query = query.as_ref().map(|projection| projection.or(&self.query).forward(graph, &vectors));
                let vectors = DistanceVectors { key: key.as_ref(), query: query.as_ref(), rows, positions };
                graph.disentangled_attention(tokens, spans, options, &vectors)
            }
            (Sight::Everything, ..) => graph.attention(&query, &key, &value, spans[0], spans[1], options),
            (Sight::Window { reach }, DistanceUse::None, _) => {
                graph.attention_in_window(tokens, spans, options, AttentionWindow { before: reach, behind: reach, positions })
            }
            (Sight::Window { .. }, ..) => panic!("attention: no family has a window together with trained distances"),
        };
        self.output.forward(graph, &context)
    }
}
