//! ELECTRA (Clark et al. 2020): BERT with embeddings that may be narrower than its layers. Knows no other family.
//!
//! Keys and defaults are those of transformers' `ElectraConfig`; names are those of its `ElectraFor...` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, bert_backbone, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

const NAMES: NameTable = NameTable {
    backbone_prefix: "electra.",
    backbone: bert_backbone!("electra.", module("embeddings.projection", "electra.embeddings_project")),
    heads: &[
        (
            HeadKind::SequenceClassification,
            &[module("pooler.dense", "classifier.dense"), module("classifier", "classifier.out_proj")],
        ),
        (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
        (
            HeadKind::MaskedLanguageModelling,
            &[
                module("language.dense", "generator_predictions.dense"),
                module("language.norm", "generator_predictions.LayerNorm"),
                module("language", "generator_lm_head"),
            ],
        ),
        (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::StartsWith("discriminator_predictions."), reason: "the head that finds replaced tokens" },
        Ignored { pattern: Pattern::Exactly("generator_lm_head.weight"), reason: "another name of weights that are read" },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.only("position_embedding_type", "absolute");
    config.encoder_only();

    let hidden_size = config.size("hidden_size", 256, LARGEST_WIDTH);
    let embedding_size = config.size("embedding_size", 128, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 4, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.1);
    let classifier_dropout = config.dropout_or("classifier_dropout", hidden_dropout);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 30_522, LARGEST_TABLE),
        hidden_size,
        embedding: if embedding_size == hidden_size { EmbeddingWidth::Hidden } else { EmbeddingWidth::Projected(embedding_size) },
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 1024, LARGEST_WIDTH),
        position: Position::Learned {
            entries: config.size("max_position_embeddings", 512, LARGEST_TABLE),
            offset: 0,
            padding: None,
        },
        distance: Distance::Unknown,
        type_vocabulary_size: Some(config.size("type_vocab_size", 2, LARGEST_TABLE)),
        activation: config.activation("hidden_act", Activation::Gelu),
        layout: Layout { padding: config.token_if_any("pad_token_id", 0), ..Layout::BERT },
        norm_epsilon: config.number("layer_norm_eps", 1e-12, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(hidden_dropout),
            attention_weights: config.dropout("attention_probs_dropout_prob", 0.1),
            attention: Some(hidden_dropout),
            feed_forward_inner: None,
            feed_forward: Some(hidden_dropout),
            pooler: Some(classifier_dropout),
            classifier: Some(classifier_dropout),
            token_classifier: classifier_dropout,
            answers: None,
            output: None,
        },
        pooler_activation: Activation::Gelu,
        language_activation: Activation::Gelu,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("Electra"))
}
