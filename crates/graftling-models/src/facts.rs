//! What can be said of a model in a few figures, and where in it a parameter stands. Knows no weight's value.

use crate::architecture::Architecture;
use crate::families::Conventions;
use crate::families::config_reader::LARGEST_TABLE;

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
    /// The longest sequence that the model is made for, special tokens included; none where places are computed, or distances alone are
    /// known, so that any length has them.
    pub max_positions: Option<usize>,
    /// How many kinds of token (segments) have an embedding.
    pub type_vocabulary_size: usize,
    /// How many values all parameters hold together.
    pub parameter_count: usize,
    /// Of a model that writes one text from another, what the figures above leave out of the decoder.
    pub decoder: Option<DecoderFacts>,
}

/// The figures of a decoder that looks at an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderFacts {
    /// How many layers it has.
    pub num_hidden_layers: usize,
    /// How many token ids it can write.
    pub vocabulary_size: usize,
    /// The longest text that it is made to write, the token that it starts with included; none where any length has places.
    pub max_positions: Option<usize>,
    /// The id that its texts start with where that is none of the tokens it can write; in other models their configs name a token.
    pub start: Option<u32>,
    /// What holds whether or not the config says it.
    pub conventions: Conventions,
}

impl ModelFacts {
    /// The most tokens of a sequence, to compare lengths with: the positions, or where any length has places more than any machine reads.
    pub fn longest(&self) -> usize {
        self.max_positions.unwrap_or(LARGEST_TABLE)
    }

    /// `decoder` is one that looks at the encoder, with its conventions.
    pub(crate) fn new(
        family: &'static str,
        architecture: &Architecture,
        decoder: Option<(&Architecture, Conventions)>,
        parameter_count: usize,
    ) -> Self {
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
            decoder: decoder.map(|(decoder, conventions)| DecoderFacts {
                num_hidden_layers: decoder.num_hidden_layers,
                vocabulary_size: decoder.vocabulary_size,
                max_positions: decoder.position.longest(),
                start: decoder.layout.no_word,
                conventions,
            }),
        }
    }
}

impl DecoderFacts {
    /// The most tokens of a text, as [`ModelFacts::longest`].
    pub fn longest(&self) -> usize {
        self.max_positions.unwrap_or(LARGEST_TABLE)
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
