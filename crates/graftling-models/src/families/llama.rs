//! Llama (Touvron et al. 2023) and those built like it: rotary positions, heads of keys and values that several heads of queries share, norms
//! of mean squares before the parts of a layer, gated feed-forward parts. Mistral sees a window of the past; Qwen2 adds biases to
//! queries, keys and values; Qwen3 norms queries and keys. Knows no other family.
//!
//! Keys and defaults are those of transformers' `LlamaConfig`, `MistralConfig`, `Qwen2Config` and `Qwen3Config`; names are those of their
//! `...ForCausalLM` classes.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module};
use super::rotary_config;
use super::{ClassNames, Translation};
use crate::architecture::{
    Architecture, Bias, Distance, Dropout, EmbeddingNorm, EmbeddingWidth, FeedForwardKind, HeadLayout, Heads, LayerWeights,
    Layout, NormKind, NormPlacement, Sight, Sights, VocabularyProjection,
};
use crate::head::HeadKind;

const NAMES: NameTable = NameTable {
    backbone_prefix: "model.",
    backbone: &[
        module("embeddings.word", "model.embed_tokens"),
        module("decoder.layers.{}.attention.norm", "model.layers.{}.input_layernorm"),
        module("decoder.layers.{}.attention.query", "model.layers.{}.self_attn.q_proj"),
        module("decoder.layers.{}.attention.key", "model.layers.{}.self_attn.k_proj"),
        module("decoder.layers.{}.attention.value", "model.layers.{}.self_attn.v_proj"),
        module("decoder.layers.{}.attention.output", "model.layers.{}.self_attn.o_proj"),
        module("decoder.layers.{}.attention.query_norm", "model.layers.{}.self_attn.q_norm"),
        module("decoder.layers.{}.attention.key_norm", "model.layers.{}.self_attn.k_norm"),
        module("decoder.layers.{}.feed_forward.norm", "model.layers.{}.post_attention_layernorm"),
        module("decoder.layers.{}.feed_forward.gate", "model.layers.{}.mlp.gate_proj"),
        module("decoder.layers.{}.feed_forward.up", "model.layers.{}.mlp.up_proj"),
        module("decoder.layers.{}.feed_forward.down", "model.layers.{}.mlp.down_proj"),
        module("decoder.norm", "model.norm"),
    ],
    heads: &[
        (HeadKind::SequenceClassification, &[module("classifier", "score")]),
        (HeadKind::TokenClassification, &[module("classifier", "score")]),
        (HeadKind::CausalLanguageModelling, &[module("language", "lm_head")]),
    ],
    ignored: &[Ignored {
        pattern: Pattern::EndsWith(".rotary_emb.inv_freq"),
        reason: "the angles of positions, which are computed",
    }],
};

/// What the families differ in.
struct Variant {
    classes: ClassNames,
    vocabulary_size: usize,
    longest: usize,
    /// How many heads keys and values have where the config does not say; as many as queries where this does not either.
    key_value_heads: Option<usize>,
    /// How wide a head is where the config does not say; the hidden size over the heads where this does not either.
    head_size: Option<usize>,
    intermediate_size: usize,
    normed_heads: bool,
    attention_bias: Bias,
    attention_output_bias: Bias,
    feed_forward_bias: Bias,
}

pub(super) fn llama(config: &mut ConfigReader<'_>) -> Translation {
    config.only("pretraining_tp", 1);
    let attention_bias = config.bias("attention_bias", Bias::Absent);
    let variant = Variant {
        classes: ClassNames::of("Llama"),
        vocabulary_size: 32_000,
        longest: 2048,
        key_value_heads: None,
        head_size: None,
        intermediate_size: 11_008,
        normed_heads: false,
        attention_bias,
        attention_output_bias: attention_bias,
        feed_forward_bias: config.bias("mlp_bias", Bias::Absent),
    };
    translate(config, variant, |_, _| Sights::Alike(Sight::PAST))
}

pub(super) fn mistral(config: &mut ConfigReader<'_>) -> Translation {
    let variant = Variant {
        classes: ClassNames::of("Mistral"),
        vocabulary_size: 32_000,
        longest: 4096 * 32,
        key_value_heads: Some(8),
        head_size: None,
        intermediate_size: 14_336,
        normed_heads: false,
        attention_bias: Bias::Absent,
        attention_output_bias: Bias::Absent,
        feed_forward_bias: Bias::Absent,
    };
    // Other classes of transformers have layers of several kinds.
    config.only("layer_types", serde_json::Value::Null);
    translate(config, variant, |config, _| {
        let full = config.is_null("sliding_window");
        Sights::Alike(if full { Sight::PAST } else { window(config) })
    })
}

pub(super) fn qwen2(config: &mut ConfigReader<'_>) -> Translation {
    let variant =
        Variant { classes: ClassNames::of("Qwen2"), head_size: None, normed_heads: false, attention_bias: Bias::Added, ..QWEN };
    translate(config, variant, qwen_sights)
}

pub(super) fn qwen3(config: &mut ConfigReader<'_>) -> Translation {
    let attention_bias = config.bias("attention_bias", Bias::Absent);
    translate(config, Variant { attention_bias, attention_output_bias: attention_bias, ..QWEN }, qwen_sights)
}

/// Qwen3 without its biases.
const QWEN: Variant = Variant {
    classes: ClassNames::of("Qwen3"),
    vocabulary_size: 151_936,
    longest: 32_768,
    key_value_heads: Some(32),
    head_size: Some(128),
    intermediate_size: 22_016,
    normed_heads: true,
    attention_bias: Bias::Absent,
    attention_output_bias: Bias::Absent,
    feed_forward_bias: Bias::Absent,
};

/// The tokens of a window are so many and the last of them looks at the others.
fn window(config: &mut ConfigReader<'_>) -> Sight {
    Sight::Past { reach: config.size("sliding_window", 4096, LARGEST_TABLE) - 1 }
}

/// Layers from a certain one on see a window, if any do.
fn qwen_sights(config: &mut ConfigReader<'_>, layers: usize) -> Sights {
    let window = if config.switch("use_sliding_window", false) && !config.is_null("sliding_window") {
        window(config)
    } else {
        Sight::PAST
    };
    // Unlike other sizes it may be 0: every layer sees a window then.
    let first = config.count("max_window_layers", 28, MOST_LAYERS);
    let words = [("full_attention", Sight::PAST), ("sliding_attention", window)];
    let by_layer = config.word_by_layer("layer_types", layers, &words);
    Sights::ByLayer(
        by_layer.unwrap_or_else(|| (0..layers).map(|layer| if layer >= first { window } else { Sight::PAST }).collect()),
    )
}

fn translate(
    config: &mut ConfigReader<'_>,
    variant: Variant,
    sights: impl FnOnce(&mut ConfigReader<'_>, usize) -> Sights,
) -> Translation {
    config.decoder_only();
    let hidden_size = config.size("hidden_size", 4096, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 32, LARGEST_WIDTH);
    let shared = variant.key_value_heads.unwrap_or(num_attention_heads);
    let key_value_heads = if config.is_null("num_key_value_heads") {
        num_attention_heads
    } else {
        config.size("num_key_value_heads", shared, LARGEST_WIDTH)
    };
    config.multiple(("num_attention_heads", num_attention_heads), ("num_key_value_heads", key_value_heads));
    let even = (hidden_size / num_attention_heads).max(1);
    let head_size = config.size_unless_null("head_dim", variant.head_size.unwrap_or(even), LARGEST_WIDTH);
    if variant.head_size.is_none() && !config.says("head_dim") {
        config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    }
    // Values are turned in pairs, within each head.
    if !head_size.is_multiple_of(2) {
        config.refuse("head_dim", head_size, "even numbers");
    }
    let num_hidden_layers = config.size("num_hidden_layers", 32, MOST_LAYERS);
    let activation = config.activation("hidden_act", Activation::Silu);
    let longest = config.size("max_position_embeddings", variant.longest, LARGEST_TABLE);
    let vocabulary = match config.switch("tie_word_embeddings", false) {
        true => VocabularyProjection::Tied,
        false => VocabularyProjection::Own,
    };
    let vocabulary_size = config.size("vocab_size", variant.vocabulary_size, LARGEST_TABLE);
    let architecture = Architecture {
        vocabulary_size,
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers,
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", variant.intermediate_size, LARGEST_WIDTH),
        position: rotary_config::position(config, longest, 10_000.0),
        distance: Distance::Unknown,
        type_vocabulary_size: None,
        activation,
        layout: Layout {
            norms: NormPlacement::BeforeParts,
            norm: NormKind::RootMeanSquare,
            embedding_norm: EmbeddingNorm::Plain,
            padding: config.row_if_any("pad_token_id", vocabulary_size),
            feed_forward: FeedForwardKind::Gated,
            sight: sights(config, num_hidden_layers),
            heads: Heads::Grouped { key_value_heads, head_size, normed: variant.normed_heads },
            norm_bias: Bias::Absent,
            attention_bias: variant.attention_bias,
            attention_output_bias: variant.attention_output_bias,
            feed_forward_bias: variant.feed_forward_bias,
            head: HeadLayout::last_token(vocabulary),
            ..Layout::BERT
        },
        norm_epsilon: config.number("rms_norm_eps", 1e-6, 0.0..=1.0),
        dropout: Dropout {
            attention_weights: config.dropout("attention_dropout", 0.0),
            token_classifier: config.token_classifier_dropout(),
            ..Dropout::NONE
        },
        pooler_activation: activation,
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    Translation::alone(architecture, &NAMES, variant.classes)
}
