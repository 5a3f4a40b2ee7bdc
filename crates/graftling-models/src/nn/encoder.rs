//! The encoder skeleton: embeddings, then layers whose norms stand after each residual sum. Knows no family and no task.

use std::ops::Range;

use graftling_tensor::{Graph, ParameterId, Spans, Var};

use super::attention::{Rows, SelfAttention};
use super::declarations::{Declarations, Scope};
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use super::norm::LayerNorm;
use crate::architecture::{Architecture, Distance, Dropout, LayerWeights};
use crate::batch::PackedBatch;
use crate::facts::Depth;

/// Token ids in, vectors out.
pub(crate) struct Encoder {
    pub embeddings: Embeddings,
    /// Each layer, or the one whose weights all of them share.
    layers: Vec<Layer>,
    num_hidden_layers: usize,
    /// `[buckets, heads]`, where attention is biased by distance.
    distance_bias: Option<ParameterId>,
}

/// The tokens whose vectors are looked at.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The first token of each sequence.
    FirstTokens,
    /// Those in these rows, ascending.
    Tokens(&'a [usize]),
    EveryToken,
}

impl Encoder {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let embeddings = Embeddings::new(&mut declarations.scope("embeddings", Depth::Embeddings), architecture);
        let distance_bias = match architecture.distance {
            Distance::Unknown => None,
            Distance::Biased(buckets) => {
                let mut scope = declarations.scope("encoder.distance_bias", Depth::Embeddings);
                Some(scope.weight("weight", &[buckets.count(), architecture.num_attention_heads]))
            }
        };
        let own = match architecture.layer_weights {
            LayerWeights::Own => architecture.num_hidden_layers,
            LayerWeights::Shared => 1,
        };
        let layers = (0..own)
            .map(|index| {
                Layer::new(&mut declarations.scope(&format!("encoder.layers.{index}"), Depth::Layer(index)), architecture)
            })
            .collect();
        Self { embeddings, layers, num_hidden_layers: architecture.num_hidden_layers, distance_bias }
    }

    fn layer(&self, index: usize) -> &Layer {
        &self.layers[index.min(self.layers.len() - 1)]
    }

    /// The vectors of the tokens that are wanted, in their order: `[wanted, hidden_size]`.
    ///
    /// The last layer is computed for these tokens alone: for one token a sequence it costs a sixth of a full one.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch, wanted: Wanted<'_>, dropout: &Dropout) -> Var {
        let spans = &batch.spans;
        let last = self.num_hidden_layers - 1;
        let embedded = self.embeddings.forward(graph, batch, dropout.embeddings);
        let positions: Vec<u32> = spans.lengths().flat_map(|length| 0..length as u32).collect();
        let layer = |index: usize, queries: Rows<'_>, tokens: Rows<'_>| {
            self.layer(index).forward(graph, queries, tokens, self.distance_bias, dropout)
        };
        let hidden = (0..last).fold(embedded, |hidden, index| {
            let every_token = Rows { hidden: &hidden, spans, positions: &positions };
            layer(index, every_token, every_token)
        });
        let tokens = Rows { hidden: &hidden, spans, positions: &positions };
        let Some((rows, wanted_spans)) = wanted.rows(spans) else { return layer(last, tokens, tokens) };
        let gathered = graph.gather_rows(&hidden, &rows);
        let wanted_positions: Vec<u32> = rows.iter().map(|row| positions[*row]).collect();
        layer(last, Rows { hidden: &gathered, spans: &wanted_spans, positions: &wanted_positions }, tokens)
    }
}

impl Wanted<'_> {
    /// The rows that are wanted and how many of them each sequence has, unless it is all of them.
    fn rows(self, spans: &Spans) -> Option<(Vec<usize>, Spans)> {
        match self {
            Self::FirstTokens => Some((spans.first_rows(), Spans::from_lengths(spans.lengths().map(|_| 1)))),
            Self::Tokens(rows) => {
                let lengths = (0..spans.count()).map(|sequence| {
                    let Range { start, end } = spans.range(sequence);
                    rows.partition_point(|row| *row < end) - rows.partition_point(|row| *row < start)
                });
                Some((rows.to_vec(), Spans::from_lengths(lengths)))
            }
            Self::EveryToken => None,
        }
    }
}

struct Layer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl Layer {
    fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let norm = |scope: &mut Scope<'_>| LayerNorm::new(scope, architecture.hidden_size, architecture.norm_epsilon);
        Self {
            attention: SelfAttention::new(&mut scope.part("attention"), architecture),
            attention_norm: norm(&mut scope.part("attention").part("norm")),
            feed_forward: FeedForward::new(&mut scope.part("feed_forward"), architecture),
            feed_forward_norm: norm(&mut scope.part("feed_forward").part("norm")),
        }
    }

    /// The new vectors of `queries`, which are some or all of the tokens; each looks at all `tokens` of its sequence.
    fn forward(
        &self,
        graph: &Graph<'_>,
        queries: Rows<'_>,
        tokens: Rows<'_>,
        distance_bias: Option<ParameterId>,
        dropout: &Dropout,
    ) -> Var {
        let attended = self.attention.forward(graph, queries, tokens, distance_bias, dropout.attention_weights);
        let hidden = self.attention_norm.forward_residual(graph, &attended, queries.hidden, dropout.attention.unwrap_or(0.0));
        let fed = self.feed_forward.forward(graph, &hidden);
        self.feed_forward_norm.forward_residual(graph, &fed, &hidden, dropout.feed_forward.unwrap_or(0.0))
    }
}
