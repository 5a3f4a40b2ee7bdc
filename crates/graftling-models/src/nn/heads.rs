//! What stands above the layers: the bricks of each [`Head`]. Knows no family.

use graftling_tensor::{Graph, ParameterId, Var};

use super::attention::Source;
use super::declarations::Declarations;
use super::embeddings::Embeddings;
use super::linear::Linear;
use super::stack::{Stack, Wanted};
use super::transform::Transform;
use crate::architecture::{Architecture, Bias, Dropout, HeadLayout, Pooling, VocabularyBias, VocabularyProjection};
use crate::batch::PackedBatch;
use crate::facts::Depth;
use crate::families::names::Names;
use crate::head::{self, Head, Vocabulary};

/// The bricks of a head.
pub(crate) enum HeadBricks {
    /// A projection of the vector of each sequence to the labels, in encoders over a transform.
    Sequence { pooling: Pooling, transform: Option<Transform>, classifier: Linear },
    /// A projection of each token to the labels, in some families over a transform.
    Token { transform: Option<Transform>, classifier: Linear },
    /// A projection of each token to the vocabulary, over a transform.
    Language(LanguageHead),
    /// A projection of each token to the vocabulary.
    NextToken(NextToken),
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
        // The pooler that is saved with a bare encoder.
        let kept_pooler = |declarations: &mut Declarations| {
            if names.has_pooler() {
                Transform::plain(&mut declarations.scope("pooler", Depth::Head), architecture, architecture.pooler_activation);
            }
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
            Head::CausalLanguageModelling | Head::SequenceToSequence => match layout {
                HeadLayout::LastToken { vocabulary, bias, scale } => {
                    Self::NextToken(NextToken::new(declarations, architecture, vocabulary, bias, scale))
                }
                // A decoder that was an encoder before keeps the head it had.
                HeadLayout::Pooler | HeadLayout::Transform { .. } => {
                    kept_pooler(declarations);
                    Self::Language(LanguageHead::new(declarations, architecture))
                }
            },
            Head::QuestionAnswering => Self::Answers {
                transform: transform(declarations, "transform"),
                projection: projection(declarations, "answers", 2, Bias::Added),
            },
            Head::SentenceEmbedding { pooling, .. } => {
                kept_pooler(declarations);
                Self::Embedding { pooling: *pooling }
            }
        }
    }

    /// The logits of what comes next after tokens, or stands in their place, of which these are the vectors, `[rows, hidden_size]`: gives
    /// `[rows, vocabulary]`.
    ///
    /// # Panics
    /// If the logits are not over a vocabulary.
    pub fn next_tokens(&self, graph: &Graph<'_>, stack: &Stack, tokens: Var) -> Var {
        let Some(Vocabulary { weight, bias }) = self.vocabulary(&stack.embeddings) else {
            panic!("next_tokens: the head of another task")
        };
        graph.linear(&self.unprojected(graph, tokens), weight, bias, None)
    }

    /// What becomes logits when it is multiplied with the [`vocabulary`](Self::vocabulary), of tokens of which these are the vectors:
    /// `[rows, hidden_size]`, or as wide as word embeddings are.
    ///
    /// # Panics
    /// If the logits are not over a vocabulary.
    pub fn unprojected(&self, graph: &Graph<'_>, tokens: Var) -> Var {
        match self {
            Self::NextToken(head) => graph.scaled(tokens, head.scale),
            Self::Language(head) => head.transform.forward(graph, &tokens),
            _ => panic!("unprojected: the head of another task"),
        }
    }

    /// By what the head makes logits over a vocabulary; none where it does not.
    pub fn vocabulary(&self, embeddings: &Embeddings) -> Option<Vocabulary> {
        match self {
            Self::NextToken(head) => Some(Vocabulary { weight: head.vocabulary.unwrap_or(embeddings.word), bias: head.bias }),
            Self::Language(head) => Some(Vocabulary { weight: embeddings.word, bias: head.bias }),
            _ => None,
        }
    }

    /// The logits over what the layers make of a batch: a row a sequence, or a row a token that is wanted. `looked_at` is what an encoder
    /// made of other sequences, where these layers look at one.
    pub fn forward(
        &self,
        graph: &Graph<'_>,
        stack: &Stack,
        looked_at: Option<Source<'_>>,
        batch: &PackedBatch,
        dropout: &Dropout,
    ) -> Var {
        let read = |wanted: Wanted<'_>| stack.forward(graph, looked_at, batch, wanted, dropout);
        let tokens = || read(batch.wanted.as_deref().map_or(Wanted::EveryToken, Wanted::Tokens));
        let transformed = |transform: &Option<Transform>| {
            let tokens = tokens();
            transform.as_ref().map_or_else(|| tokens.clone(), |transform| transform.forward(graph, &tokens))
        };
        match self {
            Self::Sequence { pooling, transform, classifier } => {
                let pooled = match pooling {
                    Pooling::First => read(Wanted::FirstTokens),
                    Pooling::Last => read(Wanted::LastTokens),
                    Pooling::Mean => graph.span_mean(&read(Wanted::EveryToken), &batch.spans),
                };
                let kept = graph.dropout(&pooled, dropout.pooler.unwrap_or(0.0));
                let transformed = transform.as_ref().map_or_else(|| kept.clone(), |transform| transform.forward(graph, &kept));
                classifier.forward(graph, &graph.dropout(&transformed, dropout.classifier.unwrap_or(0.0)))
            }
            Self::Token { transform, classifier } => {
                classifier.forward(graph, &graph.dropout(&transformed(transform), dropout.token_classifier))
            }
            Self::Language(_) | Self::NextToken(_) => self.next_tokens(graph, stack, tokens()),
            Self::Answers { transform, projection } => {
                projection.forward(graph, &graph.dropout(&transformed(transform), dropout.answers.unwrap_or(0.0)))
            }
            Self::Embedding { pooling: head::Pooling::Cls } => read(Wanted::FirstTokens),
            Self::Embedding { pooling: head::Pooling::Max } => graph.span_max(&tokens(), &batch.spans),
            Self::Embedding { pooling: head::Pooling::Mean } => graph.span_mean(&tokens(), &batch.spans),
        }
    }
}

/// A product with the word embeddings or with a matrix of its own, over tokens that may be multiplied with a number before; and a bias, in
/// some families one that is never trained.
pub(crate) struct NextToken {
    /// None where it is the word embeddings.
    vocabulary: Option<ParameterId>,
    bias: Option<ParameterId>,
    scale: f32,
}

impl NextToken {
    fn new(
        declarations: &mut Declarations,
        architecture: &Architecture,
        vocabulary: VocabularyProjection,
        bias: VocabularyBias,
        scale: f32,
    ) -> Self {
        let mut scope = declarations.scope("language", Depth::Head);
        Self {
            vocabulary: match vocabulary {
                VocabularyProjection::Tied | VocabularyProjection::AsStored => None,
                VocabularyProjection::Own => {
                    Some(scope.weight("weight", &[architecture.vocabulary_size, architecture.hidden_size]))
                }
            },
            bias: match bias {
                VocabularyBias::Fixed => Some(scope.fixed("bias", architecture.vocabulary_size)),
                VocabularyBias::Trained => Some(scope.zeros("bias", architecture.vocabulary_size)),
                VocabularyBias::Absent => None,
            },
            scale,
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
            // BERT's, also of one that has become a decoder. Families of decoders alone offer no masked words.
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
}
