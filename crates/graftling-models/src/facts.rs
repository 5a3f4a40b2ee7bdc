//! What can be said of a model in a few figures, and where in it a parameter stands. Knows no weight's value.

use crate::architecture::Architecture;

/// The figures that describe a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// The family's `model_type`.
    pub family: &'static str,
    /// The width of a token's vector.
    pub hidden_size: usize,
    /// How many layers the encoder has.
    pub num_hidden_layers: usize,
    /// How many heads each layer's attention has.
    pub num_attention_heads: usize,
    /// The width inside the feed forward part of a layer.
    pub intermediate_size: usize,
    /// How many token ids have an embedding.
    pub vocabulary_size: usize,
    /// The longest sequence, special tokens included.
    pub max_positions: usize,
    /// How many kinds of token (segments) have an embedding.
    pub type_vocabulary_size: usize,
    /// How many values all parameters hold together.
    pub parameter_count: usize,
}

impl ModelFacts {
    pub(crate) fn new(family: &'static str, architecture: &Architecture, parameter_count: usize) -> Self {
        Self {
            family,
            hidden_size: architecture.hidden_size,
            num_hidden_layers: architecture.num_hidden_layers,
            num_attention_heads: architecture.num_attention_heads,
            intermediate_size: architecture.intermediate_size,
            vocabulary_size: architecture.vocabulary_size,
            max_positions: architecture.position.longest(),
            type_vocabulary_size: architecture.type_vocabulary_size.unwrap_or(0),
            parameter_count,
        }
    }
}

/// Where in a model a parameter stands, counted from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// In the embeddings.
    Embeddings,
    /// In this layer of the encoder, from 0.
    Layer(usize),
    /// Above the encoder: the pooler and the classifier.
    Head,
}
