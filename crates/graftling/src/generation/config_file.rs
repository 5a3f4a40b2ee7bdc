//! What the folder of a model says of how it wants to generate: `generation_config.json`, or else `config.json`. Refuses what would
//! change the text and is not offered. Knows nothing of what a person asks for.

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{ModelError, ModelFacts};
use serde_json::{Map, Value};

use super::options::{EarlyStopping, GenerationOptions};
use super::problem::{GenerationError, OptionProblem};
use super::settings::Limits;
use crate::Error;

/// The file that says how to generate.
const FILE: &str = "generation_config.json";
/// The file that says it in folders of before.
const MODEL_FILE: &str = "config.json";

/// Keys that change no text here, whatever they hold: caches, what else transformers is to give back, how it speculates, and notes of its
/// own.
const WITHOUT_EFFECT: &[&str] = &[
    "_from_model_config",
    "assistant_confidence_threshold",
    "assistant_early_exit",
    "assistant_ensemble_weight",
    "assistant_lookbehind",
    "cache_config",
    "cache_implementation",
    "compile_config",
    "disable_compile",
    "is_assistant",
    "low_memory",
    "max_cache_len",
    "max_matching_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "return_dict_in_generate",
    "return_legacy_cache",
    "speculation_type",
    "target_lookbehind",
    "transformers_version",
    "use_cache",
    "use_mtp",
];

/// Keys that would change the text and are not offered, with the values that change nothing; `null` is always one.
const NOT_OFFERED: &[(&str, &[f64])] = &[
    ("constraints", &[]),
    ("diversity_penalty", &[0.0]),
    ("dola_layers", &[]),
    ("epsilon_cutoff", &[0.0, 1.0]),
    ("eta_cutoff", &[0.0, 1.0]),
    ("exponential_decay_length_penalty", &[]),
    ("force_words_ids", &[]),
    ("forced_decoder_ids", &[]),
    ("guidance_scale", &[1.0]),
    ("max_time", &[]),
    ("num_beam_groups", &[1.0]),
    ("penalty_alpha", &[0.0]),
    ("remove_invalid_values", &[]),
    ("sequence_bias", &[]),
    ("token_healing", &[]),
    ("top_h", &[]),
    ("typical_p", &[1.0]),
    ("watermarking_config", &[]),
];

/// What a folder says.
#[derive(Clone, Debug, Default)]
pub(crate) struct FolderDefaults {
    pub options: GenerationOptions,
    /// The token that stands before every text.
    pub bos_token_id: Option<u32>,
    /// All of `generation_config.json`; without that file, what was taken from `config.json`.
    pub keys: Map<String, Value>,
    /// What a person should know of how it was read.
    pub notices: Vec<String>,
}

impl FolderDefaults {
    /// Reads what the folder of such a model says. As in transformers, `config.json` is asked only where there is no
    /// `generation_config.json`.
    pub fn read(folder: &Path, facts: &ModelFacts) -> Result<Self, Error> {
        let limits = Limits::of(facts);
        let path = folder.join(FILE);
        let mut defaults = if path.is_file() {
            Keys::of(path, limits)?.read(true)?
        } else {
            let mut keys = Keys::of(folder.join(MODEL_FILE), limits)?;
            keys.complete(facts);
            keys.read(false)?
        };
        // As in transformers.
        if let Some(decoder) = facts.decoder {
            let start = &mut defaults.options.decoder_start_token_id;
            *start = start.or(decoder.start).or(defaults.bos_token_id);
        }
        Ok(defaults)
    }
}

/// The options that keys of a file give; for tests that have them as transformers is given them.
#[cfg(test)]
pub(super) fn options_of(keys: Map<String, Value>, vocabulary: usize) -> GenerationOptions {
    let keys = Keys { path: PathBuf::from(FILE), keys, vocabulary, start: None, taken: Map::new(), problems: Vec::new() };
    keys.read(false).expect("options").options
}

struct Keys {
    path: PathBuf,
    keys: Map<String, Value>,
    vocabulary: usize,
    /// The id that a text may start with although it is none of the vocabulary.
    start: Option<u32>,
    /// What was read.
    taken: Map<String, Value>,
    problems: Vec<OptionProblem>,
}

impl Keys {
    fn of(path: PathBuf, Limits { vocabulary, start, .. }: Limits) -> Result<Self, Error> {
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let keys = serde_json::from_str(&text).map_err(|source| ModelError::Json {
            path: path.clone(),
            what: "file of settings for generation",
            source,
        })?;
        Ok(Self { path, keys, vocabulary, start, taken: Map::new(), problems: Vec::new() })
    }

    /// Adds to a config what transformers adds to it: what its class has where it says nothing, and what its decoder has where it says nothing.
    fn complete(&mut self, facts: &ModelFacts) {
        for (key, id) in facts.decoder.iter().flat_map(|decoder| decoder.conventions.ids) {
            self.keys.entry(*key).or_insert_with(|| (*id).into());
        }
        if let Some(Value::Object(decoder)) = self.keys.get("decoder").filter(|_| facts.decoder.is_some()).cloned() {
            for (key, value) in decoder {
                if self.keys.get(&key).is_none_or(Value::is_null) {
                    self.keys.insert(key, value);
                }
            }
        }
    }

    /// Takes every key that is known; the others are told where the file is there for nothing else.
    fn read(mut self, is_file_of_its_own: bool) -> Result<FolderDefaults, Error> {
        let whole = is_file_of_its_own.then(|| self.keys.clone());
        let options = GenerationOptions {
            max_new_tokens: self.count("max_new_tokens"),
            max_length: self.count("max_length"),
            min_new_tokens: self.count("min_new_tokens"),
            min_length: self.count("min_length"),
            eos_token_id: self.ids("eos_token_id"),
            stop_strings: self.texts("stop_strings"),
            do_sample: self.switch("do_sample"),
            seed: None,
            temperature: self.number("temperature"),
            top_k: self.count("top_k"),
            top_p: self.number("top_p"),
            min_p: self.number("min_p"),
            num_beams: self.count("num_beams"),
            length_penalty: self.number("length_penalty"),
            early_stopping: self.early_stopping(),
            num_return_sequences: self.count("num_return_sequences"),
            repetition_penalty: self.number("repetition_penalty"),
            no_repeat_ngram_size: self.count("no_repeat_ngram_size"),
            encoder_repetition_penalty: self.number("encoder_repetition_penalty"),
            encoder_no_repeat_ngram_size: self.count("encoder_no_repeat_ngram_size"),
            decoder_start_token_id: self.start("decoder_start_token_id"),
            bad_words_ids: self.lists_of_ids("bad_words_ids"),
            suppress_tokens: self.ids("suppress_tokens"),
            begin_suppress_tokens: self.ids("begin_suppress_tokens"),
            forced_bos_token_id: self.id("forced_bos_token_id"),
            forced_eos_token_id: self.ids("forced_eos_token_id"),
            renormalize_logits: self.switch("renormalize_logits"),
        };
        let bos_token_id = self.id("bos_token_id");
        // Of no use here, but to transformers, which fills batches with it.
        self.taken("pad_token_id");
        for (key, harmless) in NOT_OFFERED {
            let Some(found) = self.taken(key) else { continue };
            let changes_nothing = found == Value::Bool(false)
                || found.as_array().is_some_and(Vec::is_empty)
                || found.as_f64().is_some_and(|number| harmless.contains(&number));
            if !changes_nothing {
                let others: String = harmless.iter().map(|number| format!(", {number}")).collect();
                self.refuse(key, &found, &format!("null{others}: this way to choose tokens is not offered"));
            }
        }
        let mut notices = Vec::new();
        if is_file_of_its_own {
            let unknown: Vec<&str> = self.keys.keys().map(String::as_str).filter(|key| !WITHOUT_EFFECT.contains(key)).collect();
            if !unknown.is_empty() {
                notices.push(format!("{}: not known and left out: {}", self.path.display(), unknown.join(", ")));
            }
        }
        match self.problems.is_empty() {
            true => Ok(FolderDefaults { options, bos_token_id, keys: whole.unwrap_or(self.taken), notices }),
            false => Err(GenerationError::Config { path: self.path, problems: self.problems }.into()),
        }
    }

    /// The value of a key, which is then dealt with; `null` is as good as absent.
    fn taken(&mut self, key: &str) -> Option<Value> {
        let value = self.keys.shift_remove(key).filter(|value| !value.is_null())?;
        self.taken.insert(key.to_owned(), value.clone());
        Some(value)
    }

    fn refuse(&mut self, key: &str, found: &Value, accepted: &str) {
        let problem = OptionProblem::NotAccepted {
            option: key.to_owned(),
            found: found.to_string().chars().take(60).collect(),
            accepted: accepted.to_owned(),
        };
        self.problems.push(problem);
    }

    fn value<T>(&mut self, key: &str, accepted: &str, of: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let found = self.taken(key)?;
        let value = of(&found);
        if value.is_none() {
            self.refuse(key, &found, accepted);
        }
        value
    }

    fn count(&mut self, key: &str) -> Option<usize> {
        self.value(key, "a whole number", |found| found.as_u64().and_then(|count| usize::try_from(count).ok()))
    }

    fn number(&mut self, key: &str) -> Option<f64> {
        self.value(key, "a number", Value::as_f64)
    }

    fn switch(&mut self, key: &str) -> Option<bool> {
        self.value(key, "true or false", Value::as_bool)
    }

    fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        self.value(key, "a text or a list of texts", |found| match found {
            Value::String(text) => Some(vec![text.clone()]),
            _ => found.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        })
    }

    fn early_stopping(&mut self) -> Option<EarlyStopping> {
        self.value("early_stopping", "true, false or \"never\"", |found| match found {
            Value::Bool(true) => Some(EarlyStopping::WhenFull),
            Value::Bool(false) => Some(EarlyStopping::Heuristic),
            found => (found == "never").then_some(EarlyStopping::Never),
        })
    }

    fn id(&mut self, key: &str) -> Option<u32> {
        let vocabulary = self.vocabulary;
        self.value(key, &below(vocabulary), |found| id(found, vocabulary))
    }

    fn start(&mut self, key: &str) -> Option<u32> {
        let (vocabulary, start) = (self.vocabulary, self.start);
        let is_start = |found: &Value| start.filter(|start| found.as_u64() == Some(u64::from(*start)));
        self.value(key, &below(vocabulary), |found| id(found, vocabulary).or_else(|| is_start(found)))
    }

    fn ids(&mut self, key: &str) -> Option<Vec<u32>> {
        let vocabulary = self.vocabulary;
        self.value(key, &format!("{}, or a list of such", below(vocabulary)), |found| ids(found, vocabulary))
    }

    fn lists_of_ids(&mut self, key: &str) -> Option<Vec<Vec<u32>>> {
        let vocabulary = self.vocabulary;
        let accepted = format!("a list of lists with ids: {}", below(vocabulary));
        self.value(key, &accepted, |found| found.as_array()?.iter().map(|list| ids(list, vocabulary)).collect())
    }
}

fn below(vocabulary: usize) -> String {
    format!("a token id below {vocabulary}")
}

fn id(found: &Value, vocabulary: usize) -> Option<u32> {
    found.as_u64().filter(|id| *id < vocabulary as u64).and_then(|id| u32::try_from(id).ok())
}

fn ids(found: &Value, vocabulary: usize) -> Option<Vec<u32>> {
    match found {
        Value::Array(list) => list.iter().map(|one| id(one, vocabulary)).collect(),
        one => Some(vec![id(one, vocabulary)?]),
    }
}
