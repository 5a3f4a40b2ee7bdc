//! What a family's config comes down to: the data from which the bricks are built. Knows no family, no file and no weight.

use graftling_tensor::Activation;

/// The sizes and choices of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Architecture {
    pub vocabulary_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub position: Position,
    /// How many kinds of token (segments) have an embedding; `None` where the family has no such embedding.
    pub type_vocabulary_size: Option<usize>,
    pub activation: Activation,
    pub norm_epsilon: f32,
    pub dropout: Dropout,
    pub pooler_activation: Activation,
    /// The standard deviation from which new weights are drawn.
    pub initializer_range: f32,
}

/// How a token's place in its sequence reaches the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// A learned embedding a place, in a table of `entries` rows; the first token takes row `offset`.
    Learned { entries: usize, offset: usize },
}

impl Position {
    /// The longest sequence there are positions for.
    pub fn longest(self) -> usize {
        match self {
            Position::Learned { entries, offset } => entries.saturating_sub(offset),
        }
    }
}

/// The probabilities with which values are dropped in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dropout {
    /// After the embeddings and at the end of each branch of a layer.
    pub hidden: f32,
    /// Of attention weights.
    pub attention: f32,
    /// Before the classifier.
    pub classifier: f32,
}
