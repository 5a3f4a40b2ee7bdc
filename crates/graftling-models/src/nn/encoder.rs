//! The encoder skeleton: embeddings, then layers whose norms stand after each residual sum. Knows no family and no task.

use graftling_tensor::{Graph, Spans, Var};

use super::attention::{Rows, SelfAttention};
use super::declarations::{Declarations, Scope};
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use super::norm::LayerNorm;
use crate::architecture::{Architecture, Dropout};
use crate::batch::PackedBatch;
use crate::facts::Depth;

/// Token ids in, vectors out.
pub(crate) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}

impl Encoder {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let embeddings = Embeddings::new(&mut declarations.scope("embeddings", Depth::Embeddings), architecture);
        let layers = (0..architecture.num_hidden_layers)
            .map(|index| {
                Layer::new(&mut declarations.scope(&format!("encoder.layers.{index}"), Depth::Layer(index)), architecture)
            })
            .collect();
        Self { embeddings, layers }
    }

    /// The vector of the first token of each sequence: `[sequences, hidden_size]`.
    ///
    /// The last layer is computed for these tokens alone: nothing else is looked at, and that layer costs a sixth of a full one.
    pub fn forward_first_tokens(&self, graph: &Graph<'_>, batch: &PackedBatch, dropout: &Dropout) -> Var {
        let spans = &batch.spans;
        let (last, others) = self.layers.split_last().expect("an encoder has at least one layer");
        let embedded = self.embeddings.forward(graph, batch, dropout.hidden);
        let hidden = others.iter().fold(embedded, |hidden, layer| {
            let every_token = Rows { hidden: &hidden, spans };
            layer.forward(graph, every_token, every_token, dropout)
        });
        let first_hidden = graph.gather_rows(&hidden, &spans.first_rows());
        let first_spans = Spans::from_lengths(spans.lengths().map(|_| 1));
        last.forward(graph, Rows { hidden: &first_hidden, spans: &first_spans }, Rows { hidden: &hidden, spans }, dropout)
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
    fn forward(&self, graph: &Graph<'_>, queries: Rows<'_>, tokens: Rows<'_>, dropout: &Dropout) -> Var {
        let attended = self.attention.forward(graph, queries, tokens, dropout.attention);
        let hidden = self.attention_norm.forward_residual(graph, &attended, queries.hidden, dropout.hidden);
        let fed = self.feed_forward.forward(graph, &hidden);
        self.feed_forward_norm.forward_residual(graph, &fed, &hidden, dropout.hidden)
    }
}
