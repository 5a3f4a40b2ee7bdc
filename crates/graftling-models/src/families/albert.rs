//! ALBERT (Lan et al. 2019): BERT whose layers share one set of weights, with narrow embeddings. Knows no other family.
//!
//! Keys and defaults are those of transformers' `AlbertConfig`; names are those of its `AlbertFor...` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

/// Where the weights that all layers share stand.
macro_rules! shared {
    ($name:literal) => {
        concat!("albert.encoder.albert_layer_groups.{}.albert_layers.0.", $name)
    };
}

const NAMES: NameTable = NameTable {
    backbone_prefix: "albert.",
    backbone: &[
        module("embeddings.word", "albert.embeddings.word_embeddings"),
        module("embeddings.position", "albert.embeddings.position_embeddings"),
        module("embeddings.token_type", "albert.embeddings.token_type_embeddings"),
        module("embeddings.norm", "albert.embeddings.LayerNorm"),
        module("embeddings.projection", "albert.encoder.embedding_hidden_mapping_in"),
        module("encoder.layers.{}.attention.query", shared!("attention.query")),
        module("encoder.layers.{}.attention.key", shared!("attention.key")),
        module("encoder.layers.{}.attention.value", shared!("attention.value")),
        module("encoder.layers.{}.attention.output", shared!("attention.dense")),
        module("encoder.layers.{}.attention.norm", shared!("attention.LayerNorm")),
        module("encoder.layers.{}.feed_forward.up", shared!("ffn")),
        module("encoder.layers.{}.feed_forward.down", shared!("ffn_output")),
        module("encoder.layers.{}.feed_forward.norm", shared!("full_layer_layer_norm")),
    ],
    heads: &[
        (HeadKind::SequenceClassification, &[module("pooler.dense", "albert.pooler"), module("classifier", "classifier")]),
        (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
        (
            HeadKind::MaskedLanguageModelling,
            &[
                module("language.dense", "predictions.dense"),
                module("language.norm", "predictions.LayerNorm"),
                module("language", "predictions"),
            ],
        ),
        (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
        (HeadKind::SentenceEmbedding, &[module("pooler.dense", "albert.pooler")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::StartsWith("predictions.decoder."), reason: "another name of weights that are read" },
        Ignored { pattern: Pattern::StartsWith("sop_classifier."), reason: "the head that tells the order of sentences" },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.only("position_embedding_type", "absolute");
    // All layers share their weights, or groups of layers would: no published checkpoint has more than one group.
    config.only("num_hidden_groups", 1);
    config.only("inner_group_num", 1);
    config.encoder_only();

    let hidden_size = config.size("hidden_size", 4096, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 64, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let activation = config.activation("hidden_act", Activation::GeluTanh);
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.0);
    let classifier_dropout = config.dropout("classifier_dropout_prob", 0.1);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 30_000, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Projected(config.size("embedding_size", 128, LARGEST_WIDTH)),
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        layer_weights: LayerWeights::Shared,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 16_384, LARGEST_WIDTH),
        position: Position::Learned {
            entries: config.size("max_position_embeddings", 512, LARGEST_TABLE),
            offset: 0,
            padding: None,
        },
        distance: Distance::Unknown,
        type_vocabulary_size: Some(config.size("type_vocab_size", 2, LARGEST_TABLE)),
        activation,
        layout: Layout { padding: config.token_if_any("pad_token_id", 0), ..Layout::BERT },
        norm_epsilon: config.number("layer_norm_eps", 1e-12, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(hidden_dropout),
            attention_weights: config.dropout("attention_probs_dropout_prob", 0.0),
            attention: Some(hidden_dropout),
            feed_forward_inner: None,
            // The module is there in transformers and is not called.
            feed_forward: None,
            pooler: None,
            classifier: Some(classifier_dropout),
            token_classifier: classifier_dropout,
            answers: None,
            output: None,
        },
        pooler_activation: Activation::Tanh,
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("Albert"))
}
