//! BERT: Devlin et al. 2018, and everything that is saved as one (MiniLM, E5, Chinese BERT-wwm). Knows no other family.
//!
//! Keys and defaults are those of transformers' `BertConfig`; names are those of its `BertForSequenceClassification`.

use graftling_tensor::Activation;
use serde_json::Value;

use super::Translation;
use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, Module, NameTable, Pattern};
use crate::architecture::{Architecture, Dropout, Position};

const NAMES: NameTable = NameTable {
    backbone_prefix: "bert.",
    modules: &[
        Module { canonical: "embeddings.word", stored: "bert.embeddings.word_embeddings" },
        Module { canonical: "embeddings.position", stored: "bert.embeddings.position_embeddings" },
        Module { canonical: "embeddings.token_type", stored: "bert.embeddings.token_type_embeddings" },
        Module { canonical: "embeddings.norm", stored: "bert.embeddings.LayerNorm" },
        Module { canonical: "encoder.layers.{}.attention.query", stored: "bert.encoder.layer.{}.attention.self.query" },
        Module { canonical: "encoder.layers.{}.attention.key", stored: "bert.encoder.layer.{}.attention.self.key" },
        Module { canonical: "encoder.layers.{}.attention.value", stored: "bert.encoder.layer.{}.attention.self.value" },
        Module { canonical: "encoder.layers.{}.attention.output", stored: "bert.encoder.layer.{}.attention.output.dense" },
        Module { canonical: "encoder.layers.{}.attention.norm", stored: "bert.encoder.layer.{}.attention.output.LayerNorm" },
        Module { canonical: "encoder.layers.{}.feed_forward.up", stored: "bert.encoder.layer.{}.intermediate.dense" },
        Module { canonical: "encoder.layers.{}.feed_forward.down", stored: "bert.encoder.layer.{}.output.dense" },
        Module { canonical: "encoder.layers.{}.feed_forward.norm", stored: "bert.encoder.layer.{}.output.LayerNorm" },
        Module { canonical: "pooler.dense", stored: "bert.pooler.dense" },
        Module { canonical: "classifier", stored: "classifier" },
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::StartsWith("cls.predictions."), reason: "the head of masked language modelling" },
        Ignored { pattern: Pattern::StartsWith("cls.seq_relationship."), reason: "the head of next sentence prediction" },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.only("position_embedding_type", "absolute");
    config.only("is_decoder", false);
    config.only("add_cross_attention", false);
    config.only("is_encoder_decoder", false);
    config.only("pruned_heads", Value::Null);
    // Its weights are stored in fewer bits, under further names.
    config.only("quantization_config", Value::Null);
    // Code of the checkpoint's own may be any model; it is never run.
    config.only("auto_map", Value::Null);

    let hidden_size = config.size("hidden_size", 768, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 12, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.1);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 30_522, LARGEST_TABLE),
        hidden_size,
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 3072, LARGEST_WIDTH),
        position: Position::Learned { entries: config.size("max_position_embeddings", 512, LARGEST_TABLE), offset: 0 },
        type_vocabulary_size: Some(config.size("type_vocab_size", 2, LARGEST_TABLE)),
        activation: config.activation("hidden_act", Activation::Gelu),
        norm_epsilon: config.number("layer_norm_eps", 1e-12, 0.0..=1.0),
        dropout: Dropout {
            hidden: hidden_dropout,
            attention: config.dropout("attention_probs_dropout_prob", 0.1),
            classifier: config.dropout_or("classifier_dropout", hidden_dropout),
        },
        pooler_activation: Activation::Tanh,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation { architecture, names: NAMES, sequence_classifier: "BertForSequenceClassification" }
}
