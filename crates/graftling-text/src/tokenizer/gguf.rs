//! The tokenizer of a GGUF file, put together from what its metadata says of the vocabulary, as the model's own tokenizer.json has it.
//! Knows nothing of the file itself.

mod byte_pairs;
mod pieces;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;
use tokenizers::processors::template::TemplateProcessing;

use super::Tokenizer;
use super::folder::guarded;
use super::settings::Settings;
use crate::TextError;

/// The kinds of vocabularies that are read, as `tokenizer.ggml.model` names them.
const MODELS: [&str; 2] = ["gpt2", "llama"];

/// No token is longer; the merges of pieces are looked for in every part of each.
const LONGEST_TOKEN: usize = 4096;

/// What the metadata of a GGUF file says of its vocabulary, key by key.
#[derive(Clone, Debug, Default)]
pub struct GgufVocabulary {
    /// `tokenizer.ggml.model`: the kind of vocabulary.
    pub model: Option<String>,
    /// `tokenizer.ggml.pre`: how texts are cut into words.
    pub pre: Option<String>,
    /// The family of the model, as config.json names it.
    pub model_type: String,
    /// `tokenizer.ggml.tokens`: all tokens, in the order of their ids.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.scores`: how good each token is.
    pub scores: Vec<f32>,
    /// `tokenizer.ggml.token_type`: llama.cpp's `llama_token_type` of each token.
    pub token_types: Vec<i64>,
    /// `tokenizer.ggml.merges`: two tokens with a blank between them, the first to be merged first.
    pub merges: Vec<String>,
    /// `tokenizer.ggml.bos_token_id`: the beginning of a text.
    pub bos_token_id: Option<u64>,
    /// `tokenizer.ggml.eos_token_id`: the end of a text or of a turn.
    pub eos_token_id: Option<u64>,
    /// `tokenizer.ggml.unknown_token_id`: what stands for everything else.
    pub unknown_token_id: Option<u64>,
    /// `tokenizer.ggml.padding_token_id`: what fills a batch.
    pub padding_token_id: Option<u64>,
    /// `tokenizer.ggml.add_bos_token`: whether the beginning is put before every text.
    pub add_bos_token: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`: whether the end is put behind every text.
    pub add_eos_token: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`: whether a text begins with a blank that it has not.
    pub add_space_prefix: Option<bool>,
    /// `tokenizer.ggml.remove_extra_whitespaces`: whether repeated blanks become one.
    pub remove_extra_whitespaces: Option<bool>,
    /// `tokenizer.chat_template`: how a conversation is written down.
    pub chat_template: Option<String>,
    /// `tokenizer.chat_template.NAME`: other ways to write one down, by name.
    pub named_chat_templates: Vec<(String, String)>,
    /// The longest input of the model, where it has one.
    pub model_max_length: Option<usize>,
}

/// llama.cpp's `llama_token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenType {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl TokenType {
    fn numbered(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }
}

/// A vocabulary whose tokens are each there once, with the ids that are used.
struct Checked<'a> {
    vocabulary: &'a GgufVocabulary,
    types: Vec<TokenType>,
    ids: HashMap<&'a str, u32>,
}

impl Tokenizer {
    /// The tokenizer that the metadata of a GGUF file describes; `path` is named in errors.
    ///
    /// # Errors
    /// If the kind of vocabulary or its way to cut texts is not offered, or if its parts contradict each other.
    pub fn from_gguf(path: &Path, vocabulary: &GgufVocabulary) -> Result<Tokenizer, TextError> {
        let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
        let checked = Checked::new(vocabulary).map_err(&refuse)?;
        let mut notices = Vec::new();
        let config = checked.settings().map_err(&refuse)?;
        let pipeline = guarded(path, || {
            let mut pipeline = match vocabulary.model.as_deref() {
                Some("gpt2") => byte_pairs::pipeline(&checked, &mut notices),
                Some("llama") => pieces::pipeline(&checked),
                found => Err(format!(
                    "tokenizer.ggml.model is {}; accepted: {}",
                    found.map_or("missing".to_owned(), |found| format!("{found:?}")),
                    MODELS.join(", ")
                )),
            }
            .map_err(&refuse)?;
            let added = checked.added_tokens();
            pipeline.add_tokens(added).map_err(|error| refuse(error.to_string()))?;
            Ok(pipeline)
        })?;
        let settings = Settings {
            path: path.to_owned(),
            config,
            special_tokens: Map::new(),
            model_type: Some(vocabulary.model_type.clone()),
            model_class: None,
            added_tokens: Vec::new(),
            shares_embeddings: None,
            model_max_length: vocabulary.model_max_length,
            // It stands in the config.
            chat_template_file: None,
        };
        let mut tokenizer = Self::assemble(path, pipeline, settings, Vec::new())?;
        tokenizer.notices.extend(notices);
        Ok(tokenizer)
    }
}

impl<'a> Checked<'a> {
    fn new(vocabulary: &'a GgufVocabulary) -> Result<Self, String> {
        let GgufVocabulary { tokens, token_types, scores, .. } = vocabulary;
        if tokens.is_empty() {
            return Err("tokenizer.ggml.tokens is missing or empty: the file has no vocabulary".to_owned());
        }
        for (key, count) in [("token_type", token_types.len()), ("scores", scores.len())] {
            if count != 0 && count != tokens.len() {
                return Err(format!("tokenizer.ggml.{key} has {count} values for {} tokens", tokens.len()));
            }
        }
        if vocabulary.remove_extra_whitespaces == Some(true) {
            return Err("tokenizer.ggml.remove_extra_whitespaces is true; accepted: false".to_owned());
        }
        let numbered = |(id, number): (usize, &i64)| {
            TokenType::numbered(*number)
                .ok_or_else(|| format!("tokenizer.ggml.token_type of token {id} is {number}; accepted: 1 to 6"))
        };
        let mut types = token_types.iter().enumerate().map(numbered).collect::<Result<Vec<_>, _>>()?;
        types.resize(tokens.len(), TokenType::Normal);
        if let Some((id, token)) = tokens.iter().enumerate().find(|(_, token)| token.len() > LONGEST_TOKEN) {
            return Err(format!("token {id} has {} bytes; accepted: up to {LONGEST_TOKEN}", token.len()));
        }
        let mut ids = HashMap::with_capacity(tokens.len());
        for (id, (token, kind)) in tokens.iter().zip(&types).enumerate() {
            // What llama.cpp's converter fills a vocabulary up with, where a model has more embeddings than tokens.
            if *kind == TokenType::Unused && *token == format!("[PAD{id}]") {
                continue;
            }
            let number = u32::try_from(id).map_err(|_| format!("{} tokens are more than ids can count", tokens.len()))?;
            if let Some(first) = ids.insert(token.as_str(), number) {
                return Err(format!("the tokens {first} and {id} are both {token:?}"));
            }
        }
        Ok(Self { vocabulary, types, ids })
    }

    /// The tokens that are found in a text before anything else is done with it.
    fn added_tokens(&self) -> Vec<AddedToken> {
        let tokens = self.vocabulary.tokens.iter().zip(&self.types);
        let added = tokens.filter(|(token, kind)| {
            matches!(kind, TokenType::Control | TokenType::UserDefined | TokenType::Unknown) && !token.is_empty()
        });
        added.map(|(token, kind)| AddedToken::from(token.clone(), *kind != TokenType::UserDefined).normalized(false)).collect()
    }

    /// The token of a key that holds an id.
    fn token_of(&self, key: &str, id: Option<u64>) -> Result<Option<&'a str>, String> {
        let Some(id) = id else { return Ok(None) };
        let token = usize::try_from(id).ok().and_then(|id| self.vocabulary.tokens.get(id));
        let missing = || format!("tokenizer.ggml.{key} is {id}; accepted: ids of the {} tokens", self.vocabulary.tokens.len());
        token.map(|token| Some(token.as_str())).ok_or_else(missing)
    }

    /// The post-processor's frame: the tokens put around every text, if any are.
    fn frame(&self, adds_bos: bool, adds_eos: bool) -> Result<Option<TemplateProcessing>, String> {
        let GgufVocabulary { bos_token_id, eos_token_id, .. } = self.vocabulary;
        let framing = |adds: bool, key: &'static str, switch: &str, id: &Option<u64>| {
            let token = if adds { self.token_of(key, *id)? } else { None };
            match (token, id) {
                (Some(token), Some(id)) => match self.ids.get(token) {
                    Some(known) if u64::from(*known) == *id => Ok(Some((token.to_owned(), *known))),
                    _ => Err(format!(
                        "tokenizer.ggml.{switch} is on, but tokenizer.ggml.{key} is {id}, which fills the vocabulary up and is no token"
                    )),
                },
                _ if adds => Err(format!("tokenizer.ggml.{switch} is on, but tokenizer.ggml.{key} is missing")),
                _ => Ok(None),
            }
        };
        let bos = framing(adds_bos, "bos_token_id", "add_bos_token", bos_token_id)?;
        let eos = framing(adds_eos, "eos_token_id", "add_eos_token", eos_token_id)?;
        if bos.is_none() && eos.is_none() {
            return Ok(None);
        }
        let one = |text: &str, kind: u32| {
            let token = |token: &Option<(String, u32)>| token.as_ref().map(|(token, _)| format!("{token}:{kind}"));
            [token(&bos), Some(format!("${text}:{kind}")), token(&eos)].into_iter().flatten().collect::<Vec<_>>()
        };
        let pair = [one("A", 0), one("B", 1)].concat();
        let mut tokens: Vec<(String, u32)> = [&bos, &eos].into_iter().flatten().cloned().collect();
        tokens.dedup();
        let template = TemplateProcessing::builder()
            .try_single(one("A", 0))
            .and_then(|builder| builder.try_pair(pair))?
            .special_tokens(tokens)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Some(template))
    }

    /// What tokenizer_config.json says. The general class takes tokenizer.json as it is, in transformers 4 and 5.
    fn settings(&self) -> Result<Map<String, Value>, String> {
        let vocabulary = self.vocabulary;
        let mut config = Map::new();
        config.insert("add_prefix_space".to_owned(), false.into());
        for (role, key, id) in [
            ("bos_token", "bos_token_id", vocabulary.bos_token_id),
            ("eos_token", "eos_token_id", vocabulary.eos_token_id),
            ("pad_token", "padding_token_id", vocabulary.padding_token_id),
            ("unk_token", "unknown_token_id", vocabulary.unknown_token_id),
        ] {
            if let Some(token) = self.token_of(key, id)? {
                config.insert(role.to_owned(), token.into());
            }
        }
        let default = vocabulary.chat_template.as_ref().map(|template| ("default", template));
        let named = vocabulary.named_chat_templates.iter().map(|(name, template)| (name.as_str(), template));
        let templates: Vec<(&str, &String)> = default.into_iter().chain(named).collect();
        match templates[..] {
            [] => {}
            [("default", template)] => drop(config.insert("chat_template".to_owned(), template.as_str().into())),
            _ => {
                let listed = templates.iter().map(|(name, template)| json!({ "name": name, "template": template }));
                config.insert("chat_template".to_owned(), listed.collect());
            }
        }
        config.insert("clean_up_tokenization_spaces".to_owned(), false.into());
        config.insert("model_input_names".to_owned(), json!(["input_ids", "attention_mask"]));
        config.insert("tokenizer_class".to_owned(), "PreTrainedTokenizerFast".into());
        Ok(config)
    }
}
