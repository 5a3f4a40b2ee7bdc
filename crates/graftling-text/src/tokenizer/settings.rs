//! What tokenizer_config.json and special_tokens_map.json say, with every key kept for saving.
//! Knows nothing of how text is cut.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::class::TokenizerClass;
use crate::{TextError, plain_text};

/// transformers writes 1e30 where a length has no limit, and takes everything above this for no limit.
const NO_LIMIT: f64 = 1e20;

/// The two settings files of a tokenizer; a file that is not there says nothing.
#[derive(Clone)]
pub(super) struct Settings {
    /// Where tokenizer_config.json is or would be.
    pub path: PathBuf,
    /// All of tokenizer_config.json.
    pub config: Map<String, Value>,
    /// All of special_tokens_map.json.
    pub special_tokens: Map<String, Value>,
    /// The `model_type` of config.json, where there is one.
    pub model_type: Option<String>,
    /// The `tokenizer_class` of config.json, where there is one.
    pub model_class: Option<String>,
    /// The tokens of added_tokens.json.
    pub added_tokens: Vec<String>,
    /// What config.json says of whether texts that are read and texts that are written have one table of embeddings
    /// (`share_encoder_decoder_embeddings`).
    pub shares_embeddings: Option<bool>,
    /// The longest input, where there is a limit.
    pub model_max_length: Option<usize>,
    /// What chat_template.jinja holds, where it is there.
    pub chat_template_file: Option<String>,
}

/// A token that the settings list beside those with a role.
pub(super) struct ListedToken {
    pub token: SpecialToken,
    /// Its id, where the list says it.
    pub id: Option<u32>,
    pub is_special: bool,
}

/// A special token and how it is found in a text.
#[derive(Clone)]
pub(super) struct SpecialToken {
    pub content: String,
    pub lstrip: bool,
    pub rstrip: bool,
    pub single_word: bool,
    pub normalized: bool,
}

impl Settings {
    /// Reads both files of a folder, and the type of its model.
    pub fn read(folder: &Path) -> Result<Settings, TextError> {
        let path = folder.join("tokenizer_config.json");
        let config = read_object(&path)?;
        let special_tokens = read_object(&folder.join("special_tokens_map.json"))?;
        // A config.json that cannot be read is told by whoever opens the model; the tokenizer can do without.
        let model = read_object(&folder.join("config.json")).unwrap_or_default();
        let word = |key| model.get(key).and_then(Value::as_str).map(str::to_owned);
        let (model_type, model_class) = (word("model_type"), word("tokenizer_class"));
        let shares_embeddings = model.get("share_encoder_decoder_embeddings").and_then(Value::as_bool);
        let template = folder.join("chat_template.jinja");
        let chat_template_file = if template.exists() { Some(plain_text::read(&template, false)?) } else { None };
        let added_tokens = read_object(&folder.join("added_tokens.json"))?.into_iter().map(|(token, _)| token).collect();
        let model_max_length = None;
        let mut settings = Settings {
            path,
            config,
            special_tokens,
            model_type,
            model_class,
            added_tokens,
            shares_embeddings,
            model_max_length,
            chat_template_file,
        };
        settings.model_max_length = settings.max_length()?;
        Ok(settings)
    }

    /// Those of a folder that has neither file and holds a model of this type.
    pub fn of_model(folder: &Path, model_type: &str) -> Settings {
        Settings {
            path: folder.join("tokenizer_config.json"),
            config: Map::new(),
            special_tokens: Map::new(),
            model_type: Some(model_type.to_owned()),
            model_class: None,
            added_tokens: Vec::new(),
            shares_embeddings: None,
            model_max_length: None,
            chat_template_file: None,
        }
    }

    /// The class that transformers would use: the one that is named, or else the one of the model.
    pub fn class(&self) -> Option<TokenizerClass> {
        let named = self.class_name().and_then(TokenizerClass::named);
        named.or_else(|| TokenizerClass::of_model(self.model_type.as_deref()?))
    }

    /// The class as it is written: in tokenizer_config.json, or else in config.json, as older checkpoints have it.
    pub fn class_name(&self) -> Option<&str> {
        self.config.get("tokenizer_class").and_then(Value::as_str).or(self.model_class.as_deref())
    }

    /// Whether that is the one of config.json.
    pub fn is_class_of_model(&self) -> bool {
        self.config.get("tokenizer_class").and_then(Value::as_str).is_none() && self.model_class.is_some()
    }

    /// Every token that the files of the folder add to the vocabulary, in order, those included that have a role. A list that cannot be read
    /// adds none.
    pub fn all_added_tokens(&self) -> Vec<String> {
        let listed = self.listed_tokens().unwrap_or_default().into_iter().map(|listed| listed.token.content);
        let map = self.special_tokens.get("additional_special_tokens").and_then(Value::as_array).into_iter().flatten();
        let in_map = map.filter_map(|token| Some(token.as_str().or_else(|| token.get("content")?.as_str())?.to_owned()));
        let mut all: Vec<String> = listed.chain(in_map).chain(self.added_tokens.iter().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The chat template: as in transformers the file of its own goes first, and of several in the configuration the one called default is meant.
    pub fn chat_template(&self) -> Option<&str> {
        let named = |template: &&Value| template["name"] == "default";
        let configured = || match self.config.get("chat_template")? {
            Value::String(template) => Some(template.as_str()),
            Value::Array(templates) => templates.iter().find(named)?["template"].as_str(),
            _ => None,
        };
        self.chat_template_file.as_deref().or_else(configured)
    }

    /// Whether transformers lets do_lower_case and its kin go before what tokenizer.json says: it does for the classes of one
    /// family, not for the general ones.
    pub fn governs_normalizer(&self) -> bool {
        !self.names_no_family()
    }

    /// Whether the class that is named is one of those for tokenizers of any kind, which do what tokenizer.json says and no more.
    pub fn names_no_family(&self) -> bool {
        matches!(self.class_name(), Some("PreTrainedTokenizerFast" | "TokenizersBackend"))
    }

    /// Whether the model is told by token types which text of a pair a token belongs to.
    pub fn takes_token_types(&self) -> Result<bool, TextError> {
        match self.config.get("model_input_names") {
            None | Some(Value::Null) => Ok(self.class().is_none_or(TokenizerClass::takes_token_types)),
            Some(Value::Array(names)) => Ok(names.iter().any(|name| name == "token_type_ids")),
            Some(found) => Err(self.refuse("model_input_names", found, "a list of names")),
        }
    }

    /// A switch, where it is there; `null` is as good as absent.
    pub fn switch(&self, key: &'static str) -> Result<Option<bool>, TextError> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(found) => Err(self.refuse(key, found, "true, false")),
        }
    }

    /// The word of a setting, where it is there.
    pub fn word(&self, key: &'static str, accepted: &'static str) -> Result<Option<&str>, TextError> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(word)) => Ok(Some(word)),
            Some(found) => Err(self.refuse(key, found, accepted)),
        }
    }

    /// An error about a setting.
    pub fn refuse(&self, key: &'static str, found: &Value, accepted: &'static str) -> TextError {
        TextError::TokenizerSetting { path: self.path.clone(), key, found: found.to_string(), accepted }
    }

    /// The mask. As in transformers it takes the blank before it along, unless the settings describe it in full.
    pub fn mask_token(&self, default: &str) -> Result<SpecialToken, TextError> {
        let token = self.special_token("mask_token", default)?;
        let described =
            [&self.special_tokens, &self.config].iter().any(|map| map.get("mask_token").is_some_and(Value::is_object));
        let listed = self.config.contains_key("added_tokens_decoder");
        Ok(if described || listed { token } else { SpecialToken { lstrip: true, ..token } })
    }

    /// A special token. As in transformers, special_tokens_map.json goes first unless the configuration lists its added tokens.
    pub fn special_token(&self, key: &'static str, default: &str) -> Result<SpecialToken, TextError> {
        let listed = self.config.contains_key("added_tokens_decoder");
        let mapped = if listed { None } else { self.special_tokens.get(key) };
        let mut token = match mapped.or_else(|| self.config.get(key)) {
            None | Some(Value::Null) => SpecialToken::plain(default),
            Some(Value::String(content)) => SpecialToken::plain(content),
            Some(found) => {
                token_object(found).ok_or_else(|| self.refuse(key, found, "a string, or an object with \"content\""))?
            }
        };
        if let Some(Value::Object(added)) = self.config.get("added_tokens_decoder") {
            token = added.values().filter_map(token_object).find(|added| added.content == token.content).unwrap_or(token);
        }
        Ok(token)
    }

    /// The tokens that the settings list: `added_tokens_decoder` in the order of its ids, then the special ones without a role.
    pub fn listed_tokens(&self) -> Result<Vec<ListedToken>, TextError> {
        let accepted = "tokens: strings, or objects with \"content\"";
        let read = |key: &'static str, found: &Value| match found {
            Value::String(content) => Ok(SpecialToken::plain(content)),
            _ => token_object(found).ok_or_else(|| self.refuse(key, found, accepted)),
        };
        let mut listed = Vec::new();
        let key = "added_tokens_decoder";
        for (id, found) in self.config.get(key).and_then(Value::as_object).into_iter().flatten() {
            let is_special = found.get("special").and_then(Value::as_bool).unwrap_or(false);
            let id = id.parse().map_err(|_| self.refuse(key, &id.as_str().into(), "ids, each with its token"))?;
            listed.push(ListedToken { token: read(key, found)?, id: Some(id), is_special });
        }
        listed.sort_by_key(|token| token.id);
        for key in ["additional_special_tokens", "extra_special_tokens"] {
            let found = match self.config.get(key) {
                Some(Value::Array(found)) => found.iter().collect(),
                Some(Value::Object(named)) => named.values().collect(),
                _ => Vec::new(),
            };
            for found in found {
                let token = read(key, found)?;
                // The list with ids says how a token is found in texts.
                if !listed.iter().any(|known: &ListedToken| known.token.content == token.content) {
                    listed.push(ListedToken { token, id: None, is_special: true });
                }
            }
        }
        Ok(listed)
    }

    fn max_length(&self) -> Result<Option<usize>, TextError> {
        let key = "model_max_length";
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(found) => match found.as_f64() {
                Some(length) if length > NO_LIMIT => Ok(None),
                Some(length) if length >= 1.0 && length.fract() == 0.0 => Ok(Some(length as usize)),
                _ => Err(self.refuse(key, found, "a whole number from 1")),
            },
        }
    }
}

impl SpecialToken {
    /// One that is found wherever it stands.
    pub fn plain(content: &str) -> SpecialToken {
        SpecialToken { content: content.to_owned(), lstrip: false, rstrip: false, single_word: false, normalized: false }
    }
}

fn token_object(value: &Value) -> Option<SpecialToken> {
    let switch = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    Some(SpecialToken {
        content: value.get("content")?.as_str()?.to_owned(),
        lstrip: switch("lstrip"),
        rstrip: switch("rstrip"),
        single_word: switch("single_word"),
        normalized: switch("normalized"),
    })
}

/// The object in a JSON file; none where there is no such file.
fn read_object(path: &Path) -> Result<Map<String, Value>, TextError> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let text = plain_text::read(path, false)?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(TextError::TokenizerFile { path: path.to_owned(), reason: "holds no JSON object".to_owned() }),
        Err(error) => Err(TextError::TokenizerFile { path: path.to_owned(), reason: format!("not JSON: {error}") }),
    }
}
