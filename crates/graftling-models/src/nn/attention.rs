//! Attention: each token looks at the tokens of its own sequence, or at what an encoder made of another. Knows no family.

use std::sync::Arc;

use graftling_tensor::{
    AttentionOptions, AttentionWindow, CachedKeys, CachedWindow, DistanceBias, DistanceBuckets, DistanceVectors, Graph,
    RotaryAngles, SequenceCache, Spans, Var,
};
use rayon::prelude::*;

use super::declarations::Scope;
use super::distances::Distances;
use super::linear::Linear;
use super::norm::Norm;
use crate::architecture::{Architecture, Disentangled, Distance, DistanceProjections, Dropout, Heads, Sight};

/// Vectors, and which of them belong to which sequence.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The place of each in its sequence, ascending; needed where attention knows places or distances.
    pub positions: &'a [u32],
    /// `[rows, hidden_size]`.
    pub hidden: &'a Var,
    pub spans: &'a Spans,
}

/// What an encoder gave, sequence for sequence.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// The vectors themselves.
    Vectors {
        /// `[tokens, hidden_size]`.
        hidden: &'a Var,
        spans: &'a Spans,
    },
    /// What is kept of it for a layer.
    Remembered {
        caches: &'a [Arc<SequenceCache>],
        layer: usize,
        /// The rows that look at each.
        queries: &'a Spans,
    },
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

/// Multi-head attention with its output projection.
pub(crate) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    /// The norms of the queries and of the keys of each head.
    norms: Option<[Norm; 2]>,
    heads: usize,
    key_value_heads: usize,
    /// What queries are multiplied with, because their products with keys are divided by the root of the size of a head.
    query_scale: f32,
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

impl Attention {
    /// That of a layer, counted from zero in its stack.
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture, layer: usize) -> Self {
        let size = architecture.hidden_size;
        let [heads, key_value_heads] = [architecture.num_attention_heads, architecture.key_value_heads()];
        let [queries, keys] = [heads, key_value_heads].map(|heads| heads * architecture.head_size());
        let layout = &architecture.layout;
        let mut projection =
            |name: &str, outputs: usize| Linear::with_bias(&mut scope.part(name), size, outputs, layout.attention_bias);
        let [query, key, value] =
            [("query", queries), ("key", keys), ("value", keys)].map(|(name, outputs)| projection(name, outputs));
        let output = Linear::with_bias(&mut scope.part("output"), queries, size, layout.attention_output_bias);
        let norm = |scope: &mut Scope<'_>, name: &str| Norm::new(&mut scope.part(name), architecture.head_size(), architecture);
        Self {
            query,
            key,
            value,
            output,
            norms: match layout.heads {
                Heads::Grouped { normed: true, .. } => Some(["query_norm", "key_norm"].map(|name| norm(scope, name))),
                Heads::Grouped { .. } | Heads::Even => None,
            },
            heads,
            key_value_heads,
            query_scale: layout.attention_scale.of_queries(architecture.head_size(), layer),
            distance: match architecture.distance {
                Distance::Unknown => DistanceUse::None,
                Distance::Biased(buckets) => DistanceUse::Bias(buckets),
                Distance::Disentangled(Disentangled { projections, content_to_position, position_to_content, .. }) => {
                    let mut of_vectors = |name: &str| match projections {
                        DistanceProjections::OfTokens => VectorProjection::OfTokens,
                        DistanceProjections::Own => {
                            VectorProjection::Own(Linear::with_bias(&mut scope.part(name), size, size, layout.attention_bias))
                        }
                    };
                    DistanceUse::Vectors {
                        key: content_to_position.then(|| of_vectors("position_key")),
                        query: position_to_content.then(|| of_vectors("position_query")),
                    }
                }
            },
        }
    }

    /// The queries, keys and values of each head, turned by their places where there are angles.
    fn projected(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, angles: Option<&RotaryAngles>) -> [Var; 3] {
        let query = self.queries(graph, queries, angles);
        let [key, value] = self.keys_and_values(graph, keys, angles);
        [query, key, value]
    }

    fn queries(&self, graph: &Graph<'_>, queries: Rows<'_>, angles: Option<&RotaryAngles>) -> Var {
        let query = self.query.forward(graph, queries.hidden);
        let query = self.norms.as_ref().map_or_else(|| query.clone(), |[of_queries, _]| of_queries.forward(graph, &query));
        graph.scaled(turned(graph, query, self.heads, queries, angles), self.query_scale)
    }

    fn keys_and_values(&self, graph: &Graph<'_>, keys: Rows<'_>, angles: Option<&RotaryAngles>) -> [Var; 2] {
        let key = self.key.forward(graph, keys.hidden);
        let key = self.norms.as_ref().map_or_else(|| key.clone(), |[_, of_keys]| of_keys.forward(graph, &key));
        [turned(graph, key, self.key_value_heads, keys, angles), self.value.forward(graph, keys.hidden)]
    }

    /// Keeps the keys and values of what an encoder gave: a cache for each sequence, to which this layer's are appended.
    pub fn remember(&self, graph: &Graph<'_>, source: Rows<'_>, layer: usize, caches: &mut [SequenceCache]) {
        let keys_and_values = self.keys_and_values(graph, source, None);
        self.append(&keys_and_values, source.spans, layer, caches.par_iter_mut());
    }

    /// Appends the keys and values of sequences to a layer of their caches.
    fn append<'c>(
        &self,
        [key, value]: &[Var; 2],
        spans: &Spans,
        layer: usize,
        caches: impl IndexedParallelIterator<Item = &'c mut SequenceCache>,
    ) {
        let [key, value] = [key.tensor(), value.tensor()];
        caches.enumerate().for_each(|(sequence, cache)| {
            cache.append(layer, [key, value], spans.range(sequence), self.key_value_heads);
        });
    }

    /// What new tokens find in all tokens of their sequences, whose keys and values the caches hold and are given: a cache for each
    /// sequence. Gives the shape of the tokens.
    pub fn forward_cached(
        &self,
        graph: &Graph<'_>,
        tokens: Rows<'_>,
        (layer, caches): (usize, &mut [&mut SequenceCache]),
        places: Places<'_>,
    ) -> Var {
        let Sight::Past { reach } = places.sight else { panic!("read_on: a layer that looks at what follows") };
        let [query, key, value] = self.projected(graph, tokens, tokens, places.angles);
        self.append(&[key, value], tokens.spans, layer, caches.par_iter_mut().map(|cache| &mut **cache));
        let bias = match (&self.distance, places.distances) {
            (DistanceUse::None, _) => None,
            (DistanceUse::Bias(buckets), Distances::Bias(table)) => {
                Some(DistanceBias { table: *table, buckets: *buckets, positions: tokens.positions })
            }
            _ => panic!("read_on: no decoder knows distances by vectors"),
        };
        let caches: Vec<&SequenceCache> = caches.iter().map(|cache| &**cache).collect();
        let keys = CachedKeys { caches: &caches, layer, window: CachedWindow { before: reach, behind: 0 }, bias };
        self.output.forward(graph, &graph.cached_attention(&query, tokens.spans, &keys, self.options()))
    }

    /// Without dropout.
    fn options(&self) -> AttentionOptions {
        AttentionOptions { heads: self.heads, key_heads: self.key_value_heads, dropout: 0.0 }
    }

    /// What each query finds in the keys' rows of its own sequence: gives the shape of the queries' rows.
    pub fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, keys: Rows<'_>, places: Places<'_>, dropout: &Dropout) -> Var {
        let [query, key, value] = self.projected(graph, queries, keys, places.angles);
        let options = AttentionOptions { heads: self.heads, key_heads: self.key_value_heads, dropout: dropout.attention_weights };
        let (tokens, spans, positions) = ([&query, &key, &value], [queries.spans, keys.spans], queries.positions);
        let context = match (places.sight, &self.distance, places.distances) {
            (Sight::Everything, DistanceUse::Bias(buckets), Distances::Bias(table)) => {
                let bias = DistanceBias { table: *table, buckets: *buckets, positions };
                graph.attention_by_distance(tokens, spans, options, &bias)
            }
            (Sight::Everything, DistanceUse::Vectors { key, query }, Distances::Vectors { vectors, rows }) => {
                let vectors = graph.dropout(vectors, dropout.embeddings.unwrap_or(0.0));
                let key = key.as_ref().map(|projection| projection.or(&self.key).forward(graph, &vectors));
                let query = query.as_ref().map(|projection| projection.or(&self.query).forward(graph, &vectors));
                let vectors = DistanceVectors { key: key.as_ref(), query: query.as_ref(), rows, positions };
                graph.disentangled_attention(tokens, spans, options, &vectors)
            }
            (Sight::Everything, ..) => graph.attention(&query, &key, &value, spans[0], spans[1], options),
            (Sight::Window { reach }, DistanceUse::None, _) => {
                graph.attention_in_window(tokens, spans, options, AttentionWindow { before: reach, behind: reach, positions })
            }
            (Sight::Past { reach }, DistanceUse::None, _) => {
                graph.attention_in_window(tokens, spans, options, AttentionWindow { before: reach, behind: 0, positions })
            }
            (Sight::Past { reach }, DistanceUse::Bias(buckets), Distances::Bias(table)) => {
                let bias = DistanceBias { table: *table, buckets: *buckets, positions };
                let window = AttentionWindow { before: reach, behind: 0, positions };
                graph.attention_by_distance_in_window(tokens, spans, options, &bias, window)
            }
            (Sight::Window { .. } | Sight::Past { .. }, ..) => {
                panic!("attention: no family has such a window together with trained distances")
            }
        };
        self.output.forward(graph, &context)
    }

    /// What each query finds in what an encoder made of its sequence: gives the shape of the queries' rows.
    pub fn forward_across(&self, graph: &Graph<'_>, queries: Rows<'_>, source: Source<'_>, dropout: &Dropout) -> Var {
        match source {
            Source::Vectors { hidden, spans } => {
                let places = Places { sight: Sight::Everything, angles: None, distances: &Distances::Unknown };
                self.forward(graph, queries, Rows { hidden, spans, positions: &[] }, places, dropout)
            }
            Source::Remembered { caches, layer, queries: spans } => {
                let query = self.queries(graph, queries, None);
                let keys = CachedKeys { caches, layer, window: CachedWindow::EVERYTHING, bias: None };
                self.output.forward(graph, &graph.cached_attention(&query, spans, &keys, self.options()))
            }
        }
    }
}

/// Vectors of heads, turned by their places where there are angles.
fn turned(graph: &Graph<'_>, projected: Var, heads: usize, rows: Rows<'_>, angles: Option<&RotaryAngles>) -> Var {
    match angles {
        Some(angles) => graph.rotary(projected, heads, angles, rows.positions),
        None => projected,
    }
}
