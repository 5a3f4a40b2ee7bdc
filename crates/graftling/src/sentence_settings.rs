//! What a folder of sentence-transformers says of texts beside its modules: how long they are read, and what stands before them.
//! Read where it is there, and written with every model of sentence vectors. Knows no weight.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{Error, disk};

/// How long texts are read.
const LENGTH: &str = "sentence_bert_config.json";
/// Prompts, and by which measure vectors are compared.
const CONFIG: &str = "config_sentence_transformers.json";

/// What is said of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SentenceSettings {
    /// The most tokens of a text, special ones included, where it is said.
    pub max_length: Option<usize>,
    /// What stands before every text: the prompt that is named as the default one.
    pub prompt: Option<String>,
    /// All of the file of prompts, kept as it is.
    config: Map<String, Value>,
}

impl SentenceSettings {
    /// Reads both files of a folder; one that is not there says nothing. Refuses small letters for all texts, and a default prompt that is
    /// not there.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let length = read_object(&folder.join(LENGTH))?;
        let config = read_object(&folder.join(CONFIG))?;
        let refuse = |file: &str, key: &'static str, found: &Value, accepted: &'static str| Error::SentenceSetting {
            path: folder.join(file),
            key,
            found: found.to_string(),
            accepted,
        };
        let max_length = match length.get("max_seq_length") {
            None | Some(Value::Null) => None,
            Some(found) => {
                let tokens = found.as_u64().and_then(|tokens| usize::try_from(tokens).ok()).filter(|tokens| *tokens > 0);
                Some(tokens.ok_or_else(|| refuse(LENGTH, "max_seq_length", found, "a whole number from 1, or null"))?)
            }
        };
        match length.get("do_lower_case") {
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(found) => {
                return Err(refuse(LENGTH, "do_lower_case", found, "false: small letters are the tokenizer's to make"));
            }
        }
        let prompt = match config.get("default_prompt_name") {
            None | Some(Value::Null) => None,
            Some(found) => {
                let named = found.as_str().and_then(|name| config.get("prompts")?.get(name)?.as_str());
                let accepted = "null, or the name of one of the prompts there";
                Some(named.ok_or_else(|| refuse(CONFIG, "default_prompt_name", found, accepted))?.to_owned())
            }
        };
        Ok(Self { max_length, prompt: prompt.filter(|prompt| !prompt.is_empty()), config })
    }

    /// The same for texts that are read up to this length.
    pub fn with_max_length(self, max_length: usize) -> Self {
        Self { max_length: Some(max_length), ..self }
    }

    /// Writes both files.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let mut config = self.config.clone();
        for (key, value) in
            [("prompts", json!({})), ("default_prompt_name", Value::Null), ("similarity_fn_name", json!("cosine"))]
        {
            config.entry(key).or_insert(value);
        }
        let length = json!({ "max_seq_length": self.max_length, "do_lower_case": false });
        disk::write(&folder.join(LENGTH), format!("{length:#}\n").as_bytes())?;
        disk::write(&folder.join(CONFIG), format!("{:#}\n", Value::Object(config)).as_bytes())
    }
}

/// The object of a JSON file; an empty one where there is no file.
fn read_object(path: &Path) -> Result<Map<String, Value>, Error> {
    let read = |source: io::Error| Error::Read { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| read(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(source) => Err(read(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_kept_and_what_is_not_understood_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(SentenceSettings::read(folder.path()).unwrap(), SentenceSettings::default());
        write(LENGTH, r#"{"max_seq_length": 256, "do_lower_case": false}"#);
        write(CONFIG, r#"{"prompts": {"query": "query: "}, "default_prompt_name": null, "similarity_fn_name": "dot"}"#);
        let settings = SentenceSettings::read(folder.path()).unwrap();
        assert_eq!((settings.max_length, &settings.prompt), (Some(256), &None));
        for (prompts, prompt) in [(r#"{"query": "query: "}"#, Some("query: ")), (r#"{"query": ""}"#, None)] {
            write(CONFIG, &format!(r#"{{"prompts": {prompts}, "default_prompt_name": "query"}}"#));
            assert_eq!(SentenceSettings::read(folder.path()).unwrap().prompt.as_deref(), prompt);
        }
        let copy = tempfile::tempdir().unwrap();
        settings.clone().with_max_length(64).write(copy.path()).unwrap();
        let again = SentenceSettings::read(copy.path()).unwrap();
        assert_eq!((again.max_length, &again.config), (Some(64), &settings.config));
        for (name, text, told) in [
            (CONFIG, r#"{"default_prompt_name": "query"}"#, "default_prompt_name is \"query\""),
            (CONFIG, r#"{"prompts": {"q": "q: "}, "default_prompt_name": "query"}"#, "default_prompt_name is \"query\""),
            (CONFIG, r#"{"prompts": {"7": "q: "}, "default_prompt_name": 7}"#, "default_prompt_name is 7"),
            (LENGTH, r#"{"do_lower_case": true}"#, "do_lower_case is true"),
            (LENGTH, r#"{"max_seq_length": "long"}"#, "max_seq_length is \"long\""),
            (LENGTH, "[", "cannot be read"),
        ] {
            write(name, text);
            let error = SentenceSettings::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains(name), "{error}");
            write(name, "{}");
        }
    }
}
