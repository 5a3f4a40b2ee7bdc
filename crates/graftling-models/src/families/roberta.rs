//! RoBERTa (Liu et al. 2019) and the families that are saved as it is: XLM-R and CamemBERT. Knows no other family.
//!
//! Keys and defaults are those of transformers' `RobertaConfig`, of which the other two differ in name and in the size of the
//! vocabulary that is taken where none is named; names are those of its `RobertaFor...` classes. Against BERT: positions count from the padding's place on, and the classifier has two projections.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, bert_backbone, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

const NAMES: NameTable = NameTable {
    backbone_prefix: "roberta.",
    backbone: bert_backbone!("roberta."),
    heads: &[
        (
            HeadKind::SequenceClassification,
            &[module("pooler.dense", "classifier.dense"), module("classifier", "classifier.out_proj")],
        ),
        (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
        (
            HeadKind::MaskedLanguageModelling,
            &[
                module("language.dense", "lm_head.dense"),
                module("language.norm", "lm_head.layer_norm"),
                module("language", "lm_head"),
            ],
        ),
        (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
        (HeadKind::SentenceEmbedding, &[module("pooler.dense", "roberta.pooler.dense")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::StartsWith("pooler.dense."), reason: "not looked at by any head of this family" },
        Ignored { pattern: Pattern::StartsWith("lm_head.decoder."), reason: "another name of weights that are read" },
    ],
};

pub(super) fn roberta(config: &mut ConfigReader<'_>) -> Translation {
    translate(config, "Roberta", 50_265)
}

pub(super) fn xlm_roberta(config: &mut ConfigReader<'_>) -> Translation {
    translate(config, "XLMRoberta", 30_522)
}

pub(super) fn camembert(config: &mut ConfigReader<'_>) -> Translation {
    translate(config, "Camembert", 30_522)
}

fn translate(config: &mut ConfigReader<'_>, class_prefix: &'static str, vocabulary_size: usize) -> Translation {
    config.encoder_only();
    Translation::alone(architecture(config, vocabulary_size), &NAMES, ClassNames::of(class_prefix))
}

/// The sizes and choices of a RoBERTa, whatever stands above it; so many words where the config does not say it.
pub(super) fn architecture(config: &mut ConfigReader<'_>, vocabulary_size: usize) -> Architecture {
    config.only("position_embedding_type", "absolute");
    let hidden_size = config.size("hidden_size", 768, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 12, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.1);
    let classifier_dropout = config.dropout_or("classifier_dropout", hidden_dropout);
    let padding = config.token("pad_token_id", 1);
    let offset = padding as usize + 1;
    let entries = config.size("max_position_embeddings", 512, LARGEST_TABLE);
    config.room_for_a_token("max_position_embeddings", entries, offset);
    Architecture {
        vocabulary_size: config.size("vocab_size", vocabulary_size, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 3072, LARGEST_WIDTH),
        position: Position::Learned { entries, offset, padding: Some(padding) },
        distance: Distance::Unknown,
        type_vocabulary_size: Some(config.size("type_vocab_size", 2, LARGEST_TABLE)),
        activation: config.activation("hidden_act", Activation::Gelu),
        layout: Layout { padding: Some(padding), ..Layout::BERT },
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
        pooler_activation: Activation::Tanh,
        language_activation: Activation::Gelu,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    }
}
