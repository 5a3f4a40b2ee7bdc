//! BART (Lewis et al. 2019) and those built like it: an encoder and a decoder that looks at it. mBART has norms before the parts of a
//! layer; Marian (OPUS-MT) computes positions. Knows no other family.
//!
//! Keys and defaults are those of transformers' `BartConfig`, `MBartConfig` and `MarianConfig`; names are those of its
//! `BartForConditionalGeneration` and so on.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Ignored, NameTable, Pattern, module, one_row, parameter};
use super::{ClassNames, Conventions, Translation};
use crate::architecture::{
    Architecture, CrossAttention, Distance, Dropout, EmbeddingNorm, EmbeddingWidth, HeadLayout, LayerWeights, Layout,
    NormPlacement, Position, Sight, Sights, SineSpacing, VocabularyBias, VocabularyProjection, Words,
};
use crate::head::HeadKind;

/// The first token takes this row of the table of positions, for reasons that were once those of padding.
const OFFSET: usize = 2;

/// The names of all, of whatever tables of words there are.
macro_rules! names {
    ($($table:expr),+) => {
        NameTable {
            backbone_prefix: "model.",
            backbone: &[
                $($table,)+
                module("embeddings.position", "model.encoder.embed_positions"),
                module("embeddings.norm", "model.encoder.layernorm_embedding"),
                module("encoder.layers.{}.attention.query", "model.encoder.layers.{}.self_attn.q_proj"),
                module("encoder.layers.{}.attention.key", "model.encoder.layers.{}.self_attn.k_proj"),
                module("encoder.layers.{}.attention.value", "model.encoder.layers.{}.self_attn.v_proj"),
                module("encoder.layers.{}.attention.output", "model.encoder.layers.{}.self_attn.out_proj"),
                module("encoder.layers.{}.attention.norm", "model.encoder.layers.{}.self_attn_layer_norm"),
                module("encoder.layers.{}.feed_forward.up", "model.encoder.layers.{}.fc1"),
                module("encoder.layers.{}.feed_forward.down", "model.encoder.layers.{}.fc2"),
                module("encoder.layers.{}.feed_forward.norm", "model.encoder.layers.{}.final_layer_norm"),
                module("encoder.norm", "model.encoder.layer_norm"),
                module("decoder.embeddings.position", "model.decoder.embed_positions"),
                module("decoder.embeddings.norm", "model.decoder.layernorm_embedding"),
                module("decoder.layers.{}.attention.query", "model.decoder.layers.{}.self_attn.q_proj"),
                module("decoder.layers.{}.attention.key", "model.decoder.layers.{}.self_attn.k_proj"),
                module("decoder.layers.{}.attention.value", "model.decoder.layers.{}.self_attn.v_proj"),
                module("decoder.layers.{}.attention.output", "model.decoder.layers.{}.self_attn.out_proj"),
                module("decoder.layers.{}.attention.norm", "model.decoder.layers.{}.self_attn_layer_norm"),
                module("decoder.layers.{}.cross_attention.query", "model.decoder.layers.{}.encoder_attn.q_proj"),
                module("decoder.layers.{}.cross_attention.key", "model.decoder.layers.{}.encoder_attn.k_proj"),
                module("decoder.layers.{}.cross_attention.value", "model.decoder.layers.{}.encoder_attn.v_proj"),
                module("decoder.layers.{}.cross_attention.output", "model.decoder.layers.{}.encoder_attn.out_proj"),
                module("decoder.layers.{}.cross_attention.norm", "model.decoder.layers.{}.encoder_attn_layer_norm"),
                module("decoder.layers.{}.feed_forward.up", "model.decoder.layers.{}.fc1"),
                module("decoder.layers.{}.feed_forward.down", "model.decoder.layers.{}.fc2"),
                module("decoder.layers.{}.feed_forward.norm", "model.decoder.layers.{}.final_layer_norm"),
                module("decoder.norm", "model.decoder.layer_norm"),
            ],
            heads: &[(
                HeadKind::SequenceToSequence,
                &[one_row("language.bias", "final_logits_bias"), parameter("language.weight", "lm_head.weight")],
            )],
            ignored: &[
                Ignored { pattern: Pattern::EndsWith("embed_tokens.weight"), reason: "another name of weights that are read" },
                Ignored { pattern: Pattern::Exactly("lm_head.weight"), reason: "another name of weights that are read" },
                Ignored { pattern: Pattern::EndsWith("embed_positions.weight"), reason: "sines and cosines, which are computed" },
            ],
        }
    };
}

const ONE_TABLE: NameTable = names!(module("embeddings.word", "model.shared"));
const TWO_TABLES: NameTable = names!(
    module("embeddings.word", "model.encoder.embed_tokens"),
    module("decoder.embeddings.word", "model.decoder.embed_tokens")
);

/// What the families differ in.
struct Variant {
    classes: ClassNames,
    conventions: Conventions,
    vocabulary_size: usize,
    norms: NormPlacement,
    embedding_norm: EmbeddingNorm,
    padding: u32,
    /// From the number of places.
    position: fn(usize) -> Position,
    tables: Tables,
}

/// Which tables of words there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// One for the texts that are read, those that are written, and the logits.
    One,
    /// One for the texts that are read, and one for those that are written; the logits have the latter, or a matrix of their own.
    Two,
}

fn learned(places: usize) -> Position {
    Position::Learned { entries: places + OFFSET, offset: OFFSET, padding: None }
}

pub(super) fn bart(config: &mut ConfigReader<'_>) -> Translation {
    let (norms, embedding_norm) = (NormPlacement::AfterSums, EmbeddingNorm::Normed);
    translate(
        config,
        &Variant {
            classes: ClassNames::of("Bart"),
            conventions: Conventions {
                ids: &[("bos_token_id", 0), ("eos_token_id", 2), ("decoder_start_token_id", 2), ("forced_eos_token_id", 2)],
                ..Conventions::NONE
            },
            vocabulary_size: 50_265,
            norms,
            embedding_norm,
            padding: 1,
            position: learned,
            tables: Tables::One,
        },
    )
}

pub(super) fn mbart(config: &mut ConfigReader<'_>) -> Translation {
    let (norms, embedding_norm) = (NormPlacement::BeforeParts, EmbeddingNorm::Normed);
    translate(
        config,
        &Variant {
            classes: ClassNames::of("MBart"),
            conventions: Conventions {
                ids: &[("bos_token_id", 0), ("eos_token_id", 2), ("forced_eos_token_id", 2)],
                starts_with_last: true,
                translates: true,
            },
            vocabulary_size: 50_265,
            norms,
            embedding_norm,
            padding: 1,
            position: learned,
            tables: Tables::One,
        },
    )
}

pub(super) fn marian(config: &mut ConfigReader<'_>) -> Translation {
    let tables = match config.switch("share_encoder_decoder_embeddings", true) {
        true => Tables::One,
        false => Tables::Two,
    };
    let (norms, embedding_norm) = (NormPlacement::AfterSums, EmbeddingNorm::Plain);
    let position = |longest| Position::Sinusoidal { longest: Some(longest), spacing: SineSpacing::PastLast };
    translate(
        config,
        &Variant {
            classes: ClassNames::of("Marian").but(HeadKind::SequenceToSequence, "MTModel"),
            conventions: Conventions {
                ids: &[("eos_token_id", 0), ("decoder_start_token_id", 58_100), ("forced_eos_token_id", 0)],
                translates: true,
                ..Conventions::NONE
            },
            vocabulary_size: 58_101,
            norms,
            embedding_norm,
            padding: 58_100,
            position,
            tables,
        },
    )
}

fn translate(config: &mut ConfigReader<'_>, variant: &Variant) -> Translation {
    config.encoder_and_decoder();
    let vocabulary = match variant.tables {
        Tables::Two if !config.switch("tie_word_embeddings", true) => VocabularyProjection::Own,
        Tables::Two => VocabularyProjection::Tied,
        Tables::One => {
            config.only("tie_word_embeddings", true);
            VocabularyProjection::Tied
        }
    };
    let hidden_size = config.size("d_model", 1024, LARGEST_WIDTH);
    let dropout = Some(config.dropout("dropout", 0.1));
    let attention_weights = config.dropout("attention_dropout", 0.0);
    let feed_forward_inner = Some(config.dropout("activation_dropout", 0.0));
    let places = config.size("max_position_embeddings", 1024, LARGEST_TABLE);
    let activation = config.activation("activation_function", Activation::Gelu);
    let scale = if config.switch("scale_embedding", false) { (hidden_size as f32).sqrt() } else { 1.0 };
    let vocabulary_size = config.size("vocab_size", variant.vocabulary_size, LARGEST_TABLE);
    let written_vocabulary = match variant.tables {
        Tables::One => vocabulary_size,
        Tables::Two => config.size_unless_null("decoder_vocab_size", vocabulary_size, LARGEST_TABLE),
    };
    let initializer_range = config.number("init_std", 0.02, 0.0..=1.0);
    let padding = config.token_if_any("pad_token_id", variant.padding);
    let mut stack = |side: [&'static str; 4], layout: Layout| {
        let [layers, heads, inner, drop] = side;
        // Whole layers that are dropped in training.
        config.number(drop, 0.0, 0.0..=0.0);
        let num_attention_heads = config.size(heads, 16, LARGEST_WIDTH);
        config.multiple(("d_model", hidden_size), (heads, num_attention_heads));
        Architecture {
            vocabulary_size,
            hidden_size,
            embedding: EmbeddingWidth::Hidden,
            num_hidden_layers: config.size(layers, 12, MOST_LAYERS),
            layer_weights: LayerWeights::Own,
            num_attention_heads,
            intermediate_size: config.size(inner, 4096, LARGEST_WIDTH),
            position: (variant.position)(places),
            distance: Distance::Unknown,
            type_vocabulary_size: None,
            activation,
            layout: Layout {
                norms: variant.norms,
                embedding_norm: variant.embedding_norm,
                embedding_scale: scale,
                padding,
                ..layout
            },
            norm_epsilon: 1e-5,
            dropout: Dropout {
                embeddings: dropout,
                attention_weights,
                attention: dropout,
                feed_forward_inner,
                feed_forward: dropout,
                ..Dropout::NONE
            },
            pooler_activation: activation,
            language_activation: activation,
            initializer_range,
        }
    };
    let architecture = stack(["encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop"], Layout::BERT);
    let (names, words) = match variant.tables {
        Tables::One => (&ONE_TABLE, Words::OfEncoder),
        Tables::Two => (&TWO_TABLES, Words::Own),
    };
    let of_decoder = stack(
        ["decoder_layers", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layerdrop"],
        Layout {
            words,
            cross_attention: CrossAttention::Present,
            sight: Sights::Alike(Sight::PAST),
            head: HeadLayout::LastToken { vocabulary, bias: VocabularyBias::Fixed, scale: 1.0 },
            ..Layout::BERT
        },
    );
    let decoder = Architecture { vocabulary_size: written_vocabulary, ..of_decoder };
    let &Variant { classes, conventions, .. } = variant;
    Translation { architecture, decoder: Some(Box::new(decoder)), conventions, names, classes }
}
