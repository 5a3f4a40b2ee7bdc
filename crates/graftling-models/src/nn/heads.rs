//! What stands above the encoder: the bricks of each [`Head`]. Knows no family.

use graftling_tensor::{Graph, ParameterId, Var};

use super::declarations::Declarations;
use super::embeddings::Embeddings;
use super::encoder::{Encoder, Wanted};
use super::linear::Linear;
use super::transform::Transform;
use crate::architecture::{Architecture, Bias, Dropout, HeadLayout, Pooling, VocabularyProjection};
use crate::batch::PackedBatch;
use crate::facts::Depth;
use crate::families::names::Names;
use crate::head::{self, Head};

/// The bricks of a head.
pub(crate) enum HeadBricks {
    /// A projection of the vector of each sequence to the labels, in encoders over a transform.
    Sequence { pooling: Pooling, transform: Option<Transform>, classifier: Linear },
    /// A projection of each token to the labels, in some families over a transform.
    Token { transform: Option<Transform>, classifier: Linear },
    /// A projection of each token to the vocabulary, over a transform.
    Language(LanguageHead),
    /// A projection of each token to the vocabulary: by the word embeddings unless there is a matrix for it.
    NextToken { vocabulary: Option<Linear> },
    /// A projection of each token to two logits, in some families over a transform.
    Answers { transform: Option<Transform>, projection: Linear },
    /// One vector from those of the tokens. The pooler that a family saves with its bare encoder is kept, and not looked at.
    Embedding { pooling: head::Pooling },
}

impl HeadBricks {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture, names: Names, head: &Head) -> Self {
        let hidden_size = architecture.hidden_size;
        let layout = architecture.layout.head;
        let transform = |declarations: &mut Declarations, name: &str| match layout {
            HeadLayout::Pooler | HeadLayout::LastToken { .. } => None,
            HeadLayout::Transform { dense, deviations: [deviation, _], .. } => {
                let mut scope = declarations.scope(name, Depth::Head).drawn(deviation);
                Some(Transform::normed(&mut scope, architecture, hidden_size, architecture.pooler_activation, dense))
            }
        };
        let projection = |declarations: &mut Declarations, name: &str, outputs: usize, bias: Bias| {
            let mut scope = declarations.scope(name, Depth::Head);
            if let HeadLayout::Transform { deviations: [_, deviation], .. } = layout {
                scope = scope.drawn(deviation);
            }
            Linear::with_bias(&mut scope, hidden_size, outputs, bias)
        };
        match head {
            Head::SequenceClassification { labels, .. } => Self::Sequence {
                pooling: match layout {
                    HeadLayout::Pooler => Pooling::First,
                    HeadLayout::Transform { pooling, .. } => pooling,
                    HeadLayout::LastToken { .. } => Pooling::Last,
                },
                transform: match layout {
                    HeadLayout::Pooler => {
                        let mut scope = declarations.scope("pooler", Depth::Head);
                        Some(Transform::plain(&mut scope, architecture, architecture.pooler_activation))
                    }
                    HeadLayout::Transform { .. } | HeadLayout::LastToken { .. } => transform(declarations, "pooler"),
                },
                classifier: match layout {
                    HeadLayout::LastToken { .. } => projection(declarations, "classifier", labels.len(), Bias::Absent),
                    HeadLayout::Pooler | HeadLayout::Transform { .. } => {
                        projection(declarations, "classifier", labels.len(), Bias::Added)
                    }
                },
            },
            Head::TokenClassification { labels } => Self::Token {
                transform: transform(declarations, "transform"),
                classifier: projection(declarations, "classifier", labels.len(), Bias::Added),
            },
            Head::MaskedLanguageModelling => Self::Language(LanguageHead::new(declarations, architecture)),
            Head::CausalLanguageModelling => Self::NextToken {
                vocabulary: match layout {
                    HeadLayout::LastToken { vocabulary: VocabularyProjection::Own } => {
                        Some(projection(declarations, "language", architecture.vocabulary_size, Bias::Absent))
                    }
                    _ => None,
                },
            },
            Head::QuestionAnswering => Self::Answers {
                transform: transform(declarations, "transform"),
                projection: projection(declarations, "answers", 2, Bias::Added),
            },
            Head::SentenceEmbedding { pooling, .. } => {
                if names.has_pooler() {
                    let mut scope = declarations.scope("pooler", Depth::Head);
                    Transform::plain(&mut scope, architecture, architecture.pooler_activation);
                }
                Self::Embedding { pooling: *pooling }
            }
        }
    }

    /// The logits over what the encoder makes of a batch: a row a sequence, or a row a token that is wanted.
    pub fn forward(&self, graph: &Graph<'_>, encoder: &Encoder, batch: &PackedBatch, dropout: &Dropout) -> Var {
        let tokens = || {
            let wanted = batch.wanted.as_deref().map_or(Wanted::EveryToken, Wanted::Tokens);
            encoder.forward(graph, batch, wanted, dropout)
        };
        let transformed = |transform: &Option<Transform>| {
            let tokens = tokens();
            transform.as_ref().map_or_else(|| tokens.clone(), |transform| transform.forward(graph, &tokens))
        };
        match self {
            Self::Sequence { pooling, transform, classifier } => {
                let pooled = match pooling {
                    Pooling::First => encoder.forward(graph, batch, Wanted::FirstTokens, dropout),
                    Pooling::Last => encoder.forward(graph, batch, Wanted::LastTokens, dropout),
                    Pooling::Mean => graph.span_mean(&encoder.forward(graph, batch, Wanted::EveryToken, dropout), &batch.spans),
                };
                let kept = graph.dropout(&pooled, dropout.pooler.unwrap_or(0.0));
                let transformed = transform.as_ref().map_or_else(|| kept.clone(), |transform| transform.forward(graph, &kept));
                classifier.forward(graph, &graph.dropout(&transformed, dropout.classifier.unwrap_or(0.0)))
            }
            Self::Token { transform, classifier } => {
                classifier.forward(graph, &graph.dropout(&transformed(transform), dropout.token_classifier))
            }
            Self::Language(head) => head.forward(graph, &encoder.embeddings, &tokens()),
            Self::NextToken { vocabulary: Some(vocabulary) } => vocabulary.forward(graph, &tokens()),
            Self::NextToken { vocabulary: None } => graph.linear(&tokens(), encoder.embeddings.word, None, None),
            Self::Answers { transform, projection } => {
                projection.forward(graph, &graph.dropout(&transformed(transform), dropout.answers.unwrap_or(0.0)))
            }
            Self::Embedding { pooling: head::Pooling::Cls } => encoder.forward(graph, batch, Wanted::FirstTokens, dropout),
            Self::Embedding { pooling: head::Pooling::Max } => graph.span_max(&tokens(), &batch.spans),
            Self::Embedding { pooling: head::Pooling::Mean } => graph.span_mean(&tokens(), &batch.spans),
        }
    }
}

/// `norm(activation(dense(x)))`, then a product with the word embeddings themselves, and a bias of its own.
pub(crate) struct LanguageHead {
    transform: Transform,
    bias: Option<ParameterId>,
}

impl LanguageHead {
    fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        let (dense, decoder, deviation) = match architecture.layout.head {
            // No decoder has this head: its tokens see no words behind a mask.
            HeadLayout::Pooler | HeadLayout::LastToken { .. } => (Bias::Added, Bias::Added, architecture.initializer_range),
            HeadLayout::Transform { dense, decoder, deviations: [deviation, _], .. } => (dense, decoder, deviation),
        };
        let mut scope = declarations.scope("language", Depth::Head).drawn(deviation);
        let activation = architecture.language_activation;
        let transform = Transform::normed(&mut scope, architecture, architecture.embedding_size(), activation, dense);
        let bias = match decoder {
            Bias::Added => Some(scope.zeros("bias", architecture.vocabulary_size)),
            Bias::Absent => None,
        };
        Self { transform, bias }
    }

    /// tokens: `[rows, hidden_size]`; gives `[rows, vocabulary]`.
    fn forward(&self, graph: &Graph<'_>, embeddings: &Embeddings, tokens: &Var) -> Var {
        graph.linear(&self.transform.forward(graph, tokens), embeddings.word, self.bias, None)
    }
}
