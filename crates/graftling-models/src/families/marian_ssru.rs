//! Student models of Marian (Bergamot, Firefox Translations): a Transformer encoder, and a decoder whose layers have a simpler simple
//! recurrent unit in place of attention to their own tokens (Kim et al. 2019). Knows no other family.
//!
//! Weights have Marian's own names. Keys of the config are called as in transformers' `MarianConfig` where they mean the same; the others
//! name what Marian offers more of, and have one value here. Sizes that are not named are those of the smallest models of Bergamot. How many
//! heads there are no weight tells, so that it has to be named.

use graftling_tensor::Activation;

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{NameTable, parameter};
use super::{ClassNames, Conventions, Translation};
use crate::architecture::{
    Architecture, CrossAttention, Distance, Dropout, EmbeddingNorm, EmbeddingWidth, HeadLayout, LayerWeights, Layout, Mixing,
    NormPlacement, Position, Sight, Sights, SineSpacing, VocabularyBias, VocabularyProjection, Words,
};
use crate::head::HeadKind;

/// Marian's names, of whatever tables of embeddings there are.
macro_rules! names {
    ($($table:expr),+) => {
        NameTable {
            backbone_prefix: "",
            backbone: &[
                $($table,)+
                parameter("encoder.layers.{}.attention.query.weight", "encoder_l{1}_self_Wq"),
                parameter("encoder.layers.{}.attention.query.bias", "encoder_l{1}_self_bq"),
                parameter("encoder.layers.{}.attention.key.weight", "encoder_l{1}_self_Wk"),
                parameter("encoder.layers.{}.attention.key.bias", "encoder_l{1}_self_bk"),
                parameter("encoder.layers.{}.attention.value.weight", "encoder_l{1}_self_Wv"),
                parameter("encoder.layers.{}.attention.value.bias", "encoder_l{1}_self_bv"),
                parameter("encoder.layers.{}.attention.output.weight", "encoder_l{1}_self_Wo"),
                parameter("encoder.layers.{}.attention.output.bias", "encoder_l{1}_self_bo"),
                parameter("encoder.layers.{}.attention.norm.weight", "encoder_l{1}_self_Wo_ln_scale"),
                parameter("encoder.layers.{}.attention.norm.bias", "encoder_l{1}_self_Wo_ln_bias"),
                parameter("encoder.layers.{}.feed_forward.up.weight", "encoder_l{1}_ffn_W1"),
                parameter("encoder.layers.{}.feed_forward.up.bias", "encoder_l{1}_ffn_b1"),
                parameter("encoder.layers.{}.feed_forward.down.weight", "encoder_l{1}_ffn_W2"),
                parameter("encoder.layers.{}.feed_forward.down.bias", "encoder_l{1}_ffn_b2"),
                parameter("encoder.layers.{}.feed_forward.norm.weight", "encoder_l{1}_ffn_ffn_ln_scale"),
                parameter("encoder.layers.{}.feed_forward.norm.bias", "encoder_l{1}_ffn_ffn_ln_bias"),
                parameter("decoder.layers.{}.recurrence.gate.weight", "decoder_l{1}_rnn_Wf"),
                parameter("decoder.layers.{}.recurrence.gate.bias", "decoder_l{1}_rnn_bf"),
                parameter("decoder.layers.{}.recurrence.candidate.weight", "decoder_l{1}_rnn_W"),
                parameter("decoder.layers.{}.recurrence.norm.weight", "decoder_l{1}_rnn_ffn_ln_scale"),
                parameter("decoder.layers.{}.recurrence.norm.bias", "decoder_l{1}_rnn_ffn_ln_bias"),
                parameter("decoder.layers.{}.cross_attention.query.weight", "decoder_l{1}_context_Wq"),
                parameter("decoder.layers.{}.cross_attention.query.bias", "decoder_l{1}_context_bq"),
                parameter("decoder.layers.{}.cross_attention.key.weight", "decoder_l{1}_context_Wk"),
                parameter("decoder.layers.{}.cross_attention.key.bias", "decoder_l{1}_context_bk"),
                parameter("decoder.layers.{}.cross_attention.value.weight", "decoder_l{1}_context_Wv"),
                parameter("decoder.layers.{}.cross_attention.value.bias", "decoder_l{1}_context_bv"),
                parameter("decoder.layers.{}.cross_attention.output.weight", "decoder_l{1}_context_Wo"),
                parameter("decoder.layers.{}.cross_attention.output.bias", "decoder_l{1}_context_bo"),
                parameter("decoder.layers.{}.cross_attention.norm.weight", "decoder_l{1}_context_Wo_ln_scale"),
                parameter("decoder.layers.{}.cross_attention.norm.bias", "decoder_l{1}_context_Wo_ln_bias"),
                parameter("decoder.layers.{}.feed_forward.up.weight", "decoder_l{1}_ffn_W1"),
                parameter("decoder.layers.{}.feed_forward.up.bias", "decoder_l{1}_ffn_b1"),
                parameter("decoder.layers.{}.feed_forward.down.weight", "decoder_l{1}_ffn_W2"),
                parameter("decoder.layers.{}.feed_forward.down.bias", "decoder_l{1}_ffn_b2"),
                parameter("decoder.layers.{}.feed_forward.norm.weight", "decoder_l{1}_ffn_ffn_ln_scale"),
                parameter("decoder.layers.{}.feed_forward.norm.bias", "decoder_l{1}_ffn_ffn_ln_bias"),
            ],
            heads: &[(HeadKind::SequenceToSequence, &[parameter("language.bias", "decoder_ff_logit_out_b")])],
            ignored: &[],
        }
    };
}

const ONE_TABLE: NameTable = names!(parameter("embeddings.word.weight", "Wemb"));
const TWO_TABLES: NameTable =
    names!(parameter("embeddings.word.weight", "encoder_Wemb"), parameter("decoder.embeddings.word.weight", "decoder_Wemb"));

/// Which tables of embeddings there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// One for both languages and the logits.
    One,
    /// One for the texts that are read, and one for those that are written and for the logits.
    Two,
}

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_and_decoder();
    config.only("norm", "post");
    config.only("position", "sinusoidal (sin half, cos half)");
    let tables = config.word("tie_embeddings", Tables::One, &[("all", Tables::One), ("target", Tables::Two)]);
    config.only("tie_word_embeddings", true);
    config.only("share_encoder_decoder_embeddings", tables == Tables::One);
    // The tokenizer goes by this key alone.
    if tables == Tables::Two && !config.says("share_encoder_decoder_embeddings") {
        config.refuse("share_encoder_decoder_embeddings", "absent", "only false, where tie_embeddings is \"target\"");
    }
    config.only("decoder_autoreg", "ssru");
    config.only("decoder_start", "zero embedding");
    let vocabulary_size = config.size("vocab_size", 32_000, LARGEST_TABLE);
    let written_vocabulary = config.size_unless_null("decoder_vocab_size", vocabulary_size, LARGEST_TABLE);
    if tables == Tables::One && written_vocabulary != vocabulary_size && !config.refused("vocab_size") {
        config.refuse("decoder_vocab_size", written_vocabulary, "only vocab_size, where tie_embeddings is \"all\"");
    }
    let hidden_size = config.size("d_model", 256, LARGEST_WIDTH);
    // A half of each vector has sines, the other cosines.
    if !config.refused("d_model") && !hidden_size.is_multiple_of(2) {
        config.refuse("d_model", hidden_size, "even numbers");
    }
    let activation = config.activation("activation_function", Activation::Relu);
    let scale = if config.switch("scale_embedding", true) { (hidden_size as f32).sqrt() } else { 1.0 };
    let norm_epsilon = config.number("layer_norm_eps", 1e-6, 0.0..=1.0);
    let initializer_range = config.number("init_std", 0.02, 0.0..=1.0);
    // Places are computed, any number of them.
    let longest = config.size_if_there("max_position_embeddings", LARGEST_TABLE);
    // Students are trained without dropout, and so are those that say nothing of it.
    let dropout = Some(config.dropout("dropout", 0.0));
    let attention_weights = config.dropout("attention_dropout", 0.0);
    let feed_forward_inner = Some(config.dropout("activation_dropout", 0.0));
    // Marian itself hides padding and trains what its id stands for, so that most configs name none.
    let padding = config.says("pad_token_id").then(|| config.token("pad_token_id", 0));
    let mut stack = |side: [&'static str; 4], num_hidden_layers: usize, layout: Layout| {
        let [layers, heads, inner, drop] = side;
        // Whole layers that are dropped in training.
        config.number(drop, 0.0, 0.0..=0.0);
        let num_attention_heads = config.needed_size(heads, LARGEST_WIDTH);
        config.multiple(("d_model", hidden_size), (heads, num_attention_heads));
        Architecture {
            vocabulary_size,
            hidden_size,
            embedding: EmbeddingWidth::Hidden,
            num_hidden_layers: config.size(layers, num_hidden_layers, MOST_LAYERS),
            layer_weights: LayerWeights::Own,
            num_attention_heads,
            intermediate_size: config.size(inner, 1536, LARGEST_WIDTH),
            position: Position::Sinusoidal { longest, spacing: SineSpacing::ToLast },
            distance: Distance::Unknown,
            type_vocabulary_size: None,
            activation,
            layout: Layout {
                norms: NormPlacement::AfterSums,
                embedding_norm: EmbeddingNorm::Plain,
                embedding_scale: scale,
                padding,
                ..layout
            },
            norm_epsilon,
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
    let architecture =
        stack(["encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop"], 6, Layout::BERT);
    let of_decoder = stack(
        ["decoder_layers", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layerdrop"],
        2,
        Layout {
            words: match tables {
                Tables::One => Words::OfEncoder,
                Tables::Two => Words::Own,
            },
            // The first word follows none.
            no_word: Some(written_vocabulary as u32),
            cross_attention: CrossAttention::Present,
            mixing: Mixing::Recurrence,
            sight: Sights::Alike(Sight::PAST),
            head: HeadLayout::LastToken { vocabulary: VocabularyProjection::Tied, bias: VocabularyBias::Trained, scale: 1.0 },
            ..Layout::BERT
        },
    );
    let decoder = Architecture { vocabulary_size: written_vocabulary, ..of_decoder };
    Translation {
        architecture,
        decoder: Some(Box::new(decoder)),
        // What ends Marian's own texts.
        conventions: Conventions { ids: &[("eos_token_id", 0)], translates: true, ..Conventions::NONE },
        names: match tables {
            Tables::One => &ONE_TABLE,
            Tables::Two => &TWO_TABLES,
        },
        classes: ClassNames::of("MarianSSRU").but(HeadKind::SequenceToSequence, ""),
    }
}
