//! How far a run has come: all that a resumed run would need beside the weights, and all that `trainer_state.json` tells.
//! Knows nothing of models or of how files are written.

use std::path::PathBuf;
use std::time::Duration;

use graftling_tensor::{OptimizerState, Parameters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::curve::Curve;
use super::plan::{Plan, PlannedStep};
use crate::evaluate::Scored;
use crate::fingerprint::Fingerprints;
use crate::recipe::{BestMetric, Recipe};
use crate::resume::{DATA, Interrupted, UPDATES, WITHOUT_IMPROVEMENT};
use crate::run_folder::{RunFolder, TRAINER_STATE};
use crate::{Error, Evaluation, StopReason};

/// The key of the curve over all steps.
const CURVE: &str = "training_curve";
/// The key of what was told before the first step.
const NOTES: &str = "notes";
/// The key of the sums that go on in a resumed run.
const SUMS: &str = "running_sums";

/// The best evaluation so far.
pub(crate) struct BestSoFar {
    pub step: u64,
    pub value: f64,
    /// Not there where the run was resumed after it.
    pub scored: Option<Scored>,
}

/// How far a run has come. The order of the examples and the dropout follow from the seed and the step.
pub(crate) struct TrainingState {
    /// The moments of the optimizer.
    pub moments: OptimizerState,
    /// How many steps are done.
    pub step: u64,
    /// How many times the data has been gone through, in fractions.
    pub epoch: f64,
    /// Examples trained on so far, each counted as often as it was used.
    pub examples: u64,
    /// Real tokens trained on so far.
    pub tokens: u64,
    /// Time since the first step, evaluations and checkpoints included.
    pub runtime: Duration,
    /// Time spent in steps.
    pub step_time: Duration,
    /// Why training ended early, where it did.
    pub stopped: Option<StopReason>,
    /// The best evaluation so far.
    pub best: Option<BestSoFar>,
    /// Evaluations since the best one.
    pub without_improvement: usize,
    /// The steps of the checkpoints on disk, in order.
    pub checkpoints: Vec<u64>,
    /// Loss, gradient norm and learning rate over all steps.
    pub curve: Curve,
    /// What was told before the first step.
    pub notes: Vec<String>,
    metric: BestMetric,
    /// By which the examples are known.
    fingerprints: Fingerprints,
    planned_steps: u64,
    planned_epochs: f64,
    loss_sum: f64,
    since_log: Logged,
    log: Vec<Value>,
}

/// The steps since the last line of the log.
#[derive(Default)]
struct Logged {
    steps: u64,
    loss_sum: f64,
    last: Option<Figures>,
}

/// What one step showed.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Figures {
    pub loss: f32,
    pub norm: f32,
    pub learning_rate: f32,
}

impl TrainingState {
    pub(super) fn new(plan: &Plan, parameters: &Parameters, metric: BestMetric, fingerprints: Fingerprints) -> Self {
        Self {
            moments: OptimizerState::new(parameters),
            step: 0,
            epoch: 0.0,
            examples: 0,
            tokens: 0,
            runtime: Duration::ZERO,
            step_time: Duration::ZERO,
            stopped: None,
            best: None,
            without_improvement: 0,
            checkpoints: Vec::new(),
            curve: Curve::default(),
            notes: Vec::new(),
            metric,
            fingerprints,
            planned_steps: plan.steps(),
            planned_epochs: plan.epochs(),
            loss_sum: 0.0,
            since_log: Logged::default(),
            log: Vec::new(),
        }
    }

    /// The state of a run that goes on, as its checkpoint has it.
    pub(super) fn resumed(mut self, interrupted: &Interrupted, parameters: &Parameters) -> Result<Self, Error> {
        let saved = &interrupted.state;
        let damaged = || Error::Damaged { path: interrupted.checkpoint.join(TRAINER_STATE) };
        let number = |value: &Value| value.as_f64().ok_or_else(damaged);
        let count = |value: &Value| value.as_u64().ok_or_else(damaged);
        self.moments = interrupted.moments(parameters)?;
        self.step = count(&saved["global_step"])?;
        self.epoch = number(&saved["epoch"])?;
        self.examples = count(&saved["examples_seen"])?;
        self.tokens = count(&saved["num_input_tokens_seen"])?;
        self.without_improvement = count(&saved[WITHOUT_IMPROVEMENT])? as usize;
        self.checkpoints = interrupted.checkpoints.iter().copied().filter(|step| *step <= self.step).collect();
        self.log = saved["log_history"].as_array().ok_or_else(damaged)?.clone();
        if !saved["best_global_step"].is_null() {
            // JSON has no word for a figure that was not defined.
            let value = if saved["best_metric"].is_null() { f64::NAN } else { number(&saved["best_metric"])? };
            let step = count(&saved["best_global_step"])?;
            self.best = Some(BestSoFar { step, value, scored: None });
        }
        self.curve = Curve::deserialize(&saved[CURVE]).map_err(|_| damaged())?;
        self.notes = Vec::deserialize(&saved[NOTES]).map_err(|_| damaged())?;
        let sums = &saved[SUMS];
        self.runtime = Duration::try_from_secs_f64(number(&sums["runtime"])?).map_err(|_| damaged())?;
        self.step_time = Duration::try_from_secs_f64(number(&sums["step_time"])?).map_err(|_| damaged())?;
        self.loss_sum = number(&sums["loss"])?;
        self.since_log.steps = count(&sums["unlogged_steps"])?;
        self.since_log.loss_sum = number(&sums["unlogged_loss"])?;
        self.since_log.last = serde_json::from_value(sums["unlogged_last"].clone()).map_err(|_| damaged())?;
        Ok(self)
    }

    /// Takes note of what was told, once each: what a run tells that goes on comes behind what it told when it was started.
    pub fn note_told(&mut self, notes: &[String]) {
        for note in notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
    }

    /// The mean loss over all steps.
    pub fn train_loss(&self) -> f64 {
        if self.step == 0 { 0.0 } else { self.loss_sum / self.step as f64 }
    }

    pub(super) fn note_step(&mut self, planned: &PlannedStep, tokens: u64, figures: Figures) {
        self.step = planned.number;
        self.epoch = planned.epoch;
        self.examples += planned.step.examples() as u64;
        self.tokens += tokens;
        self.loss_sum += f64::from(figures.loss);
        self.since_log.steps += 1;
        self.since_log.loss_sum += f64::from(figures.loss);
        self.since_log.last = Some(figures);
        self.curve.note(planned.number, figures);
    }

    pub(super) fn log_if_due(&mut self, recipe: &Recipe) {
        if self.step.is_multiple_of(recipe.log_every) || self.step == self.planned_steps {
            self.log_steps();
        }
    }

    /// A line of the log about the steps since the last one, if there were any.
    pub fn log_steps(&mut self) {
        let Logged { steps, loss_sum, last: Some(last) } = std::mem::take(&mut self.since_log) else { return };
        self.log.push(json!({
            "epoch": self.epoch,
            "grad_norm": last.norm,
            "learning_rate": last.learning_rate,
            "loss": loss_sum / steps as f64,
            "step": self.step,
        }));
    }

    pub(super) fn log_evaluation(&mut self, evaluation: &Evaluation) {
        let mut entry = evaluation.flat("eval");
        entry.insert("epoch".to_owned(), json!(self.epoch));
        entry.insert("step".to_owned(), json!(self.step));
        self.log.push(Value::Object(entry));
    }

    /// The last line of the log of a run that goes no further. JSON has no word for what is not a number, so it stands as text.
    pub(super) fn note_divergence(&mut self, loss: f32, norm: f32, learning_rate: f32) {
        self.log_steps();
        self.log.push(json!({
            "epoch": self.epoch,
            "grad_norm": number_or_text(norm),
            "learning_rate": learning_rate,
            "loss": number_or_text(loss),
            "step": self.step + 1,
        }));
    }

    /// The last line of the log of a run that is done.
    pub fn log_summary(&mut self, entries: &Map<String, Value>) {
        let mut entry = entries.clone();
        entry.insert("step".to_owned(), json!(self.step));
        self.log.push(Value::Object(entry));
    }

    /// Notes an evaluation after the present step and says whether it is the best so far.
    pub(super) fn judge(&mut self, scored: Scored) -> bool {
        let metric = self.metric;
        // The metric is one of the task's: that was looked at before the first step.
        let value = scored.evaluation.metrics.value(metric).unwrap_or(f64::NAN);
        let improves = self.best.as_ref().is_none_or(|best| metric.improves(value, best.value));
        if improves {
            self.best = Some(BestSoFar { step: self.step, value, scored: Some(scored) });
            self.without_improvement = 0;
        } else {
            self.without_improvement += 1;
        }
        improves
    }

    pub(super) fn stop_if_patience_is_over(&mut self, recipe: &Recipe) {
        let over =
            recipe.early_stopping.filter(|&patience| self.without_improvement >= patience && self.step < self.planned_steps);
        if let (Some(patience), Some(best)) = (over, &self.best) {
            self.stopped = Some(StopReason::EarlyStopping { patience, best_step: best.step });
        }
    }

    /// The checkpoints to remove so that, beside the best one, only the latest `limit` stay.
    pub(super) fn superfluous(&self, limit: Option<usize>) -> Vec<u64> {
        let Some(limit) = limit else { return Vec::new() };
        let best = self.best.as_ref().map(|best| best.step);
        let mut others: Vec<u64> = self.checkpoints.iter().copied().filter(|step| Some(*step) != best).collect();
        others.truncate(others.len().saturating_sub(limit));
        others
    }

    /// The figure that checkpoints are chosen by.
    pub fn metric(&self) -> BestMetric {
        self.metric
    }

    /// The lines of the log that are evaluations on the validation split.
    pub fn evaluations(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.log.iter().filter_map(Value::as_object).filter(|entry| entry.contains_key("eval_loss"))
    }

    /// Where the last checkpoint stands.
    pub fn last_checkpoint(&self, run: &RunFolder) -> Option<PathBuf> {
        self.checkpoints.last().map(|&step| run.checkpoint(step))
    }

    /// The state as transformers' Trainer would write it.
    pub fn to_json(&self, recipe: &Recipe) -> Value {
        let best = self.best.as_ref();
        json!({
            "best_global_step": best.map(|best| best.step),
            "best_metric": best.map(|best| best.value),
            "best_model_checkpoint": best.map(|best| recipe.output.join(format!("checkpoint-{}", best.step))),
            "metric_for_best_model": self.metric.word(),
            "epoch": self.epoch,
            (WITHOUT_IMPROVEMENT): self.without_improvement,
            "global_step": self.step,
            "examples_seen": self.examples,
            "num_input_tokens_seen": self.tokens,
            "max_steps": self.planned_steps,
            "num_train_epochs": self.planned_epochs,
            "train_batch_size": recipe.batch_size,
            "logging_steps": recipe.log_every,
            "stopped": self.stopped,
            (CURVE): self.curve,
            (NOTES): self.notes,
            (DATA): self.fingerprints,
            (UPDATES): self.moments.updates().collect::<Vec<u64>>(),
            (SUMS): {
                "runtime": self.runtime.as_secs_f64(),
                "step_time": self.step_time.as_secs_f64(),
                "loss": self.loss_sum,
                "unlogged_steps": self.since_log.steps,
                "unlogged_loss": self.since_log.loss_sum,
                "unlogged_last": self.since_log.last,
            },
            "log_history": self.log,
        })
    }
}

fn number_or_text(value: f32) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}
