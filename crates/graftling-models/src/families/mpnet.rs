//! MPNet (Song et al. 2020): RoBERTa's embeddings without token types, and attention biased by distance. Knows no other family.
//!
//! Keys and defaults are those of transformers' `MPNetConfig`; names are those of its `MPNetFor...` classes.

use graftling_tensor::{Activation, DistanceBuckets};

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Translation};
use crate::architecture::{Architecture, Distance, Dropout, EmbeddingWidth, LayerWeights, Layout, Position};
use crate::head::HeadKind;

/// The id of padding: transformers counts positions from it on, whatever the config says.
const PADDING: u32 = 1;
/// transformers knows these buckets alone, whatever the config says.
const BUCKETS: DistanceBuckets = DistanceBuckets::BothWays { buckets: 32, farthest: 128 };

const NAMES: NameTable = NameTable {
    backbone_prefix: "mpnet.",
    backbone: &[
        module("embeddings.word", "mpnet.embeddings.word_embeddings"),
        module("embeddings.position", "mpnet.embeddings.position_embeddings"),
        module("embeddings.norm", "mpnet.embeddings.LayerNorm"),
        module("encoder.distance_bias", "mpnet.encoder.relative_attention_bias"),
        module("encoder.layers.{}.attention.query", "mpnet.encoder.layer.{}.attention.attn.q"),
        module("encoder.layers.{}.attention.key", "mpnet.encoder.layer.{}.attention.attn.k"),
        module("encoder.layers.{}.attention.value", "mpnet.encoder.layer.{}.attention.attn.v"),
        module("encoder.layers.{}.attention.output", "mpnet.encoder.layer.{}.attention.attn.o"),
        module("encoder.layers.{}.attention.norm", "mpnet.encoder.layer.{}.attention.LayerNorm"),
        module("encoder.layers.{}.feed_forward.up", "mpnet.encoder.layer.{}.intermediate.dense"),
        module("encoder.layers.{}.feed_forward.down", "mpnet.encoder.layer.{}.output.dense"),
        module("encoder.layers.{}.feed_forward.norm", "mpnet.encoder.layer.{}.output.LayerNorm"),
    ],
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
        (HeadKind::SentenceEmbedding, &[module("pooler.dense", "mpnet.pooler.dense")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored { pattern: Pattern::StartsWith("pooler.dense."), reason: "not looked at by any head of this family" },
        Ignored { pattern: Pattern::StartsWith("lm_head.decoder."), reason: "another name of weights that are read" },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.only("relative_attention_num_buckets", BUCKETS.count());
    config.encoder_only();

    let hidden_size = config.size("hidden_size", 768, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 12, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    let dropout = config.dropout("hidden_dropout_prob", 0.1);
    let offset = PADDING as usize + 1;
    let entries = config.size("max_position_embeddings", 512, LARGEST_TABLE);
    config.room_for_a_token("max_position_embeddings", entries, offset);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 30_527, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers: config.size("num_hidden_layers", 12, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 3072, LARGEST_WIDTH),
        position: Position::Learned { entries, offset, padding: Some(PADDING) },
        distance: Distance::Biased(BUCKETS),
        type_vocabulary_size: None,
        activation: config.activation("hidden_act", Activation::Gelu),
        layout: Layout { padding: Some(PADDING), ..Layout::BERT },
        norm_epsilon: config.number("layer_norm_eps", 1e-12, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(dropout),
            attention_weights: config.dropout("attention_probs_dropout_prob", 0.1),
            attention: Some(dropout),
            feed_forward_inner: None,
            feed_forward: Some(dropout),
            pooler: Some(dropout),
            classifier: Some(dropout),
            token_classifier: dropout,
            answers: None,
            output: None,
        },
        pooler_activation: Activation::Tanh,
        language_activation: Activation::Gelu,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("MPNet"))
}
