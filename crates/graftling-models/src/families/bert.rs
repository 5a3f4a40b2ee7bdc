//! BERT: Devlin et al. 2018, and everything that is saved as one (MiniLM, E5, Chinese BERT-wwm). Knows no other family.
//!
//! Keys and defaults are those of transformers' `BertConfig`; names are those of its `BertFor...` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{BERT_IGNORED, NameTable, bert_backbone, bert_heads, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

const NAMES: NameTable =
    NameTable { backbone_prefix: "bert.", backbone: bert_backbone!("bert."), heads: bert_heads!("bert."), ignored: BERT_IGNORED };

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_only();
    Translation::alone(architecture(config), &NAMES, ClassNames::of("Bert"))
}

/// The sizes and choices of a BERT, whatever stands above it.
pub(super) fn architecture(config: &mut ConfigReader<'_>) -> Architecture {
    config.only("position_embedding_type", "absolute");
    let hidden_size = config.size("hidden_size", 768, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 12, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let activation = config.activation("hidden_act", Activation::Gelu);
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.1);
    let classifier_dropout = config.dropout_or("classifier_dropout", hidden_dropout);
    Architecture {
        vocabulary_size: config.size("vocab_size", 30_522, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        layer_weights: LayerWeights::Own,
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 3072, LARGEST_WIDTH),
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
            attention_weights: config.dropout("attention_probs_dropout_prob", 0.1),
            attention: Some(hidden_dropout),
            feed_forward_inner: None,
            feed_forward: Some(hidden_dropout),
            pooler: None,
            classifier: Some(classifier_dropout),
            token_classifier: classifier_dropout,
            answers: None,
            output: None,
        },
        pooler_activation: Activation::Tanh,
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    }
}
