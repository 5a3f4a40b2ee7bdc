//! The encoder skeleton: embeddings, then layers whose norms stand after each residual sum. Knows no family and no task.

use graftling_tensor::{Graph, Spans, Var};

use super::attention::SelfAttention;
use super::declarations::{Declarations, Scope};
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use super::norm::LayerNorm;
use crate::architecture::{Architecture, Dropout};
use crate::batch::PackedBatch;
use crate::facts::Depth;

/// Token ids in, one vector a token out.
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

    /// Gives `[tokens, hidden_size]`.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch, dropout: &Dropout) -> Var {
        let embedded = self.embeddings.forward(graph, batch, dropout.hidden);
        self.layers.iter().fold(embedded, |hidden, layer| layer.forward(graph, &hidden, &batch.spans, dropout))
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

    /// hidden: `[tokens, hidden_size]`; gives the same shape.
    fn forward(&self, graph: &Graph<'_>, hidden: &Var, spans: &Spans, dropout: &Dropout) -> Var {
        let attended = self.attention.forward(graph, hidden, spans, dropout.attention);
        let hidden = self.attention_norm.forward_residual(graph, &attended, hidden, dropout.hidden);
        let fed = self.feed_forward.forward(graph, &hidden);
        self.feed_forward_norm.forward_residual(graph, &fed, &hidden, dropout.hidden)
    }
}
