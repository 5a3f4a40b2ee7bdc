//! An encoder and a decoder that were both a BERT or a RoBERTa before, the decoder with attention to the encoder that it did not have (Rothe et
//! al. 2020; transformers' `EncoderDecoderModel`). Knows BERT and RoBERTa, with which XLM-R and CamemBERT go.

use serde_json::{Map, Value, json};

use super::config_reader::ConfigReader;
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Conventions, Family, Pairing, Translation, bert, roberta};
use crate::architecture::{Architecture, CrossAttention, Layout, Sight, Sights, Words};
use crate::head::HeadKind;

/// The names of a pair whose decoder's stand behind this prefix, with those of the head and what is passed over.
macro_rules! names {
    ($decoder:literal, [$($head:expr),+], $other_names:literal) => {
        NameTable {
            backbone_prefix: "",
            backbone: &[
                module("embeddings.word", "encoder.embeddings.word_embeddings"),
                module("embeddings.position", "encoder.embeddings.position_embeddings"),
                module("embeddings.token_type", "encoder.embeddings.token_type_embeddings"),
                module("embeddings.norm", "encoder.embeddings.LayerNorm"),
                module("encoder.layers.{}.attention.query", "encoder.encoder.layer.{}.attention.self.query"),
                module("encoder.layers.{}.attention.key", "encoder.encoder.layer.{}.attention.self.key"),
                module("encoder.layers.{}.attention.value", "encoder.encoder.layer.{}.attention.self.value"),
                module("encoder.layers.{}.attention.output", "encoder.encoder.layer.{}.attention.output.dense"),
                module("encoder.layers.{}.attention.norm", "encoder.encoder.layer.{}.attention.output.LayerNorm"),
                module("encoder.layers.{}.feed_forward.up", "encoder.encoder.layer.{}.intermediate.dense"),
                module("encoder.layers.{}.feed_forward.down", "encoder.encoder.layer.{}.output.dense"),
                module("encoder.layers.{}.feed_forward.norm", "encoder.encoder.layer.{}.output.LayerNorm"),
                module("decoder.embeddings.word", concat!($decoder, "embeddings.word_embeddings")),
                module("decoder.embeddings.position", concat!($decoder, "embeddings.position_embeddings")),
                module("decoder.embeddings.token_type", concat!($decoder, "embeddings.token_type_embeddings")),
                module("decoder.embeddings.norm", concat!($decoder, "embeddings.LayerNorm")),
                module("decoder.layers.{}.attention.query", concat!($decoder, "encoder.layer.{}.attention.self.query")),
                module("decoder.layers.{}.attention.key", concat!($decoder, "encoder.layer.{}.attention.self.key")),
                module("decoder.layers.{}.attention.value", concat!($decoder, "encoder.layer.{}.attention.self.value")),
                module("decoder.layers.{}.attention.output", concat!($decoder, "encoder.layer.{}.attention.output.dense")),
                module("decoder.layers.{}.attention.norm", concat!($decoder, "encoder.layer.{}.attention.output.LayerNorm")),
                module("decoder.layers.{}.cross_attention.query", concat!($decoder, "encoder.layer.{}.crossattention.self.query")),
                module("decoder.layers.{}.cross_attention.key", concat!($decoder, "encoder.layer.{}.crossattention.self.key")),
                module("decoder.layers.{}.cross_attention.value", concat!($decoder, "encoder.layer.{}.crossattention.self.value")),
                module("decoder.layers.{}.cross_attention.output", concat!($decoder, "encoder.layer.{}.crossattention.output.dense")),
                module("decoder.layers.{}.cross_attention.norm", concat!($decoder, "encoder.layer.{}.crossattention.output.LayerNorm")),
                module("decoder.layers.{}.feed_forward.up", concat!($decoder, "encoder.layer.{}.intermediate.dense")),
                module("decoder.layers.{}.feed_forward.down", concat!($decoder, "encoder.layer.{}.output.dense")),
                module("decoder.layers.{}.feed_forward.norm", concat!($decoder, "encoder.layer.{}.output.LayerNorm")),
            ],
            heads: &[(
                HeadKind::SequenceToSequence,
                &[module("pooler.dense", "encoder.pooler.dense"), $($head),+],
            )],
            ignored: &[
                Ignored { pattern: Pattern::EndsWith("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
                Ignored {
                    pattern: Pattern::StartsWith($other_names),
                    reason: "another name of weights that are read",
                },
            ],
        }
    };
}

const OF_BERT: NameTable = names!(
    "decoder.bert.",
    [
        module("language.dense", "decoder.cls.predictions.transform.dense"),
        module("language.norm", "decoder.cls.predictions.transform.LayerNorm"),
        module("language", "decoder.cls.predictions")
    ],
    "decoder.cls.predictions.decoder."
);
const OF_ROBERTA: NameTable = names!(
    "decoder.roberta.",
    [
        module("language.dense", "decoder.lm_head.dense"),
        module("language.norm", "decoder.lm_head.layer_norm"),
        module("language", "decoder.lm_head")
    ],
    "decoder.lm_head.decoder."
);

/// The pair that an encoder makes of which both kinds of halves can be.
pub(super) const OF_ONE: Pairing = Pairing { family: Family::EncoderDecoder, config: pair, begins_as };

/// The config of a pair whose halves both have the config of this encoder.
fn pair(encoder: &Map<String, Value>) -> Map<String, Value> {
    let mut halves = ["encoder", "decoder"].map(|name| (name.to_owned(), encoder.clone()));
    for (_, half) in &mut halves {
        // They are of the head that the encoder had.
        ["architectures", "id2label", "label2id", "num_labels", "problem_type"]
            .iter()
            .for_each(|key| drop(half.shift_remove(*key)));
    }
    halves[1].1.extend(["is_decoder", "add_cross_attention"].map(|key| (key.to_owned(), json!(true))));
    let usual = if encoder.get("model_type").is_some_and(|model_type| model_type == "bert") { 0 } else { 1 };
    let padding = encoder.get("pad_token_id").cloned().unwrap_or(json!(usual));
    let own = [("model_type", json!("encoder-decoder")), ("is_encoder_decoder", json!(true)), ("pad_token_id", padding)];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    own.chain(halves.map(|(name, half)| (name, Value::Object(half)))).collect()
}

/// Which parameter of the encoder a parameter of the pair begins as; none where it has nothing like it.
fn begins_as(parameter: &str) -> Option<String> {
    match parameter.strip_prefix("decoder.") {
        Some(inner) if inner.contains(".cross_attention.") => None,
        Some(inner) if inner.starts_with("layers.") => Some(format!("encoder.{inner}")),
        Some(inner) => Some(inner.to_owned()),
        None => Some(parameter.to_owned()),
    }
}

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_and_decoder();
    let encoder = config.part("encoder", |inner| {
        inner.only("is_decoder", false);
        inner.only("add_cross_attention", false);
        half(inner).0
    });
    let (mut decoder, names) = config.part("decoder", |inner| {
        inner.only("is_decoder", true);
        inner.only("add_cross_attention", true);
        // Of another width than the encoder's, which would need a projection.
        inner.only("cross_attention_hidden_size", Value::Null);
        half(inner)
    });
    if decoder.hidden_size != encoder.hidden_size {
        config.refuse("decoder.hidden_size", decoder.hidden_size, format!("only that of the encoder, {}", encoder.hidden_size));
    }
    decoder.layout = Layout {
        words: Words::Own,
        cross_attention: CrossAttention::Present,
        sight: Sights::Alike(Sight::PAST),
        ..decoder.layout
    };
    Translation {
        architecture: encoder,
        decoder: Some(Box::new(decoder)),
        conventions: Conventions::NONE,
        names,
        classes: ClassNames::of("EncoderDecoder").but(HeadKind::SequenceToSequence, "Model"),
    }
}

/// The kinds that a half may be of.
#[derive(Clone, Copy)]
enum Half {
    Bert,
    /// With this vocabulary where none is named.
    Roberta(usize),
}

/// The architecture of a half, and the names of a pair of which it is the decoder.
fn half(config: &mut ConfigReader<'_>) -> (Architecture, &'static NameTable) {
    let kinds = [
        ("bert", Half::Bert),
        ("roberta", Half::Roberta(50_265)),
        ("xlm-roberta", Half::Roberta(30_522)),
        ("camembert", Half::Roberta(30_522)),
    ];
    match config.word("model_type", Half::Bert, &kinds) {
        Half::Bert => (bert::architecture(config), &OF_BERT),
        Half::Roberta(vocabulary_size) => (roberta::architecture(config, vocabulary_size), &OF_ROBERTA),
    }
}
