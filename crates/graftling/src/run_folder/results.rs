//! The figures of a run under the names that transformers' Trainer gives them. Knows nothing of where they are written.

use serde_json::{Map, Value, json};

use crate::figures::per_second;
use crate::{Evaluation, TrainSummary};

/// Everything a run has to report, one map for each part.
pub(crate) struct Results {
    /// Of training.
    pub train: Map<String, Value>,
    /// Of the best checkpoint on the validation split, where there was an evaluation.
    pub validation: Option<Map<String, Value>>,
    /// Of the finished model on the test split, where there is one.
    pub test: Option<Map<String, Value>>,
}

impl Results {
    /// The results that a summary tells.
    pub fn new(summary: &TrainSummary) -> Self {
        let evaluation = |prefix, evaluation: &Option<Evaluation>| {
            let mut entries = evaluation.as_ref()?.flat(prefix);
            entries.insert("epoch".to_owned(), json!(summary.epoch));
            Some(entries)
        };
        Self {
            train: train_entries(summary),
            validation: evaluation("eval", &summary.validation),
            test: evaluation("test", &summary.test),
        }
    }

    /// All parts in one map.
    pub fn all(&self) -> Map<String, Value> {
        let mut all = self.train.clone();
        all.extend(self.validation.iter().chain(&self.test).flat_map(Clone::clone));
        all
    }
}

/// The figures of training.
pub(crate) fn train_entries(summary: &TrainSummary) -> Map<String, Value> {
    let mut entries = Map::new();
    let mut put = |name: &str, value: Value| entries.insert(name.to_owned(), value);
    put("epoch", json!(summary.epoch));
    put("train_loss", json!(summary.train_loss));
    put("train_runtime", json!(summary.runtime.as_secs_f64()));
    put("train_step_time", json!(summary.step_time.as_secs_f64()));
    put("train_samples", json!(summary.train_examples));
    put("train_samples_per_second", json!(per_second(summary.examples_seen, summary.runtime)));
    put("train_steps_per_second", json!(per_second(summary.steps, summary.runtime)));
    put("train_tokens", json!(summary.tokens));
    put("train_tokens_per_second", json!(per_second(summary.tokens, summary.step_time)));
    put("train_steps", json!(summary.steps));
    put("train_truncated_samples", json!(summary.truncation.truncated_texts));
    put("train_truncated_tokens", json!(summary.truncation.cut_tokens));
    if summary.truncation.max_target_length > 0 {
        put("train_truncated_targets", json!(summary.truncation.cut_targets));
    }
    put("stopped", json!(summary.stopped));
    put("peak_memory_bytes", json!(summary.peak_memory_bytes));
    entries
}
