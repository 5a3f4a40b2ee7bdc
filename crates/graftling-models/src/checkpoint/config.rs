//! The `config.json` of a checkpoint: read whole, kept whole, and written back with what fine-tuning changes.
//!
//! Knows which keys every family shares; what a family's own keys mean, its file in `families/` knows.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::sentence_modules;
use super::source_format::SourceFormat;
use crate::error::{LabelProblem, ModelError};
use crate::families::{Family, Pairing, Translation};
use crate::head::{Head, HeadKind, ProblemType};

pub(super) const CONFIG: &str = "config.json";
/// No honest config or index is larger.
const LARGEST_JSON: u64 = 64 << 20;
/// The most labels that get names by number where a config has no names.
const MOST_UNNAMED: usize = 100_000;

/// Reads a JSON file of bounded size.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, ModelError> {
    let read = |source| ModelError::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(read)?.len();
    if bytes > LARGEST_JSON {
        return Err(ModelError::TooLarge { path: path.to_owned(), bytes, largest: LARGEST_JSON });
    }
    let text = fs::read(path).map_err(read)?;
    serde_json::from_slice(&text).map_err(|source| ModelError::Json { path: path.to_owned(), what, source })
}

/// A config of a known family.
pub(crate) struct Config {
    pub path: PathBuf,
    keys: Map<String, Value>,
    pub family: Family,
}

/// One a line, made by `tools/reference/config_keys.py`.
const KNOWN_KEYS: &str = include_str!("../families/known_keys.txt");

impl Config {
    /// Reads the config of a folder and what its family makes of it.
    pub fn read(folder: &Path) -> Result<(Config, Translation), ModelError> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder { path: folder.to_owned() });
        }
        let path = folder.join(CONFIG);
        if !path.exists() {
            let folder = folder.to_owned();
            // A folder that cannot be listed has no config that could be read, either.
            let files = SourceFormat::files_in(&folder).unwrap_or_default();
            return Err(match files.into_iter().next() {
                Some(file) => ModelError::ToImport { folder, file },
                None => ModelError::NoConfig { folder },
            });
        }
        let keys: Map<String, Value> = read_json(&path, "model config")?;
        let model_type = keys.get("model_type").and_then(Value::as_str);
        let Some(family) = model_type.and_then(Family::named) else {
            let known = Family::ALL.iter().map(|family| family.model_type()).collect();
            return Err(ModelError::UnknownFamily { path, found: model_type.map(str::to_owned), known });
        };
        match family.translate(&keys) {
            Ok(translation) => Ok((Config { path, keys, family }, translation)),
            Err(problems) => Err(ModelError::Config { path, problems }),
        }
    }

    /// The config of a pair of two of these models, and what its family makes of it.
    pub fn paired(self, pairing: &Pairing) -> Result<(Config, Translation), ModelError> {
        let Pairing { family, config, .. } = pairing;
        let keys = config(&self.keys);
        match family.translate(&keys) {
            Ok(translation) => Ok((Config { keys, family: *family, ..self }, translation)),
            Err(problems) => Err(ModelError::Config { path: self.path, problems }),
        }
    }

    /// The keys that no config of a known family has, those of an encoder and a decoder within included: nothing is made of them.
    pub fn unknown_keys(&self) -> Vec<&str> {
        let parts = ["encoder", "decoder"].map(|part| self.keys.get(part).and_then(Value::as_object));
        let all = std::iter::once(&self.keys).chain(parts.into_iter().flatten()).flat_map(Map::keys);
        let mut unknown: Vec<&str> =
            all.map(String::as_str).filter(|key| !KNOWN_KEYS.lines().any(|known| known == *key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// What the config says under a key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.keys.get(key)
    }

    /// Says something under a key.
    pub fn set(&mut self, key: &str, value: Value) {
        self.keys.insert(key.to_owned(), value);
    }

    /// The classes that the config says the checkpoint was saved from.
    pub fn classes(&self) -> Vec<String> {
        let names = self.keys.get("architectures").and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The head that the checkpoint has. An encoder in a folder of sentence-transformers has the one that its modules describe.
    pub fn head(&self, translation: &Translation) -> Result<Head, ModelError> {
        match self.sentence_head(translation)? {
            Some(head) => Ok(head),
            None => self.head_of_class(translation),
        }
    }

    /// The head that the modules of sentence-transformers describe, where the folder has such and its class is no other model.
    pub fn sentence_head(&self, translation: &Translation) -> Result<Option<Head>, ModelError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let of_an_encoder =
            matches!(self.named_kind(translation), Some(HeadKind::MaskedLanguageModelling | HeadKind::SentenceEmbedding) | None);
        if !of_an_encoder || !sentence_modules::are_there(folder) {
            return Ok(None);
        }
        sentence_modules::read(folder, translation.architecture.hidden_size).map(Some)
    }

    /// The kind of head whose class the config names.
    fn named_kind(&self, translation: &Translation) -> Option<HeadKind> {
        let classes = self.classes();
        let mut offered = HeadKind::ALL.into_iter().filter(|kind| translation.names.offers(*kind));
        offered.find(|kind| classes.contains(&translation.classes.class(*kind)))
    }

    /// The head that the config alone says the checkpoint has. Without a class, it is a sequence classifier.
    pub fn head_of_class(&self, translation: &Translation) -> Result<Head, ModelError> {
        let classes = self.classes();
        let class = |kind: &HeadKind| translation.classes.class(*kind);
        let kind = match self.named_kind(translation) {
            Some(kind) => kind,
            None if classes.is_empty() => HeadKind::SequenceClassification,
            None => {
                let offered = HeadKind::ALL.into_iter().filter(|kind| !kind.is_bare() && translation.names.offers(*kind));
                let accepted = offered.map(|kind| class(&kind)).collect::<Vec<_>>().join(", ");
                return Err(self.other_task("architectures", classes.join(", "), accepted));
            }
        };
        Ok(match kind {
            HeadKind::SequenceClassification => {
                let labels = self.labels()?;
                let problem = self.problem(labels.len())?;
                self.check(&labels, problem.fewest_labels())?;
                Head::SequenceClassification { problem, labels }
            }
            HeadKind::TokenClassification => {
                let head = Head::TokenClassification { labels: self.labels()? };
                self.check(head.labels(), head.fewest_labels())?;
                head
            }
            HeadKind::MaskedLanguageModelling => Head::MaskedLanguageModelling,
            HeadKind::CausalLanguageModelling => Head::CausalLanguageModelling,
            HeadKind::SequenceToSequence => Head::SequenceToSequence,
            HeadKind::QuestionAnswering => Head::QuestionAnswering,
            HeadKind::SentenceEmbedding => {
                return Err(ModelError::BareEncoder { path: self.path.clone(), class: class(&HeadKind::SentenceEmbedding) });
            }
        })
    }

    /// What the logits have to do with each other. As in transformers, one logit of which nothing is said is a number.
    fn problem(&self, labels: usize) -> Result<ProblemType, ModelError> {
        match self.keys.get("problem_type") {
            None | Some(Value::Null) if labels == 1 => Ok(ProblemType::Regression),
            None | Some(Value::Null) => Ok(ProblemType::SingleLabelClassification),
            Some(found) => {
                let problem = ProblemType::ALL.into_iter().find(|problem| found.as_str() == Some(problem.name()));
                let accepted = ProblemType::ALL.map(ProblemType::name).join(", ");
                problem.ok_or_else(|| self.other_task("problem_type", found.to_string(), accepted))
            }
        }
    }

    fn other_task(&self, key: &'static str, found: String, accepted: String) -> ModelError {
        ModelError::OtherTask { path: self.path.clone(), key, found, accepted }
    }

    fn check(&self, labels: &[String], fewest: usize) -> Result<(), ModelError> {
        check_labels(labels, fewest).map_err(|problem| ModelError::Labels { path: self.path.clone(), problem })
    }

    /// The labels by id. As in transformers, a config without names has `num_labels` or else 2 of them, called `LABEL_0` and so on.
    fn labels(&self) -> Result<Vec<String>, ModelError> {
        let refuse = |problem| ModelError::Labels { path: self.path.clone(), problem };
        let labels: Vec<String> = match self.keys.get("id2label").and_then(Value::as_object) {
            Some(names) => {
                let entries = names.len();
                let name = |id: usize| names.get(&id.to_string()).and_then(Value::as_str).map(str::to_owned);
                (0..entries)
                    .map(|id| name(id).ok_or_else(|| refuse(LabelProblem::Gap { entries, id })))
                    .collect::<Result<_, _>>()?
            }
            None => {
                let found = self.keys.get("num_labels").cloned().unwrap_or_else(|| json!(2));
                let count = found.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= MOST_UNNAMED);
                let count =
                    count.ok_or_else(|| refuse(LabelProblem::Count { found: found.to_string(), largest: MOST_UNNAMED }))?;
                (0..count).map(|id| format!("LABEL_{id}")).collect()
            }
        };
        Ok(labels)
    }

    /// The text of the config of a model with this head made from this checkpoint. Keys that fine-tuning does not change stay.
    pub fn with_head(&self, class: &str, head: &Head) -> String {
        let mut keys = self.keys.clone();
        keys.insert("architectures".to_owned(), json!([class]));
        if head.kind().has_labels() {
            let labels = head.labels();
            let id2label = labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label)));
            let label2id = labels.iter().enumerate().map(|(id, label)| (label.clone(), json!(id)));
            keys.insert("id2label".to_owned(), Value::Object(id2label.collect()));
            keys.insert("label2id".to_owned(), Value::Object(label2id.collect()));
        } else {
            // They are of the head that was there before.
            keys.shift_remove("id2label");
            keys.shift_remove("label2id");
        }
        match head.problem() {
            Some(problem) => keys.insert("problem_type".to_owned(), json!(problem.name())),
            None => keys.shift_remove("problem_type"),
        };
        // Both say how many labels there were before; transformers warns where they contradict id2label.
        keys.shift_remove("num_labels");
        keys.shift_remove("_num_labels");
        // Older versions of transformers read the one key, newer ones the other.
        for key in ["torch_dtype", "dtype"] {
            if keys.contains_key(key) || (key == "dtype" && !keys.contains_key("torch_dtype")) {
                keys.insert(key.to_owned(), json!("float32"));
            }
        }
        let mut text = format!("{:#}", Value::Object(keys));
        text.push('\n');
        text
    }
}

/// At least so many labels, each with its own name.
pub(crate) fn check_labels(labels: &[String], fewest: usize) -> Result<(), LabelProblem> {
    if labels.len() < fewest {
        return Err(LabelProblem::TooFew { count: labels.len(), fewest });
    }
    let mut seen = std::collections::HashSet::new();
    match labels.iter().find(|label| !seen.insert(*label)) {
        Some(label) => Err(LabelProblem::Twice { label: label.clone() }),
        None => Ok(()),
    }
}
