//! How probabilities and decisions follow from logits where a run fitted it on its validation split, and the file that keeps it.
//! Knows no model.
//!
//! It stands in a file of its own beside the model and not in its config: weights that are trained on, here or elsewhere, must not carry a
//! temperature that was fitted to other weights.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::metrics::thresholds::HALF;
use crate::recipe::{ReportLanguage, Task};
use crate::report::said;
use crate::tasks::Objective;
use crate::{Error, disk};

/// The file, beside the model.
pub(crate) const DECISIONS: &str = "decisions.json";
/// Labels whose thresholds are told in a line; a file holds all.
const TOLD: usize = 8;

/// What probabilities and decisions are made by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decisions {
    /// What logits are divided by before they become probabilities; none means 1.
    pub temperature: Option<f64>,
    /// The probability above which each label holds, in the order of the model; none means 0.5 for all.
    pub thresholds: Option<Vec<f64>>,
}

/// What is wrong with a file of decisions.
#[derive(Debug, thiserror::Error)]
pub enum DecisionsProblem {
    /// It is not the object that is expected.
    #[error("expected is an object with temperature and thresholds, either of which may be missing: {0}")]
    NotUnderstood(serde_json::Error),
    /// A temperature by which nothing can be divided.
    #[error("the temperature is {0}; accepted is a number above 0")]
    Temperature(f64),
    /// A threshold that is no probability.
    #[error("the threshold of {label:?} is {value}; accepted is a number from 0 and below 1")]
    Threshold {
        /// The label.
        label: String,
        /// Its threshold.
        value: f64,
    },
    /// The labels are others than those of the model.
    #[error("there are thresholds for {}, but the model has {}; they do not belong together", found.join(", "), expected.join(", "))]
    OtherLabels {
        /// The labels in the file.
        found: Vec<String>,
        /// Those of the model.
        expected: Vec<String>,
    },
    /// The model makes no such decisions.
    #[error(
        "it belongs to sequence_classification, multi_label_classification and token_classification, but the model is of {0}"
    )]
    OtherTask(Task),
    /// The model says which label is the most probable, whatever its probability.
    #[error("thresholds belong to multi_label_classification, but the model is of {0}")]
    NoThresholds(Task),
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thresholds: Option<Map<String, Value>>,
}

impl Decisions {
    /// What logits are divided by.
    pub(crate) fn divisor(&self) -> f64 {
        self.temperature.unwrap_or(1.0)
    }

    /// The probability above which the label at this place holds.
    pub(crate) fn threshold(&self, label: usize) -> f64 {
        self.thresholds.as_ref().map_or(HALF, |thresholds| thresholds[label])
    }

    /// Whether nothing was fitted or given.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// What there is to read in JSON: the temperature, and the threshold of each label.
    pub fn to_json(&self, labels: &[String]) -> Map<String, Value> {
        let mut entries = Map::new();
        entries.extend(self.temperature.map(|temperature| ("temperature".to_owned(), json!(temperature))));
        let named = |thresholds: &Vec<f64>| labels.iter().cloned().zip(thresholds.iter().map(|it| json!(it))).collect();
        entries.extend(self.thresholds.as_ref().map(|thresholds| ("thresholds".to_owned(), Value::Object(named(thresholds)))));
        entries
    }

    /// In a few words: `temperature 1.382; thresholds: red 0.310, round 0.500`.
    pub fn told(&self, labels: &[String]) -> String {
        self.brief(labels).told(ReportLanguage::En)
    }

    /// What is told of them.
    pub(crate) fn brief(&self, labels: &[String]) -> BriefDecisions {
        let thresholds = self.thresholds.as_deref().unwrap_or_default();
        let same = thresholds.first().filter(|first| thresholds.iter().all(|threshold| threshold == *first));
        let each = labels.iter().cloned().zip(thresholds.iter().copied()).filter(|_| same.is_none());
        BriefDecisions {
            temperature: self.temperature,
            threshold: same.copied(),
            thresholds: each.take(TOLD).collect(),
            labels: labels.len(),
        }
    }

    /// Reads the file beside a model of a task; `None` where there is none.
    pub(crate) fn read(folder: &Path, task: Task, objective: &dyn Objective) -> Result<Option<Self>, Error> {
        let path = folder.join(DECISIONS);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path, source }),
        };
        let read = match objective.decisions() {
            Some(_) => Self::parse(&bytes, objective.labels()),
            None => Err(DecisionsProblem::OtherTask(task)),
        };
        let read = match read {
            Ok(Self { thresholds: Some(_), .. }) if task != Task::MultiLabelClassification => {
                Err(DecisionsProblem::NoThresholds(task))
            }
            read => read,
        };
        read.map(Some).map_err(|problem| Error::Decisions { path, problem })
    }

    fn parse(bytes: &[u8], labels: &[String]) -> Result<Self, DecisionsProblem> {
        let Written { temperature, thresholds } = serde_json::from_slice(bytes).map_err(DecisionsProblem::NotUnderstood)?;
        if let Some(temperature) = temperature.filter(|temperature| !(*temperature > 0.0 && temperature.is_finite())) {
            return Err(DecisionsProblem::Temperature(temperature));
        }
        let of_labels = |written: Map<String, Value>| {
            if written.len() != labels.len() || labels.iter().any(|label| !written.contains_key(label)) {
                return Err(DecisionsProblem::OtherLabels {
                    found: written.keys().cloned().collect(),
                    expected: labels.to_vec(),
                });
            }
            let threshold = |label: &String| {
                let value = written[label].as_f64().unwrap_or(f64::NAN);
                let accepted = (0.0..1.0).contains(&value);
                accepted.then_some(value).ok_or_else(|| DecisionsProblem::Threshold { label: label.clone(), value })
            };
            labels.iter().map(threshold).collect::<Result<Vec<f64>, _>>()
        };
        Ok(Self { temperature, thresholds: thresholds.map(of_labels).transpose()? })
    }

    /// Writes the file beside a model, or sees to it that there is none where nothing was fitted.
    pub(crate) fn write(&self, folder: &Path, labels: &[String]) -> Result<(), Error> {
        let path: PathBuf = folder.join(DECISIONS);
        if !self.is_plain() {
            return disk::write(&path, format!("{:#}\n", Value::Object(self.to_json(labels))).as_bytes());
        }
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::Write { path, bytes: 0, source }),
            _ => Ok(()),
        }
    }
}

/// As much of decisions as is told in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BriefDecisions {
    /// What logits were divided by.
    pub temperature: Option<f64>,
    /// The threshold that all labels have.
    pub threshold: Option<f64>,
    /// Where they differ, the first labels with their thresholds.
    pub thresholds: Vec<(String, f64)>,
    /// How many labels there are.
    pub labels: usize,
}

impl BriefDecisions {
    /// In words.
    pub fn told(&self, language: ReportLanguage) -> String {
        let separator = match language {
            ReportLanguage::En => [", ", "; "],
            ReportLanguage::Zh => ["、", "；"],
        };
        let each = self.thresholds.iter().map(|(label, value)| format!("{label} {value:.3}"));
        let (listed, all) = (each.collect::<Vec<_>>().join(separator[0]), self.labels);
        let more = all.saturating_sub(self.thresholds.len());
        let thresholds = match (self.thresholds.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(said!(language, "thresholds: {listed}", "阈值：{listed}")),
            (false, _) => Some(said!(language, "thresholds: {listed} and {more} more", "阈值：{listed} 等 {all} 个标签")),
        };
        let temperature = self.temperature.map(|value| said!(language, "temperature {value:.3}", "温度 {value:.3}"));
        let threshold = self.threshold.map(|value| said!(language, "threshold {value:.3}", "阈值 {value:.3}"));
        [temperature, threshold, thresholds].into_iter().flatten().collect::<Vec<_>>().join(separator[1])
    }
}

/// What was fitted, and what a person should know of it.
#[derive(Default)]
pub(crate) struct FittedDecisions {
    pub decisions: Decisions,
    pub notices: Vec<String>,
}

/// What is said where no temperature is the best.
const NO_TEMPERATURE: &str = "no temperature is fitted, for the validation examples set no limit to it: \
     all of them are told right, or no better than by guessing; probabilities stay as they are";

impl FittedDecisions {
    /// A temperature as it came out of fitting, without thresholds.
    pub fn of_temperature(temperature: Option<f64>) -> Self {
        Self {
            decisions: Decisions { temperature, thresholds: None },
            notices: temperature.is_none().then(|| NO_TEMPERATURE.to_owned()).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_told_in_either_language() {
        let labels: Vec<String> = (0..10).map(|number| format!("l{number}")).collect();
        let told = |temperature: Option<f64>, thresholds: Option<Vec<f64>>| {
            let brief = Decisions { temperature, thresholds }.brief(&labels);
            [ReportLanguage::En, ReportLanguage::Zh].map(|language| brief.told(language))
        };
        assert_eq!(told(None, None), ["", ""]);
        assert_eq!(told(Some(1.3821), None), ["temperature 1.382", "温度 1.382"]);
        assert_eq!(told(Some(2.0), Some(vec![0.25; 10])), ["temperature 2.000; threshold 0.250", "温度 2.000；阈值 0.250"]);
        let several = Some((0..10).map(|number| f64::from(number) / 16.0).collect());
        let [english, chinese] = told(None, several);
        assert!(english.starts_with("thresholds: l0 0.000, l1 0.062, ") && english.ends_with("l7 0.438 and 2 more"), "{english}");
        assert!(chinese.starts_with("阈值：l0 0.000、l1 0.062、") && chinese.ends_with("l7 0.438 等 10 个标签"), "{chinese}");
        let two = Decisions { temperature: None, thresholds: Some(vec![0.31, 0.5]) };
        assert_eq!(two.told(&["red", "round"].map(str::to_owned)), "thresholds: red 0.310, round 0.500");
    }
}
