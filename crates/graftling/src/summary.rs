//! What a finished training run has to report. Knows nothing of how it was reached or where it is written.

use std::path::PathBuf;
use std::time::Duration;

use graftling_text::TruncationReport;

use crate::{Evaluation, StopReason};

/// The best checkpoint of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The step it was taken at.
    pub step: u64,
    /// The value of the metric that chose it, on the validation split.
    pub value: f64,
    /// Its folder.
    pub checkpoint: PathBuf,
}

/// The outcome of a training run.
#[derive(Clone, Debug)]
pub struct TrainSummary {
    /// The run folder; the best model stands at its top.
    pub output: PathBuf,
    /// The class names in the order of the logits.
    pub labels: Vec<String>,
    /// How many steps were planned.
    pub planned_steps: u64,
    /// How many steps were taken.
    pub steps: u64,
    /// How many times the data was gone through, in fractions.
    pub epoch: f64,
    /// The highest learning rate of the schedule.
    pub learning_rate: f32,
    /// The mean loss over all steps.
    pub train_loss: f64,
    /// How many examples the training split has.
    pub train_examples: usize,
    /// How many there are to be trained on where each window of a text is one by itself.
    pub train_windows: usize,
    /// How many examples were trained on, each counted as often as it was used.
    pub examples_seen: u64,
    /// How many real tokens were trained on.
    pub tokens: u64,
    /// Time from the first step to the last, evaluations and checkpoints included.
    pub runtime: Duration,
    /// The part of `runtime` that went into steps alone.
    pub step_time: Duration,
    /// What was cut off the training texts.
    pub truncation: TruncationReport,
    /// Why training ended early, where it did.
    pub stopped: Option<StopReason>,
    /// The best checkpoint; none where training was stopped before the first evaluation.
    pub best: Option<Best>,
    /// The last checkpoint.
    pub last_checkpoint: PathBuf,
    /// How the best checkpoint did on the validation split.
    pub validation: Option<Evaluation>,
    /// How the model at the top of the run folder did on the test split, where there is one.
    pub test: Option<Evaluation>,
    /// The report, `report.html` in the run folder; none where it could not be written.
    pub report: Option<PathBuf>,
    /// The most memory the process has held so far, where the system tells.
    pub peak_memory_bytes: Option<u64>,
}
