//! The skeleton of encoders, and of decoders that stand alone: embeddings, then layers of attention and feed-forward parts. Knows no
//! family and no task.

use std::ops::Range;

use graftling_tensor::{Graph, Spans, Var};

use super::attention::{Places, Rows, SelfAttention};
use super::convolution::ConvolutionLayer;
use super::declarations::{Declarations, Scope};
use super::distances::SharedDistances;
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use super::norm::Norm;
use super::rotary::Rotary;
use crate::architecture::{Architecture, Dropout, EmbeddingNorm, LayerWeights, NormPlacement, Sights};
use crate::batch::PackedBatch;
use crate::facts::Depth;

/// Token ids in, vectors out.
pub(crate) struct Encoder {
    pub embeddings: Embeddings,
    /// Each layer, or the one whose weights all of them share.
    layers: Vec<Layer>,
    num_hidden_layers: usize,
    distances: SharedDistances,
    sights: Sights,
    rotary: Option<Rotary>,
    /// Stands over the first layer.
    convolution: Option<ConvolutionLayer>,
    /// Over what the last layer gives, where norms stand before the parts of a layer.
    norm: Option<Norm>,
}

/// The tokens whose vectors are looked at.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The first token of each sequence.
    FirstTokens,
    /// The last token of each sequence.
    LastTokens,
    /// Those in these rows, ascending.
    Tokens(&'a [usize]),
    EveryToken,
}

impl Encoder {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let embeddings = Embeddings::new(&mut declarations.scope("embeddings", Depth::Embeddings), architecture);
        let distances = SharedDistances::new(declarations, architecture);
        let own = match architecture.layer_weights {
            LayerWeights::Own => architecture.num_hidden_layers,
            LayerWeights::Shared => 1,
        };
        let stack = architecture.stack();
        let layers = (0..own)
            .map(|index| {
                Layer::new(&mut declarations.scope(&format!("{stack}.layers.{index}"), Depth::Layer(index)), architecture, index)
            })
            .collect();
        let convolution = architecture.layout.convolution.map(|convolution| {
            let mut scope = declarations.scope("encoder.convolution", Depth::Layer(0));
            ConvolutionLayer::new(&mut scope, architecture, convolution)
        });
        let num_hidden_layers = architecture.num_hidden_layers;
        let norm = match architecture.layout.norms {
            NormPlacement::AfterSums => None,
            NormPlacement::BeforeParts => {
                let mut scope = declarations.scope(&format!("{stack}.norm"), Depth::Layer(num_hidden_layers - 1));
                Some(Norm::new(&mut scope, architecture.hidden_size, architecture))
            }
        };
        let sights = architecture.layout.sight.clone();
        Self { embeddings, layers, num_hidden_layers, distances, sights, rotary: Rotary::new(architecture), convolution, norm }
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
        let embedded = self.embeddings.forward(graph, batch, dropout.embeddings.unwrap_or(0.0));
        let positions: Vec<u32> = spans.lengths().flat_map(|length| 0..length as u32).collect();
        let angles = self.rotary.as_ref().map(|rotary| rotary.angles(spans.lengths().max().unwrap_or(0)));
        let distances = self.distances.of_pass(graph, spans);
        // What a layer makes of all tokens, or of those in some rows.
        let layer = |index: usize, tokens: Rows<'_>, wanted: Option<(Rows<'_>, &[usize])>| {
            let sight = self.sights.of(index);
            let angles = angles.as_ref().map(|angles| angles.of(sight));
            let places = Places { sight, angles, distances: &distances };
            let output = self.layer(index).forward(graph, tokens, wanted.map(|(wanted, _)| wanted), places, dropout);
            match &self.convolution {
                Some(convolution) if index == 0 => {
                    let rows = wanted.map(|(_, rows)| rows);
                    convolution.forward(graph, [&embedded, &output], spans, rows, dropout.embeddings.unwrap_or(0.0))
                }
                _ => output,
            }
        };
        let hidden = (0..last)
            .fold(embedded.clone(), |hidden, index| layer(index, Rows { hidden: &hidden, spans, positions: &positions }, None));
        let tokens = Rows { hidden: &hidden, spans, positions: &positions };
        let output = match wanted.rows(spans) {
            None => layer(last, tokens, None),
            Some((rows, spans)) => {
                let gathered = graph.gather_rows(&hidden, &rows);
                let positions: Vec<u32> = rows.iter().map(|row| positions[*row]).collect();
                layer(last, tokens, Some((Rows { hidden: &gathered, spans: &spans, positions: &positions }, &rows)))
            }
        };
        self.norm.as_ref().map_or_else(|| output.clone(), |norm| norm.forward(graph, &output))
    }
}

impl Wanted<'_> {
    /// The rows that are wanted and how many of them each sequence has, unless it is all of them.
    fn rows(self, spans: &Spans) -> Option<(Vec<usize>, Spans)> {
        match self {
            Self::FirstTokens => Some((spans.first_rows(), Spans::from_lengths(spans.lengths().map(|_| 1)))),
            Self::LastTokens => {
                let rows = (0..spans.count()).map(|sequence| spans.range(sequence).end - 1).collect();
                Some((rows, Spans::from_lengths(spans.lengths().map(|_| 1))))
            }
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
    feed_forward: FeedForward,
    norms: Norms,
}

/// The norms of a layer, where they stand.
enum Norms {
    /// Over each residual sum.
    AfterSums { attention: Norm, feed_forward: Norm },
    /// Before each part; none before attention where what comes in is normed already.
    BeforeParts { attention: Option<Norm>, feed_forward: Norm },
}

impl Layer {
    fn new(scope: &mut Scope<'_>, architecture: &Architecture, index: usize) -> Self {
        let norm = |scope: &mut Scope<'_>, part: &str| {
            Norm::new(&mut scope.part(part).part("norm"), architecture.hidden_size, architecture)
        };
        let attention = SelfAttention::new(&mut scope.part("attention"), architecture);
        // The order of declaring is that of the file that is written.
        match architecture.layout.norms {
            NormPlacement::AfterSums => {
                let attention_norm = norm(scope, "attention");
                let feed_forward = FeedForward::new(&mut scope.part("feed_forward"), architecture);
                let norms = Norms::AfterSums { attention: attention_norm, feed_forward: norm(scope, "feed_forward") };
                Self { attention, feed_forward, norms }
            }
            NormPlacement::BeforeParts => {
                let is_normed = index == 0 && architecture.layout.embedding_norm == EmbeddingNorm::Normed;
                let attention_norm = (!is_normed).then(|| norm(scope, "attention"));
                let feed_forward = FeedForward::new(&mut scope.part("feed_forward"), architecture);
                let norms = Norms::BeforeParts { attention: attention_norm, feed_forward: norm(scope, "feed_forward") };
                Self { attention, feed_forward, norms }
            }
        }
    }

    /// The new vectors of the `tokens`, or of the `wanted` ones among them alone; each looks at the tokens of its sequence.
    fn forward(
        &self,
        graph: &Graph<'_>,
        tokens: Rows<'_>,
        wanted: Option<Rows<'_>>,
        places: Places<'_>,
        dropout: &Dropout,
    ) -> Var {
        let queries = wanted.unwrap_or(tokens);
        let attend = |queries: Rows<'_>, tokens: Rows<'_>| self.attention.forward(graph, queries, tokens, places, dropout);
        let feed = |hidden: &Var| self.feed_forward.forward(graph, hidden, dropout.feed_forward_inner);
        let [after_attention, after_feed_forward] =
            [dropout.attention, dropout.feed_forward].map(|probability| probability.unwrap_or(0.0));
        match &self.norms {
            Norms::AfterSums { attention, feed_forward } => {
                let attended = attend(queries, tokens);
                let hidden = attention.forward_residual(graph, &attended, queries.hidden, after_attention);
                feed_forward.forward_residual(graph, &feed(&hidden), &hidden, after_feed_forward)
            }
            Norms::BeforeParts { attention, feed_forward } => {
                let normed = |hidden: &Var| attention.as_ref().map_or_else(|| hidden.clone(), |norm| norm.forward(graph, hidden));
                let of_tokens = normed(tokens.hidden);
                let of_wanted = wanted.map(|wanted| normed(wanted.hidden));
                let seen = Rows { hidden: &of_tokens, ..tokens };
                let attended = attend(Rows { hidden: of_wanted.as_ref().unwrap_or(&of_tokens), ..queries }, seen);
                let hidden = graph.residual_sum(&attended, queries.hidden, after_attention);
                let fed = feed(&feed_forward.forward(graph, &hidden));
                graph.residual_sum(&fed, &hidden, after_feed_forward)
            }
        }
    }
}
