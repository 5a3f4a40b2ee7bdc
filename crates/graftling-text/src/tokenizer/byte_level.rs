//! The tokenizer of a folder with vocab.json and merges.txt: byte pairs merged in the order of their ranks (Radford et al., 2019), put
//! together as transformers converts GPT-2's, RoBERTa's and DeBERTa's. Knows nothing of other kinds of vocabulary.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::roberta::RobertaProcessing;

use super::class::TokenizerClass;
use super::settings::{Settings, SpecialToken};
use super::special_tokens::{Frame, added_token};
use crate::{TextError, plain_text};

/// No vocabulary has ids as high; one that claims to would ask for an embedding of as many rows.
const HIGHEST_ID: u64 = 1 << 24;

/// A pipeline with its post-processor from the two files of a folder.
pub(super) fn pipeline(folder: &Path, class: TokenizerClass, settings: &Settings) -> Result<tokenizers::Tokenizer, TextError> {
    let path = folder.join("vocab.json");
    let refuse = |reason: String| TextError::TokenizerFile { path: path.clone(), reason };
    let ids = vocabulary(&path)?;
    let merges = merges(&folder.join("merges.txt"), &ids)?;
    let space_first = settings.switch("add_prefix_space")?.unwrap_or(false);
    let special = special_tokens(class, settings)?;
    let id_of = |token: &SpecialToken, role| match ids.get(&token.content) {
        Some(&id) => Ok((token.content.clone(), id)),
        None => Err(TextError::TokenMissing { path: path.clone(), role, token: token.content.clone() }),
    };
    let post_processor: PostProcessorWrapper = match &special {
        Special::Gpt2(_) => ByteLevel::new(true, false, true).into(),
        Special::Framed { class: first, separator, .. } => {
            let (first, separator) = (id_of(first, "cls_token")?, id_of(separator, "sep_token")?);
            if class == TokenizerClass::Deberta {
                let template = Frame::ClassSeparator.template((&first.0, first.1), (&separator.0, separator.1));
                template.map_err(&refuse)?.into()
            } else {
                let trim = settings.switch("trim_offsets")?.unwrap_or(true);
                RobertaProcessing::new(separator, first).trim_offsets(trim).add_prefix_space(space_first).into()
            }
        }
    };
    let model = BPE::builder()
        .vocab_and_merges(ids.into_iter().collect::<Vocab>(), merges)
        .build()
        .map_err(|error| refuse(error.to_string()))?;
    let mut pipeline = tokenizers::Tokenizer::new(model);
    pipeline
        .with_pre_tokenizer(Some(ByteLevel::new(space_first, true, true)))
        .with_post_processor(Some(post_processor))
        .with_decoder(Some(ByteLevel::default()));
    pipeline.add_special_tokens(special.all().map(added_token)).map_err(|error| refuse(error.to_string()))?;
    Ok(pipeline)
}

enum Special {
    Gpt2(SpecialToken),
    Framed { class: SpecialToken, separator: SpecialToken, others: [SpecialToken; 3] },
}

impl Special {
    fn all(self) -> impl Iterator<Item = SpecialToken> {
        let tokens = match self {
            Special::Gpt2(token) => vec![token],
            Special::Framed { class, separator, others } => [class, separator].into_iter().chain(others).collect(),
        };
        tokens.into_iter()
    }
}

fn special_tokens(class: TokenizerClass, settings: &Settings) -> Result<Special, TextError> {
    let [cls, separator, unknown, padding, mask] = match class {
        TokenizerClass::Deberta => ["[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]"],
        TokenizerClass::Gpt2 => {
            if settings.switch("add_bos_token")? == Some(true) {
                return Err(settings.refuse("add_bos_token", &Value::Bool(true), "false"));
            }
            return Ok(Special::Gpt2(settings.special_token("eos_token", "<|endoftext|>")?));
        }
        _ => ["<s>", "</s>", "<unk>", "<pad>", "<mask>"],
    };
    Ok(Special::Framed {
        class: settings.special_token("cls_token", cls)?,
        separator: settings.special_token("sep_token", separator)?,
        others: [
            settings.special_token("unk_token", unknown)?,
            settings.special_token("pad_token", padding)?,
            settings.mask_token(mask)?,
        ],
    })
}

/// Tokens and their ids, from a vocab.json.
pub(super) fn vocabulary(path: &Path) -> Result<HashMap<String, u32>, TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let text = plain_text::read(path, false)?;
    let tokens = match serde_json::from_str(&text) {
        Ok(Value::Object(tokens)) => tokens,
        Ok(_) => return Err(refuse("holds no JSON object of tokens and their ids".to_owned())),
        Err(error) => return Err(refuse(format!("not JSON: {error}"))),
    };
    if tokens.is_empty() {
        return Err(refuse("the vocabulary is empty".to_owned()));
    }
    let mut ids = HashMap::with_capacity(tokens.len());
    let mut seen: HashMap<u32, String> = HashMap::with_capacity(tokens.len());
    for (token, value) in tokens {
        let id = value.as_u64().filter(|&id| id < HIGHEST_ID).and_then(|id| u32::try_from(id).ok());
        let Some(id) = id else {
            return Err(refuse(format!(
                "the id of the token {token:?} is {value}; accepted are whole numbers from 0 below {HIGHEST_ID}"
            )));
        };
        if let Some(first) = seen.insert(id, token.clone()) {
            return Err(refuse(format!("the tokens {first:?} and {token:?} have one id, {id}")));
        }
        ids.insert(token, id);
    }
    Ok(ids)
}

/// The pairs to merge, in the order of their ranks. Both parts and the whole must be tokens: the library takes that for granted.
fn merges(path: &Path, ids: &HashMap<String, u32>) -> Result<Vec<(String, String)>, TextError> {
    let text = plain_text::read(path, false)?;
    let mut merges = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || (index == 0 && line.starts_with("#version")) {
            continue;
        }
        let refuse =
            |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason: format!("line {}: {reason}", index + 1) };
        let Some((left, right)) = line.split_once(' ').filter(|(_, right)| !right.contains(' ')) else {
            return Err(refuse(format!("{line:?} is not two tokens with a blank between them")));
        };
        let whole = format!("{left}{right}");
        if let Some(missing) = [left, right, &whole].into_iter().find(|token| !ids.contains_key(*token)) {
            return Err(refuse(format!("the token {missing:?} is not in vocab.json")));
        }
        merges.push((left.to_owned(), right.to_owned()));
    }
    Ok(merges)
}
