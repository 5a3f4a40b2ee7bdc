//! DeBERTa-v2 and DeBERTa-v3 (He et al. 2021): attention that multiplies content with distances. Knows no other family.
//!
//! Keys and defaults are those of transformers' `DebertaV2Config`; names are those of its `DebertaV2For...` classes.

use graftling_tensor::{Activation, DistanceBuckets};

use super::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};
use super::names::{Entry, Ignored, NameTable, Pattern, module};
use super::{ClassNames, Translation};
use crate::architecture::{
    Architecture, Convolution, Disentangled, Distance, DistanceNorm, DistanceProjections, Dropout, EmbeddingWidth, LayerWeights,
    Layout, Position,
};
use crate::head::HeadKind;

const BACKBONE: &[Entry] = &[
    module("embeddings.word", "deberta.embeddings.word_embeddings"),
    module("embeddings.position", "deberta.embeddings.position_embeddings"),
    module("embeddings.token_type", "deberta.embeddings.token_type_embeddings"),
    module("embeddings.projection", "deberta.embeddings.embed_proj"),
    module("embeddings.norm", "deberta.embeddings.LayerNorm"),
    module("encoder.distance_vectors", "deberta.encoder.rel_embeddings"),
    module("encoder.distance_vectors.norm", "deberta.encoder.LayerNorm"),
    module("encoder.convolution", "deberta.encoder.conv.conv"),
    module("encoder.convolution.norm", "deberta.encoder.conv.LayerNorm"),
    module("encoder.layers.{}.attention.query", "deberta.encoder.layer.{}.attention.self.query_proj"),
    module("encoder.layers.{}.attention.key", "deberta.encoder.layer.{}.attention.self.key_proj"),
    module("encoder.layers.{}.attention.value", "deberta.encoder.layer.{}.attention.self.value_proj"),
    module("encoder.layers.{}.attention.position_key", "deberta.encoder.layer.{}.attention.self.pos_key_proj"),
    module("encoder.layers.{}.attention.position_query", "deberta.encoder.layer.{}.attention.self.pos_query_proj"),
    module("encoder.layers.{}.attention.output", "deberta.encoder.layer.{}.attention.output.dense"),
    module("encoder.layers.{}.attention.norm", "deberta.encoder.layer.{}.attention.output.LayerNorm"),
    module("encoder.layers.{}.feed_forward.up", "deberta.encoder.layer.{}.intermediate.dense"),
    module("encoder.layers.{}.feed_forward.down", "deberta.encoder.layer.{}.output.dense"),
    module("encoder.layers.{}.feed_forward.norm", "deberta.encoder.layer.{}.output.LayerNorm"),
];

const SEQUENCES: (HeadKind, &[Entry]) =
    (HeadKind::SequenceClassification, &[module("pooler.dense", "pooler.dense"), module("classifier", "classifier")]);
const TOKENS: (HeadKind, &[Entry]) = (HeadKind::TokenClassification, &[module("classifier", "classifier")]);
const ANSWERS: (HeadKind, &[Entry]) = (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]);
const REPLACED: Ignored =
    Ignored { pattern: Pattern::StartsWith("mask_predictions."), reason: "the head that finds replaced tokens" };
const PLACES: Ignored = Ignored {
    pattern: Pattern::StartsWith("embeddings.position_embeddings."),
    reason: "the config says that places are not embedded (position_biased_input)",
};
const COUNTED: Ignored =
    Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" };

const fn names(heads: &'static [(HeadKind, &'static [Entry])], ignored: &'static [Ignored]) -> NameTable {
    NameTable { backbone_prefix: "deberta.", backbone: BACKBONE, heads, ignored }
}

/// `legacy: true`, which is what a config without the key means: a head of masked words in the form of BERT's.
const LEGACY: NameTable = names(
    &[SEQUENCES, TOKENS, (HeadKind::MaskedLanguageModelling, LEGACY_LANGUAGE), ANSWERS],
    &[COUNTED, PLACES, REPLACED, DECODER, ORIGINAL_LEFT_OUT],
);

/// `legacy: false`: the head of masked words of the program that the checkpoints were trained with.
const ORIGINAL: NameTable = names(
    &[SEQUENCES, TOKENS, (HeadKind::MaskedLanguageModelling, ORIGINAL_LANGUAGE), ANSWERS],
    &[COUNTED, PLACES, REPLACED, LEGACY_LEFT_OUT],
);

const LEGACY_LANGUAGE: &[Entry] = &[
    module("language.dense", "cls.predictions.transform.dense"),
    module("language.norm", "cls.predictions.transform.LayerNorm"),
    module("language", "cls.predictions"),
];
const ORIGINAL_LANGUAGE: &[Entry] = &[
    module("language.dense", "lm_predictions.lm_head.dense"),
    module("language.norm", "lm_predictions.lm_head.LayerNorm"),
    module("language", "lm_predictions.lm_head"),
];
const DECODER: Ignored =
    Ignored { pattern: Pattern::StartsWith("cls.predictions.decoder."), reason: "another name of weights that are read" };
const LEGACY_LEFT_OUT: Ignored = Ignored {
    pattern: Pattern::StartsWith("cls.predictions."),
    reason: "the head of masked language modelling where the config says \"legacy\": true",
};
const ORIGINAL_LEFT_OUT: Ignored = Ignored {
    pattern: Pattern::StartsWith("lm_predictions."),
    reason: "the head of masked language modelling where the config says \"legacy\": false",
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_only();
    // transformers never takes further steps of the last layer, whatever the config says.
    config.only("z_steps", 0);

    let hidden_size = config.size("hidden_size", 1536, LARGEST_WIDTH);
    let num_attention_heads = config.size("num_attention_heads", 24, LARGEST_WIDTH);
    config.multiple(("hidden_size", hidden_size), ("num_attention_heads", num_attention_heads));
    config.only("attention_head_size", hidden_size / num_attention_heads);
    config.only("pooler_hidden_size", hidden_size);
    let embedding_size = config.size("embedding_size", hidden_size, LARGEST_WIDTH);
    let legacy = config.switch("legacy", true);
    if !legacy && embedding_size != hidden_size {
        config.refuse("embedding_size", embedding_size, format!("only hidden_size, {hidden_size}, where \"legacy\" is false"));
    }
    let longest = config.size("max_position_embeddings", 512, LARGEST_TABLE);
    let hidden_dropout = config.dropout("hidden_dropout_prob", 0.1);
    let activation = config.activation("hidden_act", Activation::Gelu);
    let architecture = Architecture {
        vocabulary_size: config.size("vocab_size", 128_100, LARGEST_TABLE),
        hidden_size,
        embedding: match embedding_size == hidden_size {
            true => EmbeddingWidth::Hidden,
            false => EmbeddingWidth::ProjectedFirst(embedding_size),
        },
        num_hidden_layers: config.size("num_hidden_layers", 24, MOST_LAYERS),
        layer_weights: LayerWeights::Own,
        num_attention_heads,
        intermediate_size: config.size("intermediate_size", 6144, LARGEST_WIDTH),
        position: match config.switch("position_biased_input", true) {
            true => Position::Learned { entries: longest, offset: 0, padding: None },
            false => Position::Unembedded,
        },
        distance: distance(config, longest),
        layout: Layout { convolution: convolution(config), padding: config.token_if_any("pad_token_id", 0), ..Layout::BERT },
        type_vocabulary_size: config.size_or_none("type_vocab_size", 1, LARGEST_TABLE),
        activation,
        norm_epsilon: config.number("layer_norm_eps", 1e-7, 0.0..=1.0),
        dropout: Dropout {
            embeddings: Some(hidden_dropout),
            attention_weights: config.dropout("attention_probs_dropout_prob", 0.1),
            attention: Some(hidden_dropout),
            feed_forward_inner: None,
            feed_forward: Some(hidden_dropout),
            pooler: Some(config.dropout("pooler_dropout", 0.0)),
            classifier: Some(config.dropout_or("cls_dropout", hidden_dropout)),
            token_classifier: hidden_dropout,
            answers: None,
            output: None,
        },
        pooler_activation: config.activation("pooler_hidden_act", Activation::Gelu),
        language_activation: activation,
        initializer_range: config.number("initializer_range", 0.02, 0.0..=1.0),
    };
    let names = if legacy { &LEGACY } else { &ORIGINAL };
    Translation::alone(architecture, names, ClassNames::of("DebertaV2"))
}

/// What attention knows of distances in a model that is made for this many tokens.
fn distance(config: &mut ConfigReader<'_>, longest: usize) -> Distance {
    let relative = config.switch("relative_attention", false);
    let [content_to_position, position_to_content] = config.words("pos_att_type", ["c2p", "p2c"]);
    let [normed, _] = config.words("norm_rel_ebd", ["layer_norm", "none"]);
    let shared = config.switch("share_att_key", false);
    let reach = config.size_or_none("position_buckets", 2, LARGEST_TABLE / 2);
    let farthest = config.size_or_none("max_relative_positions", 1, LARGEST_TABLE / 2).unwrap_or(longest);
    if !relative {
        // Products would be scaled as if there were more of them, and a norm would have nothing to do.
        if content_to_position || position_to_content || normed {
            config.refuse(
                "relative_attention",
                false,
                "only true where there is a pos_att_type, or a norm_rel_ebd of layer_norm",
            );
        }
        return Distance::Unknown;
    }
    let buckets = match reach {
        None => DistanceBuckets::Each { farthest },
        Some(reach) => {
            if reach / 2 + 1 >= farthest {
                config.refuse("position_buckets", reach, format!("whole numbers below {}", 2 * (farthest - 1)));
            }
            DistanceBuckets::Growing { reach, farthest }
        }
    };
    Distance::Disentangled(Disentangled {
        buckets,
        vectors: if normed { DistanceNorm::Normed } else { DistanceNorm::Plain },
        projections: if shared { DistanceProjections::OfTokens } else { DistanceProjections::Own },
        content_to_position,
        position_to_content,
    })
}

fn convolution(config: &mut ConfigReader<'_>) -> Option<Convolution> {
    let width = config.size_or_none("conv_kernel_size", 1, LARGEST_WIDTH)?;
    if width % 2 == 0 {
        config.refuse("conv_kernel_size", width, "odd numbers: an even one gives another length");
    }
    config.only("conv_groups", 1);
    Some(Convolution { width, activation: config.activation("conv_act", Activation::Tanh) })
}
