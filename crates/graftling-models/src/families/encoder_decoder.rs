//! An encoder and a decoder that were both a BERT before, the decoder with attention to the encoder that it did not have (Rothe et al. 2020;
//! transformers' `EncoderDecoderModel`). Knows BERT.

use serde_json::{Map, Value, json};

use super::bert;
use super::config_reader::ConfigReader;
use super::names::{Ignored, NameTable, Pattern, module};
use super::{ClassNames, Conventions, Family, Pairing, Translation};
use crate::architecture::{CrossAttention, Layout, Sight, Sights, Words};
use crate::head::HeadKind;

const NAMES: NameTable = NameTable {
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
        module("decoder.embeddings.word", "decoder.bert.embeddings.word_embeddings"),
        module("decoder.embeddings.position", "decoder.bert.embeddings.position_embeddings"),
        module("decoder.embeddings.token_type", "decoder.bert.embeddings.token_type_embeddings"),
        module("decoder.embeddings.norm", "decoder.bert.embeddings.LayerNorm"),
        module("decoder.layers.{}.attention.query", "decoder.bert.encoder.layer.{}.attention.self.query"),
        module("decoder.layers.{}.attention.key", "decoder.bert.encoder.layer.{}.attention.self.key"),
        module("decoder.layers.{}.attention.value", "decoder.bert.encoder.layer.{}.attention.self.value"),
        module("decoder.layers.{}.attention.output", "decoder.bert.encoder.layer.{}.attention.output.dense"),
        module("decoder.layers.{}.attention.norm", "decoder.bert.encoder.layer.{}.attention.output.LayerNorm"),
        module("decoder.layers.{}.cross_attention.query", "decoder.bert.encoder.layer.{}.crossattention.self.query"),
        module("decoder.layers.{}.cross_attention.key", "decoder.bert.encoder.layer.{}.crossattention.self.key"),
        module("decoder.layers.{}.cross_attention.value", "decoder.bert.encoder.layer.{}.crossattention.self.value"),
        module("decoder.layers.{}.cross_attention.output", "decoder.bert.encoder.layer.{}.crossattention.output.dense"),
        module("decoder.layers.{}.cross_attention.norm", "decoder.bert.encoder.layer.{}.crossattention.output.LayerNorm"),
        module("decoder.layers.{}.feed_forward.up", "decoder.bert.encoder.layer.{}.intermediate.dense"),
        module("decoder.layers.{}.feed_forward.down", "decoder.bert.encoder.layer.{}.output.dense"),
        module("decoder.layers.{}.feed_forward.norm", "decoder.bert.encoder.layer.{}.output.LayerNorm"),
    ],
    heads: &[(
        HeadKind::SequenceToSequence,
        &[
            module("pooler.dense", "encoder.pooler.dense"),
            module("language.dense", "decoder.cls.predictions.transform.dense"),
            module("language.norm", "decoder.cls.predictions.transform.LayerNorm"),
            module("language", "decoder.cls.predictions"),
        ],
    )],
    ignored: &[
        Ignored { pattern: Pattern::EndsWith("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
        Ignored {
            pattern: Pattern::StartsWith("decoder.cls.predictions.decoder."),
            reason: "another name of weights that are read",
        },
    ],
};

/// The pair that a BERT makes.
pub(super) const OF_BERT: Pairing = Pairing { family: Family::EncoderDecoder, config: pair, begins_as };

/// The config of a pair whose halves both have the config of this BERT.
fn pair(bert: &Map<String, Value>) -> Map<String, Value> {
    let mut halves = ["encoder", "decoder"].map(|name| (name.to_owned(), bert.clone()));
    for (_, half) in &mut halves {
        // They are of the head that the BERT had.
        ["architectures", "id2label", "label2id", "num_labels", "problem_type"]
            .iter()
            .for_each(|key| drop(half.shift_remove(*key)));
    }
    halves[1].1.extend(["is_decoder", "add_cross_attention"].map(|key| (key.to_owned(), json!(true))));
    let padding = bert.get("pad_token_id").cloned().unwrap_or(json!(0));
    let own = [("model_type", json!("encoder-decoder")), ("is_encoder_decoder", json!(true)), ("pad_token_id", padding)];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    own.chain(halves.map(|(name, half)| (name, Value::Object(half)))).collect()
}

/// Which parameter of the BERT a parameter of the pair begins as; none where the BERT has nothing like it.
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
        inner.only("model_type", "bert");
        inner.only("is_decoder", false);
        inner.only("add_cross_attention", false);
        bert::architecture(inner)
    });
    let mut decoder = config.part("decoder", |inner| {
        inner.only("model_type", "bert");
        inner.only("is_decoder", true);
        inner.only("add_cross_attention", true);
        // Of another width than the encoder's, which would need a projection.
        inner.only("cross_attention_hidden_size", Value::Null);
        bert::architecture(inner)
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
        names: &NAMES,
        classes: ClassNames::of("EncoderDecoder").but(HeadKind::SequenceToSequence, "Model"),
    }
}
