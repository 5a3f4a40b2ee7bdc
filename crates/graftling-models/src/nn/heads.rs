//! What stands above the encoder: the bricks of each [`Head`]. Knows no family.

use graftling_tensor::{Graph, ParameterId, Var};

use super::declarations::Declarations;
use super::embeddings::Embeddings;
use super::encoder::{Encoder, Wanted};
use super::linear::Linear;
use super::norm::LayerNorm;
use super::pooler::Pooler;
use crate::architecture::{Architecture, Dropout};
use crate::batch::PackedBatch;
use crate::facts::Depth;
use crate::head::Head;

/// The bricks of a head.
pub(crate) enum HeadBricks {
    /// The pooler over each first token, then a projection to the labels.
    Sequence { pooler: Pooler, classifier: Linear },
    /// A projection of each token to the labels.
    Token { classifier: Linear },
    /// A projection of each token to the vocabulary.
    Language(LanguageHead),
    /// A projection of each token to two logits.
    Answers { projection: Linear },
}

impl HeadBricks {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture, head: &Head) -> Self {
        let hidden_size = architecture.hidden_size;
        let projection = |declarations: &mut Declarations, name: &str, outputs: usize| {
            Linear::new(&mut declarations.scope(name, Depth::Head), hidden_size, outputs)
        };
        match head {
            Head::SequenceClassification { labels, .. } => Self::Sequence {
                pooler: Pooler::new(declarations, architecture),
                classifier: projection(declarations, "classifier", labels.len()),
            },
            Head::TokenClassification { labels } => {
                Self::Token { classifier: projection(declarations, "classifier", labels.len()) }
            }
            Head::MaskedLanguageModelling => Self::Language(LanguageHead::new(declarations, architecture)),
            Head::QuestionAnswering => Self::Answers { projection: projection(declarations, "answers", 2) },
        }
    }

    /// The logits over what the encoder makes of a batch: a row a sequence, or a row a token that is wanted.
    pub fn forward(&self, graph: &Graph<'_>, encoder: &Encoder, batch: &PackedBatch, dropout: &Dropout) -> Var {
        let tokens = || {
            let wanted = batch.wanted.as_deref().map_or(Wanted::EveryToken, Wanted::Tokens);
            encoder.forward(graph, batch, wanted, dropout)
        };
        match self {
            Self::Sequence { pooler, classifier } => {
                let first_tokens = encoder.forward(graph, batch, Wanted::FirstTokens, dropout);
                let pooled = pooler.forward(graph, &first_tokens, dropout);
                classifier.forward(graph, &graph.dropout(&pooled, dropout.classifier))
            }
            Self::Token { classifier } => classifier.forward(graph, &graph.dropout(&tokens(), dropout.token_classifier)),
            Self::Language(head) => head.forward(graph, &encoder.embeddings, &tokens()),
            Self::Answers { projection } => projection.forward(graph, &graph.dropout(&tokens(), dropout.answers.unwrap_or(0.0))),
        }
    }
}

/// `norm(activation(dense(x)))`, then a product with the word embeddings themselves, and a bias of its own.
pub(crate) struct LanguageHead {
    dense: Linear,
    norm: LayerNorm,
    bias: ParameterId,
    activation: graftling_tensor::Activation,
}

impl LanguageHead {
    fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let size = architecture.embedding_size();
        let mut scope = declarations.scope("language", Depth::Head);
        Self {
            dense: Linear::new(&mut scope.part("dense"), architecture.hidden_size, size),
            norm: LayerNorm::new(&mut scope.part("norm"), size, architecture.norm_epsilon),
            bias: scope.zeros("bias", architecture.vocabulary_size),
            activation: architecture.language_activation,
        }
    }

    /// tokens: `[rows, hidden_size]`; gives `[rows, vocabulary]`.
    fn forward(&self, graph: &Graph<'_>, embeddings: &Embeddings, tokens: &Var) -> Var {
        let dense = self.dense.forward_activated(graph, tokens, self.activation);
        let normed = self.norm.forward(graph, &dense);
        graph.linear(&normed, embeddings.word, Some(self.bias), None)
    }
}
