//! How each family lays its vocabulary and special tokens around the pieces of a SentencePiece model.
//! Knows nothing of files.

use serde_json::Value;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFKD, NormalizerWrapper, Replace, Strip, StripAccents};

use super::proto::ModelProto;
use crate::TextError;
use crate::tokenizer::class::TokenizerClass;
use crate::tokenizer::languages::codes_of;
use crate::tokenizer::settings::{Settings, SpecialToken};
use crate::tokenizer::special_tokens::Frame;

/// transformers adds a hundred sentinels to T5; a number far above would be a slip, and take memory.
const MOST_EXTRA_IDS: u64 = 10_000;

/// A family's way with the pieces.
pub(super) struct Layout {
    pieces: Pieces,
    normalization: Normalization,
    pub splits_punctuation: bool,
    pub frame: Frame,
    /// The token before the first text; in a frame without one it is the separator again.
    pub class: SpecialToken,
    pub separator: SpecialToken,
    unknown: SpecialToken,
    padding: SpecialToken,
    mask: Option<SpecialToken>,
    /// The codes of languages behind the last piece.
    languages: Vec<&'static str>,
}

/// Which ids the pieces have.
enum Pieces {
    /// Their own.
    Plain,
    /// Their own; digits with a comma behind them are never taken (ALBERT).
    NoNumberCommas,
    /// fairseq's four special tokens go before the fourth piece, languages and mask behind the last (XLM-R, mBART).
    Fairseq,
    /// Five go before the second piece, the mask behind the last (CamemBERT).
    Camembert,
    /// Their own, with so many sentinels behind the last (T5).
    Sentinels(u64),
}

/// What is done to a text besides the model's own map of characters.
enum Normalization {
    /// Blanks at the end and repeated ones are dropped.
    Spaces,
    Albert {
        lowercase: bool,
        keep_accents: bool,
    },
    DebertaV2 {
        lowercase: bool,
    },
}

impl Layout {
    pub fn of(class: TokenizerClass, settings: &Settings) -> Result<Layout, TextError> {
        let switch = |key, default| Ok::<_, TextError>(settings.switch(key)?.unwrap_or(default));
        let special = |role, default| settings.special_token(role, default);
        let layout = match class {
            TokenizerClass::Albert => Layout {
                pieces: Pieces::NoNumberCommas,
                normalization: Normalization::Albert {
                    lowercase: switch("do_lower_case", true)?,
                    keep_accents: switch("keep_accents", false)?,
                },
                splits_punctuation: false,
                frame: Frame::ClassSeparator,
                class: special("cls_token", "[CLS]")?,
                separator: special("sep_token", "[SEP]")?,
                unknown: special("unk_token", "<unk>")?,
                padding: special("pad_token", "<pad>")?,
                mask: Some(settings.mask_token("[MASK]")?),
                languages: Vec::new(),
            },
            TokenizerClass::DebertaV2 => Layout {
                pieces: Pieces::Plain,
                normalization: Normalization::DebertaV2 { lowercase: switch("do_lower_case", false)? },
                splits_punctuation: switch("split_by_punct", false)?,
                frame: Frame::ClassSeparator,
                class: special("cls_token", "[CLS]")?,
                separator: special("sep_token", "[SEP]")?,
                unknown: special("unk_token", "[UNK]")?,
                padding: special("pad_token", "[PAD]")?,
                mask: Some(special("mask_token", "[MASK]")?),
                languages: Vec::new(),
            },
            TokenizerClass::T5 => Layout {
                pieces: Pieces::Sentinels(extra_ids(settings)?),
                normalization: Normalization::Spaces,
                splits_punctuation: false,
                frame: Frame::EndOnly,
                class: special("eos_token", "</s>")?,
                separator: special("eos_token", "</s>")?,
                unknown: special("unk_token", "<unk>")?,
                padding: special("pad_token", "<pad>")?,
                mask: None,
                languages: Vec::new(),
            },
            _ => Layout {
                pieces: if class == TokenizerClass::Camembert { Pieces::Camembert } else { Pieces::Fairseq },
                normalization: Normalization::Spaces,
                splits_punctuation: false,
                frame: Frame::DoubleSeparator,
                class: special("cls_token", "<s>")?,
                separator: special("sep_token", "</s>")?,
                unknown: special("unk_token", "<unk>")?,
                padding: special("pad_token", "<pad>")?,
                mask: Some(settings.mask_token("<mask>")?),
                languages: codes_of(class),
            },
        };
        Ok(layout)
    }

    /// All tokens with their scores, in the order of their ids.
    pub fn vocabulary(&self, proto: &ModelProto) -> Result<Vec<(String, f64)>, String> {
        let from = |first: usize| {
            let pieces = proto.pieces.get(first..).ok_or_else(|| format!("{} pieces are too few", proto.pieces.len()))?;
            Ok::<_, String>(pieces.iter().map(|piece| (piece.text.clone(), f64::from(piece.score))))
        };
        let plain = |token: &str| (token.to_owned(), 0.0);
        let special = |token: &SpecialToken| plain(&token.content);
        Ok(match self.pieces {
            Pieces::Plain => from(0)?.collect(),
            Pieces::NoNumberCommas => {
                let lowered = |(piece, score): (String, f64)| {
                    let score = if ends_in_number_comma(&piece) { score - 100.0 } else { score };
                    (piece, score)
                };
                from(0)?.map(lowered).collect()
            }
            Pieces::Fairseq => {
                let first = [special(&self.class), special(&self.padding), special(&self.separator), special(&self.unknown)];
                let languages = self.languages.iter().map(|code| plain(code));
                first.into_iter().chain(from(3)?).chain(languages).chain(self.mask.as_ref().map(special)).collect()
            }
            Pieces::Camembert => {
                let first = [
                    plain("<s>NOTUSED"),
                    special(&self.padding),
                    plain("</s>NOTUSED"),
                    special(&self.unknown),
                    ("<unk>NOTUSED".to_owned(), -100.0),
                ];
                first.into_iter().chain(from(1)?).chain(self.mask.as_ref().map(special)).collect()
            }
            Pieces::Sentinels(count) => from(0)?.chain((0..count).rev().map(|number| plain(&sentinel(number)))).collect(),
        })
    }

    /// The id of what is unknown, in that order.
    pub fn unknown_id(&self, proto: &ModelProto) -> usize {
        match self.pieces {
            Pieces::Fairseq | Pieces::Camembert => 3,
            Pieces::Plain | Pieces::NoNumberCommas | Pieces::Sentinels(_) => proto.unknown_id,
        }
    }

    pub fn special_tokens(self) -> impl Iterator<Item = SpecialToken> {
        let sentinels = match self.pieces {
            Pieces::Sentinels(count) => count,
            _ => 0,
        };
        let tokens = [self.class, self.separator, self.unknown, self.padding].into_iter().chain(self.mask);
        let tokens = tokens.chain(self.languages.into_iter().map(SpecialToken::plain));
        tokens.chain((0..sentinels).map(|number| SpecialToken::plain(&sentinel(number))))
    }

    /// What is done to a text before the model's own map.
    pub fn before_charsmap(&self) -> Result<Vec<NormalizerWrapper>, String> {
        let mut steps: Vec<NormalizerWrapper> = Vec::new();
        match self.normalization {
            Normalization::Spaces => {}
            Normalization::Albert { lowercase, keep_accents } => {
                steps.push(replace("``".into(), "\"")?);
                steps.push(replace("''".into(), "\"")?);
                if !keep_accents {
                    steps.push(NFKD.into());
                    steps.push(StripAccents.into());
                }
                if lowercase {
                    steps.push(Lowercase.into());
                }
            }
            Normalization::DebertaV2 { lowercase } => {
                if lowercase {
                    steps.push(Lowercase.into());
                }
                steps.push(Strip::new(true, true).into());
            }
        }
        Ok(steps)
    }

    /// What is done to a text after the model's own map.
    pub fn after_charsmap(&self) -> Result<Vec<NormalizerWrapper>, String> {
        let blanks = || ReplacePattern::Regex(" {2,}".to_owned());
        Ok(match self.normalization {
            Normalization::Spaces => vec![Strip::new(false, true).into(), replace(blanks(), "▁")?],
            Normalization::Albert { .. } | Normalization::DebertaV2 { .. } => vec![replace(blanks(), " ")?],
        })
    }
}

fn replace(pattern: ReplacePattern, content: &str) -> Result<NormalizerWrapper, String> {
    Ok(Replace::new(pattern, content).map_err(|error| error.to_string())?.into())
}

fn sentinel(number: u64) -> String {
    format!("<extra_id_{number}>")
}

fn extra_ids(settings: &Settings) -> Result<u64, TextError> {
    match settings.config.get("extra_ids") {
        None | Some(Value::Null) => Ok(100),
        Some(found) => found
            .as_u64()
            .filter(|&count| count <= MOST_EXTRA_IDS)
            .ok_or_else(|| settings.refuse("extra_ids", found, "a whole number from 0 to 10000")),
    }
}

/// `0,` and its like, which ALBERT's own code cuts in two.
fn ends_in_number_comma(piece: &str) -> bool {
    let mut last = piece.chars().rev();
    last.next() == Some(',') && last.next().is_some_and(char::is_numeric)
}
