//! GPT-2 (Radford et al. 2019): a decoder with learned positions, norms before the parts of a layer, and matrices that have a row for each
//! input on disk. Knows no other family.
//!
//! Keys and defaults are those of transformers' `GPT2Config`; names are those of its `GPT2LMHeadModel` and `GPT2For...` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module, turned};
use super::{ClassNames, Translation};
use crate::architecture::{
    Architecture, AttentionScale, Distance, Dropout, EmbeddingNorm, EmbeddingWidth, HeadLayout, LayerWeights, Layout,
    NormPlacement, Position, Sight, Sights, VocabularyProjection,
};
use crate::head::HeadKind;

/// Where the merged projections of a layer's attention stand.
const QKV: &str = "transformer.h.{}.attn.c_attn";

const NAMES: NameTable = NameTable {
    backbone_prefix: "transformer.",
    backbone: &[
        module("embeddings.word", "transformer.wte"),
        module("embeddings.position", "transformer.wpe"),
        module("decoder.layers.{}.attention.norm", "transformer.h.{}.ln_1"),
        turned("decoder.layers.{}.attention.query", QKV, 0, 3),
        turned("decoder.layers.{}.attention.key", QKV, 1, 3),
        turned("decoder.layers.{}.attention.value", QKV, 2, 3),
        turned("decoder.layers.{}.attention.output", "transformer.h.{}.attn.c_proj", 0, 1),
        module("decoder.layers.{}.feed_forward.norm", "transformer.h.{}.ln_2"),
        turned("decoder.layers.{}.feed_forward.up", "transformer.h.{}.mlp.c_fc", 0, 1),
        turned("decoder.layers.{}.feed_forward.down", "transformer.h.{}.mlp.c_proj", 0, 1),
        module("decoder.norm", "transformer.ln_f"),
    ],
    heads: &[
        (HeadKind::SequenceClassification, &[module("classifier", "score")]),
        (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
        (HeadKind::CausalLanguageModelling, &[]),
        (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
    ],
    ignored: &[
        Ignored { pattern: Pattern::Exactly("lm_head.weight"), reason: "another name of weights that are read" },
        Ignored { pattern: Pattern::EndsWith(".attn.bias"), reason: "a list of what tokens see, which is known" },
        Ignored {
            pattern: Pattern::EndsWith(".attn.masked_bias"),
            reason: "a number for what tokens do not see, which is known",
        },
    ],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.decoder_only();
    config.only("tie_word_embeddings", true);
    let attention_scale = AttentionScale {
        head_size: config.switch("scale_attn_weights", true),
        layer: config.switch("scale_attn_by_inverse_layer_idx", false),
    };
    let (width_key, heads_key) = (config.key_of("n_embd", "hidden_size"), config.key_of("n_head", "num_attention_heads"));
    let hidden_size = config.size(width_key, 768, LARGEST_WIDTH);
    let num_attention_heads = config.size(heads_key, 12, LARGEST_WIDTH);
    config.multiple((width_key, hidden_size), (heads_key, num_attention_heads));
    let (layers_key, places_key) =
        (config.key_of("n_layer", "num_hidden_layers"), config.key_of("n_positions", "max_position_embeddings"));
    let residual_dropout = config.dropout("resid_pdrop", 0.1);
    let activation = config.activation("activation_function", Activation::GeluTanh);
    let inner = hidden_size.saturating_mul(4).min(LARGEST_WIDTH);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 50_257, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers: config.size(layers_key, 12, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size_unless_null("n_inner", inner, LARGEST_WIDTH),
        position: Position::Learned { entries: config.size(places_key, 1024, LARGEST_TABLE), offset: 0, padding: None },
        distance: Distance::Unknown,
        type_vocabulary_size: None,
        activation,
        layout: Layout {
            norms: NormPlacement::BeforeParts,
            embedding_norm: EmbeddingNorm::Plain,
            attention_scale,
            sight: Sights::Alike(Sight::PAST),
            head: HeadLayout::last_token(VocabularyProjection::Tied),
            ..Layout::BERT
        },
        norm_epsilon: config.number("layer_norm_epsilon", 1e-5, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(config.dropout("embd_pdrop", 0.1)),
            attention_weights: config.dropout("attn_pdrop", 0.1),
            attention: Some(residual_dropout),
            feed_forward: Some(residual_dropout),
            token_classifier: config.token_classifier_dropout(),
            ..Dropout::NONE
        },
        pooler_activation: activation,
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("GPT2").but(HeadKind::CausalLanguageModelling, "LMHeadModel"))
}
