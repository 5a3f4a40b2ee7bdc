//! T5 (Raffel et al. 2020), Flan-T5 and mT5: an encoder and a decoder that looks at it, which know places by a bias of distances alone, with
//! norms of mean squares before the parts of a layer. Knows no other family.
//!
//! Keys and defaults are those of transformers' `T5Config` and `MT5Config`; names are those of its `T5ForConditionalGeneration`.

use graftling_tensor::{Activation, DistanceBuckets};

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Conventions, Translation};
use crate::architecture::{
    Architecture, AttentionScale, Bias, CrossAttention, Distance, Dropout, EmbeddingNorm, EmbeddingWidth, FeedForwardKind,
    HeadLayout, Heads, LayerWeights, Layout, NormKind, NormPlacement, Position, Sight, Sights, VocabularyBias,
    VocabularyProjection, Words,
};
use crate::head::HeadKind;

/// The names of a family whose feed-forward parts are stored under these.
macro_rules! names {
    ($($part:literal => $stored:literal),+) => {
        NameTable {
            backbone_prefix: "",
            backbone: &[
                module("embeddings.word", "shared"),
                module("encoder.distance_bias", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
                module("encoder.layers.{}.attention.query", "encoder.block.{}.layer.0.SelfAttention.q"),
                module("encoder.layers.{}.attention.key", "encoder.block.{}.layer.0.SelfAttention.k"),
                module("encoder.layers.{}.attention.value", "encoder.block.{}.layer.0.SelfAttention.v"),
                module("encoder.layers.{}.attention.output", "encoder.block.{}.layer.0.SelfAttention.o"),
                module("encoder.layers.{}.attention.norm", "encoder.block.{}.layer.0.layer_norm"),
                $(module(
                    concat!("encoder.layers.{}.feed_forward.", $part),
                    concat!("encoder.block.{}.layer.1.DenseReluDense.", $stored)
                ),)+
                module("encoder.layers.{}.feed_forward.norm", "encoder.block.{}.layer.1.layer_norm"),
                module("encoder.norm", "encoder.final_layer_norm"),
                module("decoder.distance_bias", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
                module("decoder.layers.{}.attention.query", "decoder.block.{}.layer.0.SelfAttention.q"),
                module("decoder.layers.{}.attention.key", "decoder.block.{}.layer.0.SelfAttention.k"),
                module("decoder.layers.{}.attention.value", "decoder.block.{}.layer.0.SelfAttention.v"),
                module("decoder.layers.{}.attention.output", "decoder.block.{}.layer.0.SelfAttention.o"),
                module("decoder.layers.{}.attention.norm", "decoder.block.{}.layer.0.layer_norm"),
                module("decoder.layers.{}.cross_attention.query", "decoder.block.{}.layer.1.EncDecAttention.q"),
                module("decoder.layers.{}.cross_attention.key", "decoder.block.{}.layer.1.EncDecAttention.k"),
                module("decoder.layers.{}.cross_attention.value", "decoder.block.{}.layer.1.EncDecAttention.v"),
                module("decoder.layers.{}.cross_attention.output", "decoder.block.{}.layer.1.EncDecAttention.o"),
                module("decoder.layers.{}.cross_attention.norm", "decoder.block.{}.layer.1.layer_norm"),
                $(module(
                    concat!("decoder.layers.{}.feed_forward.", $part),
                    concat!("decoder.block.{}.layer.2.DenseReluDense.", $stored)
                ),)+
                module("decoder.layers.{}.feed_forward.norm", "decoder.block.{}.layer.2.layer_norm"),
                module("decoder.norm", "decoder.final_layer_norm"),
            ],
            heads: &[(HeadKind::SequenceToSequence, &[module("language", "lm_head")])],
            ignored: &[
                Ignored { pattern: Pattern::EndsWith("embed_tokens.weight"), reason: "another name of weights that are read" },
                Ignored {
                    pattern: Pattern::StartsWith("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias."),
                    reason: "not looked at by any version of this family",
                },
            ],
        }
    };
}

const PLAIN: NameTable = names!("up" => "wi", "down" => "wo");
const GATED: NameTable = names!("gate" => "wi_0", "up" => "wi_1", "down" => "wo");

/// What the families differ in.
struct Variant {
    classes: ClassNames,
    conventions: Conventions,
    vocabulary_size: usize,
    intermediate_size: usize,
    layers: usize,
    heads: usize,
    feed_forward: (FeedForwardKind, Activation),
    /// Whether tokens are made smaller before the vocabulary.
    scales: bool,
}

pub(super) fn t5(config: &mut ConfigReader<'_>) -> Translation {
    // The first version divides tokens by the root of their width; the config of later ones says so by having a matrix of its own.
    let tied = config.switch("tie_word_embeddings", true);
    let scales = config.switch("scale_decoder_outputs", tied);
    let feed_forward = (FeedForwardKind::Plain, Activation::Relu);
    let variant = Variant {
        classes: ClassNames::of("T5"),
        conventions: Conventions { ids: &[("eos_token_id", 1)], ..Conventions::NONE },
        vocabulary_size: 32_128,
        intermediate_size: 2048,
        layers: 6,
        heads: 8,
        feed_forward,
        scales,
    };
    translate(config, &variant)
}

pub(super) fn mt5(config: &mut ConfigReader<'_>) -> Translation {
    let feed_forward = (FeedForwardKind::Gated, Activation::GeluTanh);
    let variant = Variant {
        classes: ClassNames::of("MT5"),
        conventions: Conventions { ids: &[("eos_token_id", 1), ("decoder_start_token_id", 0)], ..Conventions::NONE },
        vocabulary_size: 250_112,
        intermediate_size: 1024,
        layers: 8,
        heads: 6,
        feed_forward,
        scales: false,
    };
    translate(config, &variant)
}

fn translate(config: &mut ConfigReader<'_>, variant: &Variant) -> Translation {
    config.encoder_and_decoder();
    let hidden_size = config.size("d_model", 512, LARGEST_WIDTH);
    let head_size = config.size("d_kv", 64, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_heads", variant.heads, LARGEST_WIDTH);
    let num_hidden_layers = config.size("num_layers", variant.layers, MOST_LAYERS);
    let decoder_layers = config.size_unless_null("num_decoder_layers", num_hidden_layers, MOST_LAYERS);
    let buckets = config.size("relative_attention_num_buckets", 32, LARGEST_WIDTH);
    config.multiple(("relative_attention_num_buckets", buckets), ("4", 4));
    let farthest = config.size("relative_attention_max_distance", 128, LARGEST_TABLE);
    if farthest <= buckets / 2 {
        config.refuse("relative_attention_max_distance", farthest, format!("whole numbers above {}", buckets / 2));
    }
    // `gelu` between two projections is the one of `gelu_new` where there is a gate.
    let kinds = [
        ("relu", (FeedForwardKind::Plain, Activation::Relu)),
        ("gelu", (FeedForwardKind::Plain, Activation::Gelu)),
        ("silu", (FeedForwardKind::Plain, Activation::Silu)),
        ("gated-gelu", (FeedForwardKind::Gated, Activation::GeluTanh)),
        ("gated-gelu_new", (FeedForwardKind::Gated, Activation::GeluTanh)),
        ("gated-silu", (FeedForwardKind::Gated, Activation::Silu)),
        ("gated-relu", (FeedForwardKind::Gated, Activation::Relu)),
    ];
    let (feed_forward, activation) = config.word("feed_forward_proj", variant.feed_forward, &kinds);
    let rate = config.dropout("dropout_rate", 0.1);
    let layout = Layout {
        norms: NormPlacement::BeforeParts,
        norm: NormKind::RootMeanSquare,
        embedding_norm: EmbeddingNorm::Plain,
        attention_scale: AttentionScale::NONE,
        feed_forward,
        heads: Heads::Grouped { key_value_heads: num_attention_heads, head_size, normed: false },
        norm_bias: Bias::Absent,
        attention_bias: Bias::Absent,
        attention_output_bias: Bias::Absent,
        feed_forward_bias: Bias::Absent,
        ..Layout::BERT
    };
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", variant.vocabulary_size, LARGEST_TABLE),
        hidden_size,
        embedding: EmbeddingWidth::Hidden,
        num_hidden_layers,
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("d_ff", variant.intermediate_size, LARGEST_WIDTH),
        position: Position::Unembedded,
        distance: Distance::Biased(DistanceBuckets::BothWays { buckets, farthest }),
        type_vocabulary_size: None,
        activation,
        layout: layout.clone(),
        norm_epsilon: config.number("layer_norm_epsilon", 1e-6, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(rate),
            attention_weights: rate,
            attention: Some(rate),
            feed_forward_inner: Some(rate),
            feed_forward: Some(rate),
            output: Some(rate),
            ..Dropout::NONE
        },
        pooler_activation: activation,
        language_activation: activation,
        initializer_range: 0.02,
    };
    let decoder = Architecture {
        num_hidden_layers: decoder_layers,
        distance: Distance::Biased(DistanceBuckets::Before { buckets, farthest }),
        layout: Layout {
            words: Words::OfEncoder,
            cross_attention: CrossAttention::Present,
            sight: Sights::Alike(Sight::PAST),
            head: HeadLayout::LastToken {
                vocabulary: VocabularyProjection::AsStored,
                bias: VocabularyBias::Absent,
                scale: if variant.scales { 1.0 / (hidden_size as f32).sqrt() } else { 1.0 },
            },
            ..layout
        },
        ..architecture.clone()
    };
    let names = if feed_forward == FeedForwardKind::Gated { &GATED } else { &PLAIN };
    let &Variant { classes, conventions, .. } = variant;
    Translation { architecture, decoder: Some(Box::new(decoder)), conventions, names, classes }
}
