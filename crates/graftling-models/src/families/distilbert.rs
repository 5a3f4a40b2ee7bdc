//! DistilBERT (Sanh et al. 2019): BERT without token types, with a projection of its classifier's own. Knows no other family.
//!
//! Keys and defaults are those of transformers' `DistilBertConfig`; names are those of its `DistilBertFor...` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

/// Its norms have this constant, whatever the config says.
const NORM_EPSILON: f32 = 1e-12;

const NAMES: NameTable = NameTable {
    backbone_prefix: "distilbert.",
    backbone: &[
        module("embeddings.word", "distilbert.embeddings.word_embeddings"),
        module("embeddings.position", "distilbert.embeddings.position_embeddings"),
        module("embeddings.norm", "distilbert.embeddings.LayerNorm"),
        module("encoder.layers.{}.attention.query", "distilbert.transformer.layer.{}.attention.q_lin"),
        module("encoder.layers.{}.attention.key", "distilbert.transformer.layer.{}.attention.k_lin"),
        module("encoder.layers.{}.attention.value", "distilbert.transformer.layer.{}.attention.v_lin"),
        module("encoder.layers.{}.attention.output", "distilbert.transformer.layer.{}.attention.out_lin"),
        module("encoder.layers.{}.attention.norm", "distilbert.transformer.layer.{}.sa_layer_norm"),
        module("encoder.layers.{}.feed_forward.up", "distilbert.transformer.layer.{}.ffn.lin1"),
        module("encoder.layers.{}.feed_forward.down", "distilbert.transformer.layer.{}.ffn.lin2"),
        module("encoder.layers.{}.feed_forward.norm", "distilbert.transformer.layer.{}.output_layer_norm"),
    ],
    heads: &[
        (HeadKind::SequenceClassification, &[module("pooler.dense", "pre_classifier"), module("classifier", "classifier")]),
        (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
        (
            HeadKind::MaskedLanguageModelling,
            &[
                module("language.dense", "vocab_transform"),
                module("language.norm", "vocab_layer_norm"),
                module("language", "vocab_projector"),
            ],
        ),
        (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::Exactly("vocab_projector.weight"), reason: "another name of weights that are read" },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_only();

    let [width, heads, layers] = [("dim", "hidden_size"), ("n_heads", "num_attention_heads"), ("n_layers", "num_hidden_layers")]
        .map(|(key, alias)| config.key_of(key, alias));
    let hidden_size = config.size(width, 768, LARGEST_WIDTH);
    let num_attention_heads = config.size(heads, 12, LARGEST_WIDTH);
    config.multiple((width, hidden_size), (heads, num_attention_heads));
    let activation = config.activation("activation", Activation::Gelu);
    let dropout = config.dropout("dropout", 0.1);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 30_522, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers: config.size(layers, 6, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("hidden_dim", 3072, LARGEST_WIDTH),
        // Sinusoidal ones are stored like any others, and trained.
        position: Position::Learned {
            entries: config.size("max_position_embeddings", 512, LARGEST_TABLE),
            offset: 0,
            padding: None,
        },
        distance: Distance::Unknown,
        type_vocabulary_size: None,
        activation,
        layout: Layout { padding: config.token_if_any("pad_token_id", 0), ..Layout::BERT },
        norm_epsilon: NORM_EPSILON,
        dropout: Dropout {
            embeddings: Some(dropout),
            attention_weights: config.dropout("attention_dropout", 0.1),
            attention: None,
            feed_forward_inner: None,
            feed_forward: Some(dropout),
            pooler: None,
            classifier: Some(config.dropout("seq_classif_dropout", 0.2)),
            token_classifier: dropout,
            answers: Some(config.dropout("qa_dropout", 0.1)),
            output: None,
        },
        pooler_activation: Activation::Relu,
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("DistilBert"))
}
