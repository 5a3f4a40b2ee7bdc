//! Writes a tokenizer's files so that this crate and `AutoTokenizer` of transformers open them and give the same ids.
//! Knows nothing of models and run folders.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value};
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;

use super::Tokenizer;
use super::class::TokenizerClass;
use crate::{TextError, disk, plain_text};

/// A file of a folder that goes into every other as it is.
pub(super) struct KeptFile {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

impl KeptFile {
    /// The file of this name.
    pub fn read(folder: &Path, name: &'static str) -> Result<KeptFile, TextError> {
        Ok(KeptFile { name, bytes: plain_text::read_bytes(&folder.join(name))? })
    }
}

/// The roles under which special_tokens_map.json knows special tokens.
const ROLES: [&str; 8] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "additional_special_tokens"];

/// What transformers takes for a BERT tokenizer's special tokens unless it is told otherwise.
const BERT_SPECIAL_TOKENS: [(&str, &str); 5] =
    [("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("cls_token", "[CLS]"), ("mask_token", "[MASK]")];

impl Tokenizer {
    /// Writes tokenizer.json (without truncation and padding), tokenizer_config.json (every key that was there kept),
    /// special_tokens_map.json, and vocab.txt where the tokenizer came from one. A Marian folder has its models and vocabularies in place of
    /// tokenizer.json, as transformers reads them. The folder must be there.
    pub fn save(&self, folder: &Path) -> Result<(), TextError> {
        if self.pieces.is_none() {
            self.save_pipeline(folder)?;
        }
        let config = self.saved_config();
        let special_tokens = self.saved_special_tokens(&config);
        write_object(&folder.join("tokenizer_config.json"), config)?;
        write_object(&folder.join("special_tokens_map.json"), special_tokens)?;
        for file in &self.kept_files {
            disk::write_whole(&folder.join(file.name), |out| out.write_all(&file.bytes))?;
        }
        Ok(())
    }

    fn save_pipeline(&self, folder: &Path) -> Result<(), TextError> {
        let mut whole = (*self.pipeline).clone();
        whole.with_post_processor(self.post_processor.clone());
        let path = folder.join("tokenizer.json");
        let json = whole
            .to_string(true)
            .map_err(|error| TextError::TokenizerFile { path: path.clone(), reason: format!("cannot be written: {error}") })?;
        write_text(&path, &json)
    }

    /// What was in tokenizer_config.json, and what transformers would otherwise have to guess.
    fn saved_config(&self) -> Map<String, Value> {
        let mut config = self.settings.config.clone();
        let bert = self.is_bert();
        let general = if bert { "BertTokenizer" } else { "PreTrainedTokenizerFast" };
        let class = self.settings.class().map_or(general, TokenizerClass::name);
        config.entry("tokenizer_class").or_insert_with(|| class.into());
        match self.settings.model_max_length {
            Some(length) => config.insert("model_max_length".to_owned(), length.into()),
            // The enormous number that stands for no limit would come back as a fraction; its absence means the same.
            None => config.shift_remove("model_max_length"),
        };
        if let (true, Some(NormalizerWrapper::BertNormalizer(normalizer))) =
            (self.settings.governs_normalizer(), self.pipeline.get_normalizer())
        {
            config.insert("do_lower_case".to_owned(), normalizer.lowercase.into());
            config.insert("tokenize_chinese_chars".to_owned(), normalizer.handle_chinese_chars.into());
            config.insert("strip_accents".to_owned(), normalizer.strip_accents.into());
        }
        if bert {
            for (role, token) in BERT_SPECIAL_TOKENS {
                let mapped = self.settings.special_tokens.get(role).cloned();
                if self.pipeline.token_to_id(token).is_some() || mapped.is_some() {
                    config.entry(role).or_insert_with(|| mapped.unwrap_or_else(|| token.into()));
                }
            }
        }
        config
    }

    /// What was in special_tokens_map.json, or else the special tokens of the configuration.
    fn saved_special_tokens(&self, config: &Map<String, Value>) -> Map<String, Value> {
        if !self.settings.special_tokens.is_empty() {
            return self.settings.special_tokens.clone();
        }
        let roles = ROLES.iter().filter_map(|&role| Some((role.to_owned(), config.get(role)?.clone())));
        let mut special_tokens: Map<String, Value> = roles.filter(|(_, token)| !token.is_null()).collect();
        // The mark of an object's type belongs into the configuration only; transformers warns of it here.
        for token in special_tokens.values_mut().filter_map(Value::as_object_mut) {
            token.shift_remove("__type");
        }
        special_tokens
    }

    fn is_bert(&self) -> bool {
        matches!(self.pipeline.get_model(), ModelWrapper::WordPiece(_))
            && matches!(self.pipeline.get_normalizer(), Some(NormalizerWrapper::BertNormalizer(_)))
            && self.settings.governs_normalizer()
            && self.settings.class().is_none_or(|class| class == TokenizerClass::Bert)
    }
}

fn write_object(path: &Path, object: Map<String, Value>) -> Result<(), TextError> {
    write_text(path, &format!("{:#}\n", Value::Object(object)))
}

fn write_text(path: &Path, text: &str) -> Result<(), TextError> {
    disk::write_whole(path, |file| file.write_all(text.as_bytes()))
}
