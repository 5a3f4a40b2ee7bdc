//! ModernBERT (Warner et al. 2024): rotary positions, windows in most layers, norms before the parts of a layer and gated feed-forward
//! parts. Knows no other family.
//!
//! Keys and defaults are those of transformers' `ModernBertConfig`, and the older ones that it still reads; names are those of its
//! `ModernBertFor...` classes. `sparse_prediction` changes for which tokens the reference computes logits in training, not the loss:
//! here they are always computed for those alone that are asked for.

use graftling_tensor::Activation;
use serde_json::Value;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, merged, module};
use super::{ClassNames, Translation};
use crate::architecture::{
    Architecture, Bias, Distance, Dropout, EmbeddingWidth, FeedForwardKind, HeadLayout, LayerWeights, Layout, NormPlacement,
    Pooling, Position, RotaryScaling, Sight, Sights,
};
use crate::head::HeadKind;

/// Where the merged projections of a layer stand.
const QKV: &str = "model.layers.{}.attn.Wqkv";
const GATE_AND_UP: &str = "model.layers.{}.mlp.Wi";

const NAMES: NameTable = NameTable {
    backbone_prefix: "model.",
    backbone: &[
        module("embeddings.word", "model.embeddings.tok_embeddings"),
        module("embeddings.norm", "model.embeddings.norm"),
        merged("encoder.layers.{}.attention.query", QKV, 0, 3),
        merged("encoder.layers.{}.attention.key", QKV, 1, 3),
        merged("encoder.layers.{}.attention.value", QKV, 2, 3),
        module("encoder.layers.{}.attention.output", "model.layers.{}.attn.Wo"),
        module("encoder.layers.{}.attention.norm", "model.layers.{}.attn_norm"),
        merged("encoder.layers.{}.feed_forward.gate", GATE_AND_UP, 0, 2),
        merged("encoder.layers.{}.feed_forward.up", GATE_AND_UP, 1, 2),
        module("encoder.layers.{}.feed_forward.down", "model.layers.{}.mlp.Wo"),
        module("encoder.layers.{}.feed_forward.norm", "model.layers.{}.mlp_norm"),
        module("encoder.norm", "model.final_norm"),
    ],
    heads: &[
        (
            HeadKind::SequenceClassification,
            &[module("pooler.dense", "head.dense"), module("pooler.norm", "head.norm"), module("classifier", "classifier")],
        ),
        (
            HeadKind::TokenClassification,
            &[module("transform.dense", "head.dense"), module("transform.norm", "head.norm"), module("classifier", "classifier")],
        ),
        (
            HeadKind::MaskedLanguageModelling,
            &[module("language.dense", "head.dense"), module("language.norm", "head.norm"), module("language", "decoder")],
        ),
        (
            HeadKind::QuestionAnswering,
            &[module("transform.dense", "head.dense"), module("transform.norm", "head.norm"), module("answers", "classifier")],
        ),
    ],
    ignored: &[Ignored { pattern: Pattern::Exactly("decoder.weight"), reason: "another name of weights that are read" }],
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_only();

    let hidden_size = config.size("hidden_size", 768, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 12, LARGEST_WIDTH);
    // Values are turned in pairs, within each head.
    if !config.refused("num_attention_heads") {
        config.multiple(("hidden_size", hidden_size), ("twice num_attention_heads", 2 * num_attention_heads));
    }
    config.only("head_dim", hidden_size / num_attention_heads);
    let num_hidden_layers = config.size("num_hidden_layers", 22, MOST_LAYERS);
    let [base, base_in_windows] = [
        base(config, "full_attention", "global_rope_theta", 160_000.0),
        base(config, "sliding_attention", "local_rope_theta", 10_000.0),
    ];
    // Scales the angles of both kinds of layers, in one of several ways.
    config.only("rope_scaling", Value::Null);
    let activation = config.activation("hidden_activation", Activation::Gelu);
    let head_activation = config.activation("classifier_activation", Activation::Gelu);
    let attention_dropout = config.dropout("attention_dropout", 0.0);
    let classifier_dropout = config.dropout("classifier_dropout", 0.0);
    let initializer_range = config.number("initializer_range", 0.02, 0.0..=1.0);
    let attention_bias = config.bias("attention_bias", Bias::Absent);
    let layout = Layout {
        norms: NormPlacement::BeforePartsButTheFirst,
        feed_forward: FeedForwardKind::Gated,
        sight: Sights::ByLayer(sights(config, num_hidden_layers)),
        padding: config.token_if_any("pad_token_id", 50_283),
        norm_bias: config.bias("norm_bias", Bias::Absent),
        attention_bias,
        attention_output_bias: attention_bias,
        feed_forward_bias: config.bias("mlp_bias", Bias::Absent),
        head: HeadLayout::Transform {
            pooling: config.word("classifier_pooling", Pooling::First, &[("cls", Pooling::First), ("mean", Pooling::Mean)]),
            dense: config.bias("classifier_bias", Bias::Absent),
            decoder: config.bias("decoder_bias", Bias::Added),
            // `ModernBertPreTrainedModel._init_weights`, which draws again beyond two deviations.
            deviations: [initializer_range / (2.0 * num_hidden_layers as f32).sqrt(), 1.0 / (hidden_size as f32).sqrt()],
        },
        ..Layout::BERT
    };
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 50_368, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers,
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 1152, LARGEST_WIDTH),
        position: Position::Rotary {
            longest: config.size("max_position_embeddings", 8192, LARGEST_TABLE),
            base,
            base_in_windows,
            scaling: RotaryScaling::None,
        },
        distance: Distance::Unknown,
        type_vocabulary_size: None,
        activation,
        layout,
        norm_epsilon: config.number("norm_eps", 1e-5, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(config.dropout("embedding_dropout", 0.0)),
            attention_weights: attention_dropout,
            attention: Some(attention_dropout),
            feed_forward_inner: Some(config.dropout("mlp_dropout", 0.0)),
            feed_forward: None,
            pooler: None,
            classifier: Some(classifier_dropout),
            token_classifier: classifier_dropout,
            answers: Some(classifier_dropout),
            output: None,
        },
        pooler_activation: head_activation,
        language_activation: head_activation,
        initializer_range,
    };
    Translation::alone(architecture, &NAMES, ClassNames::of("ModernBert"))
}

/// What the tokens of each layer see. `local_attention` is the width of a window, half of which lies on either side of a token.
fn sights(config: &mut ConfigReader<'_>, layers: usize) -> Vec<Sight> {
    let reach = config.size("local_attention", 128, LARGEST_TABLE) / 2;
    // Another way to give the same, which would go before it.
    config.only("sliding_window", reach);
    let window = Sight::Window { reach };
    let every = config.size("global_attn_every_n_layers", 3, LARGEST_TABLE);
    let words = [("full_attention", Sight::Everything), ("sliding_attention", window)];
    config
        .word_by_layer("layer_types", layers, &words)
        .unwrap_or_else(|| (0..layers).map(|layer| if layer % every == 0 { Sight::Everything } else { window }).collect())
}

/// The base of the angles in layers of this type: from `rope_parameters`, or else under its older key.
fn base(config: &mut ConfigReader<'_>, layer_type: &str, older: &str, default: f64) -> f32 {
    const TYPES: [&str; 2] = ["full_attention", "sliding_attention"];
    let older = config.number(older, default, 1.0..=1e12);
    let by_type = config.object("rope_parameters", &TYPES).and_then(|types| types.get(layer_type));
    let Some(given) = by_type.filter(|given| !given.is_null()) else { return older };
    let key = format!("rope_parameters.{layer_type}");
    if !given.is_object() {
        config.refuse(&key, given, "an object with rope_type, rope_theta");
    }
    let named = |name: &str| given.get(name).filter(|value| !value.is_null());
    // Other kinds scale the angles.
    if let Some(kind) = named("rope_type").or_else(|| named("type")).filter(|kind| *kind != "default") {
        config.refuse(&format!("{key}.rope_type"), kind, "only \"default\"");
    }
    let Some(theta) = given.get("rope_theta") else { return older };
    match theta.as_f64().filter(|theta| (1.0..=1e12).contains(theta)) {
        Some(theta) => theta as f32,
        None => {
            config.refuse(&format!("{key}.rope_theta"), theta, "numbers from 1 to 1000000000000");
            older
        }
    }
}
