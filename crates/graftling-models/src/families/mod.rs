//! The families: each translates its `config.json` into an [`Architecture`] and its weight names into ours, in one file.
//!
//! Knows no weight's value and no task beyond the names of the weights of a head.

mod albert;
mod bart;
mod bert;
pub(crate) mod config_reader;
mod deberta_v2;
mod distilbert;
mod electra;
mod encoder_decoder;
mod ernie;
mod gpt2;
mod llama;
mod marian_ssru;
mod modernbert;
mod mpnet;
pub(crate) mod names;
mod roberta;
mod rotary_config;
mod t5;

use serde_json::{Map, Value};

use crate::architecture::Architecture;
use crate::error::ConfigProblem;
use crate::head::HeadKind;
use config_reader::ConfigReader;
use names::NameTable;

/// What a family makes of a config.
pub(crate) struct Translation {
    pub architecture: Architecture,
    /// That of a decoder which looks at it, where there is one.
    pub decoder: Option<Box<Architecture>>,
    pub conventions: Conventions,
    pub names: &'static NameTable,
    pub classes: ClassNames,
}

impl Translation {
    /// Of an encoder, or of a decoder, that stands alone.
    fn alone(architecture: Architecture, names: &'static NameTable, classes: ClassNames) -> Self {
        Self { architecture, decoder: None, conventions: Conventions::NONE, names, classes }
    }
}

/// What holds for all models of a family that write one text from another, whether or not their configs say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conventions {
    /// The ids of tokens where a config lacks their keys, which are named: those of the family's config class in transformers, or, where
    /// that has no such models, what holds for all of them.
    pub ids: &'static [(&'static str, u32)],
    /// Whether texts start with the last token of a target, that of its language, instead of a token that is always the same.
    pub starts_with_last: bool,
    /// Whether its models were made to translate.
    pub translates: bool,
}

impl Conventions {
    /// Of a family that has none.
    pub const NONE: Self = Self { ids: &[], starts_with_last: false, translates: false };

    /// The id that is named by this key.
    pub fn id(&self, key: &str) -> Option<u32> {
        self.ids.iter().find(|(named, _)| *named == key).map(|(_, id)| *id)
    }
}

/// A model that begins as two copies of a smaller one.
pub(crate) struct Pairing {
    pub family: Family,
    /// Its config from that of the smaller one.
    pub config: fn(&Map<String, Value>) -> Map<String, Value>,
    /// Which parameter of the smaller one each of its parameters begins as; none for those that are new.
    pub begins_as: fn(&str) -> Option<String>,
}

/// How transformers names the classes of a family, one of which stands under `architectures`.
#[derive(Clone, Copy)]
pub(crate) struct ClassNames {
    /// What they begin with; most go on with what the head is called, `ForSequenceClassification` for instance.
    prefix: &'static str,
    /// A head whose class is called otherwise, and how that goes on.
    other: Option<(HeadKind, &'static str)>,
}

impl ClassNames {
    /// With this prefix, and nothing out of the way.
    pub const fn of(prefix: &'static str) -> Self {
        Self { prefix, other: None }
    }

    /// The same, with one class that is called otherwise.
    pub const fn but(self, kind: HeadKind, suffix: &'static str) -> Self {
        Self { other: Some((kind, suffix)), ..self }
    }

    /// The class of this kind of head.
    pub fn class(self, kind: HeadKind) -> String {
        let suffix = self.other.filter(|(other, _)| *other == kind).map_or(kind.class_suffix(), |(_, suffix)| suffix);
        format!("{}{suffix}", self.prefix)
    }
}

/// What a family is beside its translation. Few say anything of it.
struct Traits {
    /// What two of its models make, an encoder and a decoder that looks at it; none where they make nothing.
    pairing: Option<&'static Pairing>,
    is_in_transformers: bool,
}

impl Traits {
    const USUAL: Self = Self { pairing: None, is_in_transformers: true };
}

/// A line for each family: its `model_type`, what translates its configs, and which of its [`Traits`] are not the usual ones.
macro_rules! families {
    ($(
        $(#[$documentation:meta])*
        $variant:ident = $model_type:literal => $translate:path $([$($name:ident: $value:expr),+])?,
    )+) => {
        /// The families of models there are, by the `model_type` of their config.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Family { $($(#[$documentation])* $variant,)+ }

        impl Family {
            /// Every family.
            pub const ALL: &[Family] = &[$(Family::$variant,)+];

            /// The name that a config.json has under `model_type`.
            pub fn model_type(self) -> &'static str {
                match self { $(Family::$variant => $model_type,)+ }
            }

            fn translation(self, config: &mut ConfigReader<'_>) -> Translation {
                match self { $(Family::$variant => $translate(config),)+ }
            }

            fn traits(self) -> Traits {
                match self { $(Family::$variant => Traits { $($($name: $value,)+)? ..Traits::USUAL },)+ }
            }
        }
    };
}

families! {
    /// BERT, MiniLM and their kin.
    Bert = "bert" => bert::translate [pairing: Some(&encoder_decoder::OF_ONE)],
    /// RoBERTa.
    Roberta = "roberta" => roberta::roberta [pairing: Some(&encoder_decoder::OF_ONE)],
    /// XLM-R: RoBERTa in a hundred languages.
    XlmRoberta = "xlm-roberta" => roberta::xlm_roberta [pairing: Some(&encoder_decoder::OF_ONE)],
    /// CamemBERT: RoBERTa in French.
    Camembert = "camembert" => roberta::camembert [pairing: Some(&encoder_decoder::OF_ONE)],
    /// ERNIE 1.0 to 3.0.
    Ernie = "ernie" => ernie::translate,
    /// DistilBERT.
    DistilBert = "distilbert" => distilbert::translate,
    /// ELECTRA.
    Electra = "electra" => electra::translate,
    /// ALBERT.
    Albert = "albert" => albert::translate,
    /// MPNet.
    MpNet = "mpnet" => mpnet::translate,
    /// ModernBERT.
    ModernBert = "modernbert" => modernbert::translate,
    /// DeBERTa-v2 and DeBERTa-v3.
    DebertaV2 = "deberta-v2" => deberta_v2::translate,
    /// GPT-2.
    Gpt2 = "gpt2" => gpt2::translate,
    /// Llama, SmolLM2 and their kin.
    Llama = "llama" => llama::llama,
    /// Mistral.
    Mistral = "mistral" => llama::mistral,
    /// Qwen2 and Qwen2.5.
    Qwen2 = "qwen2" => llama::qwen2,
    /// Qwen3.
    Qwen3 = "qwen3" => llama::qwen3,
    /// BART.
    Bart = "bart" => bart::bart,
    /// mBART.
    MBart = "mbart" => bart::mbart,
    /// Marian: OPUS-MT.
    Marian = "marian" => bart::marian,
    /// Student models of Marian with a recurrent decoder: Bergamot, Firefox Translations.
    MarianSsru = "marian-ssru" => marian_ssru::translate [is_in_transformers: false],
    /// T5 and Flan-T5.
    T5 = "t5" => t5::t5,
    /// mT5.
    Mt5 = "mt5" => t5::mt5,
    /// An encoder and a decoder that were both a BERT or a RoBERTa before.
    EncoderDecoder = "encoder-decoder" => encoder_decoder::translate,
}

impl Family {
    /// The family with this `model_type`.
    pub fn named(model_type: &str) -> Option<Family> {
        Family::ALL.iter().copied().find(|family| family.model_type() == model_type)
    }

    /// What two models of this family make, an encoder and a decoder that looks at it; none where they make nothing.
    pub(crate) fn pairing(self) -> Option<&'static Pairing> {
        self.traits().pairing
    }

    /// Whether transformers has models of this family.
    pub fn is_in_transformers(self) -> bool {
        self.traits().is_in_transformers
    }

    /// Reads a config of this family, or says everything that is wrong with it.
    pub(crate) fn translate(self, config: &Map<String, Value>) -> Result<Translation, Vec<ConfigProblem>> {
        let mut reader = ConfigReader::new(config);
        let translation = self.translation(&mut reader);
        reader.finish()?;
        Ok(translation)
    }
}
