//! Reads the keys of a `config.json` with their defaults and collects everything that is wrong with them. Knows no family.

use std::fmt::Display;
use std::ops::RangeInclusive;

use graftling_tensor::Activation;
use serde_json::{Map, Value};

use crate::architecture::Bias;
use crate::error::ConfigProblem;

/// No vocabulary, and no table of positions or token types, has more entries than this.
pub(crate) const LARGEST_TABLE: usize = 10_000_000;
/// No vector inside a model is wider than this.
pub(crate) const LARGEST_WIDTH: usize = 1 << 20;
/// No model has more layers than this.
pub(crate) const MOST_LAYERS: usize = 1024;

/// The activations that a config may name, under all names that mean them in transformers' `ACT2CLS`.
const ACTIVATIONS: &[(&str, Activation)] = &[
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("gelu_accurate", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_python_tanh", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("tanh", Activation::Tanh),
];

/// The keys of a config. A key that is wrong gives its default and a problem, so that all problems come out at once.
pub(crate) struct ConfigReader<'a> {
    config: &'a Map<String, Value>,
    problems: Vec<ConfigProblem>,
}

impl<'a> ConfigReader<'a> {
    pub fn new(config: &'a Map<String, Value>) -> Self {
        Self { config, problems: Vec::new() }
    }

    /// All that was wrong, if anything was.
    pub fn finish(self) -> Result<(), Vec<ConfigProblem>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }

    /// A whole number from 1 to `largest`.
    pub fn size(&mut self, key: &str, default: usize, largest: usize) -> usize {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| (1..=largest).contains(size)) {
            Some(size) => size,
            None => {
                self.refuse(key, value, format!("whole numbers from 1 to {largest}"));
                default
            }
        }
    }

    /// The same, with the default where the key is null.
    pub fn size_unless_null(&mut self, key: &str, default: usize, largest: usize) -> usize {
        if self.is_null(key) { default } else { self.size(key, default, largest) }
    }

    /// The same, none where the key is absent or null.
    pub fn size_if_there(&mut self, key: &str, largest: usize) -> Option<usize> {
        self.says(key).then(|| self.size(key, 1, largest))
    }

    /// The same where the key has to be there.
    pub fn needed_size(&mut self, key: &str, largest: usize) -> usize {
        self.size_if_there(key, largest).unwrap_or_else(|| {
            self.refuse(key, "absent", format!("whole numbers from 1 to {largest}"));
            1
        })
    }

    /// A whole number from 0 to `largest`.
    pub fn count(&mut self, key: &str, default: usize, largest: usize) -> usize {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= largest) {
            Some(count) => count,
            None => {
                self.refuse(key, value, format!("whole numbers from 0 to {largest}"));
                default
            }
        }
    }

    /// A whole number from `smallest` to `largest`, or `None` where the key is absent or says 0 or -1: that there is no such thing.
    pub fn size_or_none(&mut self, key: &str, smallest: usize, largest: usize) -> Option<usize> {
        let value = self.config.get(key)?;
        if matches!(value.as_i64(), Some(-1 | 0)) {
            return None;
        }
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| (smallest..=largest).contains(size));
        if size.is_none() {
            self.refuse(key, value, format!("-1, 0, whole numbers from {smallest} to {largest}"));
        }
        size
    }

    /// Yes or no.
    pub fn switch(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.config.get(key) else { return default };
        value.as_bool().unwrap_or_else(|| {
            self.refuse(key, value, "true, false");
            default
        })
    }

    /// Which of the `accepted` words are there, in a list or in one text with "|" between them. Absent and null are none of them.
    pub fn words<const COUNT: usize>(&mut self, key: &str, accepted: [&str; COUNT]) -> [bool; COUNT] {
        let config = self.config;
        let words: Option<Vec<String>> = match config.get(key) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(text)) => Some(text.to_lowercase().split('|').map(|word| word.trim().to_owned()).collect()),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        let known = |word: &String| word.is_empty() || accepted.contains(&&**word);
        match words.filter(|words| words.iter().all(known)) {
            Some(words) => accepted.map(|word| words.iter().any(|found| found == word)),
            None => {
                self.refuse(key, &config[key], accepted.join(", "));
                [false; COUNT]
            }
        }
    }

    /// A number within `range`.
    pub fn number(&mut self, key: &str, default: f64, range: RangeInclusive<f64>) -> f32 {
        let Some(value) = self.config.get(key) else { return default as f32 };
        match value.as_f64().filter(|number| range.contains(number)) {
            Some(number) => number as f32,
            None => {
                self.refuse(key, value, format!("numbers from {} to {}", range.start(), range.end()));
                default as f32
            }
        }
    }

    /// A probability of dropping values: from 0 up to, but not including, 1.
    pub fn dropout(&mut self, key: &str, default: f32) -> f32 {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_f64().map(|number| number as f32).filter(|number| (0.0..1.0).contains(number)) {
            Some(number) => number,
            None => {
                self.refuse(key, value, "numbers from 0 to below 1");
                default
            }
        }
    }

    /// The same, with `fallback` where the key is absent or null.
    pub fn dropout_or(&mut self, key: &str, fallback: f32) -> f32 {
        if self.is_null(key) { fallback } else { self.dropout(key, fallback) }
    }

    /// The dropout before a decoder's classifier of tokens, as transformers' `GenericForTokenClassification` looks for it.
    pub fn token_classifier_dropout(&mut self) -> f32 {
        let fallback = self.dropout_or("hidden_dropout", 0.1);
        self.dropout_or("classifier_dropout", fallback)
    }

    /// One of these words.
    pub fn word<T: Copy>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_str().and_then(|word| words.iter().find(|(known, _)| *known == word)) {
            Some((_, meant)) => *meant,
            None => {
                self.refuse(key, value, listed(words));
                default
            }
        }
    }

    /// One of these words for each layer; `None` where the key is absent or null.
    pub fn word_by_layer<T: Copy>(&mut self, key: &str, layers: usize, words: &[(&str, T)]) -> Option<Vec<T>> {
        let value = self.config.get(key).filter(|value| !value.is_null())?;
        let meant = |item: &Value| {
            let word = item.as_str()?;
            words.iter().find(|(known, _)| *known == word).map(|(_, meant)| *meant)
        };
        let found: Option<Vec<T>> = value.as_array().and_then(|items| items.iter().map(meant).collect());
        let found = found.filter(|found| found.len() == layers);
        if found.is_none() {
            self.refuse(key, value, format!("one of {} for each of {layers} layers", listed(words)));
        }
        found
    }

    /// Whether a bias is added: true or false.
    pub fn bias(&mut self, key: &str, default: Bias) -> Bias {
        match self.config.get(key) {
            None => default,
            Some(Value::Bool(true)) => Bias::Added,
            Some(Value::Bool(false)) => Bias::Absent,
            Some(value) => {
                self.refuse(key, value, "true, false");
                default
            }
        }
    }

    /// The object under this key, which has no keys but these; none where it is absent or null.
    pub fn object(&mut self, key: &str, accepted: &[&str]) -> Option<&'a Map<String, Value>> {
        let value = self.config.get(key).filter(|value| !value.is_null())?;
        let object = value.as_object();
        let fits = object.is_some_and(|object| object.keys().all(|inner| accepted.contains(&inner.as_str())));
        if !fits && !self.refused(key) {
            self.refuse(key, value, format!("an object with {}", accepted.join(", ")));
        }
        object.filter(|_| fits)
    }

    /// The name of an activation.
    pub fn activation(&mut self, key: &str, default: Activation) -> Activation {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_str().and_then(|name| ACTIVATIONS.iter().find(|(known, _)| *known == name)) {
            Some((_, activation)) => *activation,
            None => {
                let names: Vec<&str> = ACTIVATIONS.iter().map(|(name, _)| *name).collect();
                self.refuse(key, value, names.join(", "));
                default
            }
        }
    }

    /// Refuses a config in which the key has a value other than `accepted`. Absent, null and empty are as good.
    pub fn only(&mut self, key: &str, accepted: impl Into<Value>) {
        let accepted = accepted.into();
        let Some(value) = self.config.get(key) else { return };
        let empty = match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        };
        if !empty && *value != accepted {
            self.refuse(key, value, if accepted.is_null() { "only none".to_owned() } else { format!("only {accepted}") });
        }
    }

    /// What `read` makes of the keys of an object that stands under this key.
    pub fn nested<T>(&mut self, key: &str, object: &Map<String, Value>, read: impl FnOnce(&mut ConfigReader<'_>) -> T) -> T {
        let mut inner = ConfigReader::new(object);
        let made = read(&mut inner);
        let problems = inner.problems.into_iter();
        self.problems.extend(problems.map(|problem| ConfigProblem { key: format!("{key}.{}", problem.key), ..problem }));
        made
    }

    /// What `read` makes of the object that has to stand under this key.
    pub fn part<T>(&mut self, key: &str, read: impl FnOnce(&mut ConfigReader<'_>) -> T) -> T {
        let config = self.config;
        match config.get(key).map(|value| value.as_object().ok_or(value)) {
            Some(Ok(object)) => self.nested(key, object, read),
            found => {
                let found = found.and_then(Result::err).map_or_else(|| "absent".to_owned(), Value::to_string);
                self.refuse(key, found, "the config of a model");
                read(&mut ConfigReader::new(&Map::new()))
            }
        }
    }

    /// Whether the key is there, and null.
    pub fn is_null(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(Value::is_null)
    }

    /// Whether the key is there and not null.
    pub fn says(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(|value| !value.is_null())
    }

    /// Refuses what no family of encoders here offers.
    pub fn encoder_only(&mut self) {
        self.only("is_decoder", false);
        // A head with a projection of its own to the vocabulary would have a weight more.
        self.only("tie_word_embeddings", true);
        self.one_stack();
    }

    /// Refuses what no family of decoders that stand alone here offers.
    pub fn decoder_only(&mut self) {
        self.one_stack();
    }

    /// Refuses what no family of encoders with decoders here offers.
    pub fn encoder_and_decoder(&mut self) {
        self.only("is_encoder_decoder", true);
        self.ordinary();
    }

    fn one_stack(&mut self) {
        self.only("add_cross_attention", false);
        self.only("is_encoder_decoder", false);
        self.ordinary();
    }

    /// Refuses what no family here offers.
    pub fn ordinary(&mut self) {
        self.only("pruned_heads", Value::Null);
        // Its weights are stored in fewer bits, under further names.
        self.only("quantization_config", Value::Null);
        // Layers that differ from one another in any key.
        self.only("per_layer_config", Value::Null);
        // Code of the checkpoint's own may be any model; it is never run.
        self.only("auto_map", Value::Null);
    }

    /// The key that a value stands under in this config, if it may also be called `alias`: as in transformers, an alias that is
    /// there wins.
    pub fn key_of(&self, key: &'static str, alias: &'static str) -> &'static str {
        if self.config.contains_key(alias) { alias } else { key }
    }

    /// The number of a token.
    pub fn token(&mut self, key: &str, default: u32) -> u32 {
        let Some(value) = self.config.get(key) else { return default };
        match value.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|id| (*id as usize) < LARGEST_TABLE) {
            Some(id) => id,
            None => {
                self.refuse(key, value, format!("whole numbers from 0 to below {LARGEST_TABLE}"));
                default
            }
        }
    }

    /// The number of a token that may not be there: none where the key is null.
    pub fn token_if_any(&mut self, key: &str, default: u32) -> Option<u32> {
        (!self.is_null(key)).then(|| self.token(key, default))
    }

    /// The row of a table that is named as torch's `padding_idx` names it, a negative number counting from the end: none where nothing is
    /// said or there is no such row.
    pub fn row_if_any(&mut self, key: &str, rows: usize) -> Option<u32> {
        let value = self.config.get(key).filter(|value| !value.is_null())?;
        let Some(row) = value.as_i64() else {
            self.refuse(key, value, "whole numbers and null");
            return None;
        };
        let row = if row < 0 { row + rows as i64 } else { row };
        u32::try_from(row).ok().filter(|row| (*row as usize) < rows)
    }

    /// Refuses a size that is not a multiple of another, each given with its key, unless one of them is refused already.
    pub fn multiple(&mut self, (key, size): (&str, usize), (of_key, of): (&str, usize)) {
        if !self.refused(key) && !self.refused(of_key) && size % of != 0 {
            self.refuse(key, size, format!("multiples of {of_key}, {of}"));
        }
    }

    /// Refuses a table of positions that has no row for a first token, which takes row `offset`.
    pub fn room_for_a_token(&mut self, key: &str, entries: usize, offset: usize) {
        if !self.refused(key) && entries <= offset {
            self.refuse(key, entries, format!("whole numbers from {} to {LARGEST_TABLE}", offset + 1));
        }
    }

    /// Whether something is wrong with the key.
    pub fn refused(&self, key: &str) -> bool {
        self.problems.iter().any(|problem| problem.key == key)
    }

    /// Says that the key has a value that is not accepted.
    pub fn refuse(&mut self, key: &str, found: impl Display, accepted: impl Into<String>) {
        const LONGEST: usize = 80;
        let mut found = found.to_string();
        if let Some((end, _)) = found.char_indices().nth(LONGEST) {
            found.truncate(end);
            found.push_str("...");
        }
        self.problems.push(ConfigProblem { key: key.to_owned(), found, accepted: accepted.into() });
    }
}

/// Words as a message lists them.
fn listed<T>(words: &[(&str, T)]) -> String {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}
