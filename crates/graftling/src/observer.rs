//! What the library tells about its work while it works. Knows nothing of who listens or how it is shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use graftling_text::TruncationReport;
use serde::{Deserialize, Serialize};

use crate::{Evaluation, TrainSummary};

/// Listens to a run. It is handed from thread to thread with the work, hence `Send`.
pub trait Observer: Send {
    /// Takes note of one event.
    fn observe(&mut self, event: &Event<'_>);
}

/// Which part of the data is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitName {
    /// The examples the weights learn from.
    Train,
    /// The examples that choose the best checkpoint.
    Validation,
    /// The examples that only the finished model sees.
    Test,
    /// The examples of `evaluate`.
    Evaluation,
}

impl fmt::Display for SplitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Evaluation => "evaluation",
        })
    }
}

/// Why training ended before its last planned step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Somebody asked for it, with Ctrl-C for instance.
    Requested,
    /// This many evaluations in a row did not improve on the best one.
    EarlyStopping {
        /// How many evaluations that was.
        patience: usize,
        /// The step of the best evaluation.
        best_step: u64,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => formatter.write_str("stopped on request"),
            Self::EarlyStopping { patience: 1, best_step } => {
                write!(formatter, "stopped early: 1 evaluation without improvement since step {best_step}")
            }
            Self::EarlyStopping { patience, best_step } => {
                write!(formatter, "stopped early: {patience} evaluations without improvement since step {best_step}")
            }
        }
    }
}

/// Something that happened in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Something a person should know that is no error.
    Notice(&'a str),
    /// A file of examples was read and understood.
    DataRead {
        /// What the examples are for.
        split: SplitName,
        /// The file.
        source: &'a Path,
        /// How many examples it has.
        examples: usize,
    },
    /// The weights were read.
    ModelLoaded {
        /// The folder they came from.
        folder: &'a Path,
        /// The family of the model, as its `model_type`.
        family: &'a str,
        /// How many values the parameters have.
        parameter_count: usize,
        /// The class names in the order of the logits.
        labels: &'a [String],
    },
    /// The texts of a split were turned into tokens.
    Tokenized {
        /// Which split.
        split: SplitName,
        /// How many texts and tokens there are, and how much was cut off.
        truncation: &'a TruncationReport,
    },
    /// The first step is about to be taken.
    TrainingStarted {
        /// How many steps are planned.
        steps: u64,
        /// How many epochs these make.
        epochs: f64,
        /// How many examples an epoch has.
        examples: usize,
        /// How many real tokens an epoch has.
        tokens: u64,
        /// How many values are trained.
        trainable_count: usize,
        /// How many threads compute.
        threads: usize,
    },
    /// One update of the parameters is done.
    Stepped {
        /// Which one, from 1.
        step: u64,
        /// How many are planned.
        steps: u64,
        /// How many times the data has been gone through, in fractions.
        epoch: f64,
        /// The mean loss of the step's examples, before the update.
        loss: f32,
        /// The base learning rate of the update.
        learning_rate: f32,
        /// The norm of the gradients before clipping.
        gradient_norm: f32,
        /// Real tokens trained on so far.
        tokens: u64,
        /// Time since training started, evaluations included.
        elapsed: Duration,
    },
    /// A split was evaluated.
    Evaluated {
        /// After which step.
        step: u64,
        /// Which split.
        split: SplitName,
        /// The outcome.
        evaluation: &'a Evaluation,
    },
    /// An evaluation begins.
    Evaluating {
        /// Of which split.
        split: SplitName,
        /// How many examples it has.
        examples: usize,
    },
    /// Texts are about to be written from those of a split.
    Writing {
        /// Of which split.
        split: SplitName,
        /// How many.
        texts: usize,
    },
    /// A checkpoint stands under its final name.
    Saved {
        /// After which step.
        step: u64,
        /// Where.
        folder: &'a Path,
        /// Whether it is the best so far.
        best: bool,
    },
    /// Training ended before its last planned step.
    Stopped {
        /// Why.
        reason: StopReason,
        /// After which step.
        step: u64,
        /// The last checkpoint, where one was saved.
        checkpoint: Option<&'a Path>,
    },
    /// The run folder is complete.
    Finished(&'a TrainSummary),
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&mut self, _event: &Event<'_>) {}
}

/// Keeps the figures of a run in memory, for tests and for programs that look at a run afterwards.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// All notices.
    pub notices: Vec<String>,
    /// The loss of every step.
    pub losses: Vec<f32>,
    /// The learning rate of every step.
    pub learning_rates: Vec<f32>,
    /// The gradient norm of every step.
    pub gradient_norms: Vec<f32>,
    /// Step, split and outcome of every evaluation.
    pub evaluations: Vec<(u64, SplitName, Evaluation)>,
    /// Step and folder of every checkpoint that was saved, kept or not.
    pub checkpoints: Vec<(u64, PathBuf)>,
    /// Why training stopped early, where it did.
    pub stopped: Option<StopReason>,
}

impl Observer for Collected {
    fn observe(&mut self, event: &Event<'_>) {
        match *event {
            Event::Notice(text) => self.notices.push(text.to_owned()),
            Event::Stepped { loss, learning_rate, gradient_norm, .. } => {
                self.losses.push(loss);
                self.learning_rates.push(learning_rate);
                self.gradient_norms.push(gradient_norm);
            }
            Event::Evaluated { step, split, evaluation } => self.evaluations.push((step, split, evaluation.clone())),
            Event::Saved { step, folder, .. } => self.checkpoints.push((step, folder.to_owned())),
            Event::Stopped { reason, .. } => self.stopped = Some(reason),
            Event::DataRead { .. }
            | Event::ModelLoaded { .. }
            | Event::Tokenized { .. }
            | Event::TrainingStarted { .. }
            | Event::Evaluating { .. }
            | Event::Writing { .. }
            | Event::Finished(_) => {}
        }
    }
}
