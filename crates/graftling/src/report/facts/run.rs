//! The facts of a finished run, put together from all that it knows. Knows no page.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::{
    CostFacts, CurveFacts, EvaluationCost, EvaluationFacts, Facts, LengthCurve, MadeFacts, ModelDescription, OptionFacts,
    ScoredSplit, SplitFacts, TrainingFacts, ValidationPoint,
};
use crate::fit::TrainingState;
use crate::recipe::{BestMetric, Recipe};
use crate::report::{Language, names};
use crate::{Evaluation, SplitName, TrainSummary};

/// Validation figures drawn beside the loss.
const CURVES: usize = 3;

/// All that a finished run knows.
pub(crate) struct Run<'a> {
    pub recipe: &'a Recipe,
    pub language: Language,
    pub model: ModelDescription,
    pub summary: &'a TrainSummary,
    pub state: &'a TrainingState,
    pub splits: Vec<SplitFacts>,
    /// The figures that checkpoints may be chosen by.
    pub best_metrics: &'a [BestMetric],
    pub notes: Vec<String>,
    /// The split that is looked at example by example, and its answers.
    pub examined: Option<(SplitName, ScoredSplit<'a>)>,
}

impl Run<'_> {
    /// The facts.
    pub fn facts(self) -> Facts {
        let Self { recipe, summary, state, .. } = &self;
        let evaluations = [(SplitName::Validation, &summary.validation), (SplitName::Test, &summary.test)];
        let evaluations: Vec<(SplitName, &Evaluation)> =
            evaluations.into_iter().filter_map(|(split, evaluation)| Some((split, evaluation.as_ref()?))).collect();
        let scored = |split| self.examined.as_ref().filter(|(examined, _)| *examined == split).map(|(_, scored)| scored);
        let curves = CurveFacts { lengths: self.lengths(), ..curves(state, self.best_metrics) };
        Facts {
            language: self.language,
            task: recipe.task.to_string(),
            made: MadeFacts {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                command: recipe.command(),
            },
            training: TrainingFacts {
                steps: summary.steps,
                planned_steps: summary.planned_steps,
                epoch: summary.epoch,
                learning_rate: summary.learning_rate,
                train_loss: summary.train_loss,
                examples: summary.train_examples,
                metric_for_best_model: state.metric().word().to_owned(),
                best_step: summary.best.as_ref().map(|best| best.step),
                best_metric: summary.best.as_ref().map(|best| best.value).filter(|value| value.is_finite()),
                stopped: summary.stopped,
            },
            recipe: options(recipe),
            data: self.splits.clone(),
            curves,
            evaluations: evaluations
                .iter()
                .map(|(split, evaluation)| EvaluationFacts::new(*split, evaluation, scored(*split)))
                .collect(),
            cost: CostFacts {
                finished: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
                runtime_seconds: summary.runtime.as_secs_f64(),
                step_seconds: summary.step_time.as_secs_f64(),
                tokens: summary.tokens,
                examples_seen: summary.examples_seen,
                threads: rayon::current_num_threads(),
                peak_memory_bytes: summary.peak_memory_bytes,
                evaluations: evaluations.iter().map(|(split, evaluation)| EvaluationCost::new(*split, evaluation)).collect(),
            },
            model: self.model,
            notes: self.notes,
        }
    }

    /// How long what was written during training is, beside what should have been; none where checkpoints are chosen by no figure of it, so
    /// that nothing was written before the end.
    fn lengths(&self) -> Option<LengthCurve> {
        let validation = self.splits.iter().find(|split| split.split == SplitName::Validation.to_string())?;
        let point = |entry: &Map<String, Value>| Some((entry.get("step")?.as_u64()?, entry.get("eval_gen_len")?.as_f64()?));
        let written: Vec<(u64, f64)> = self.state.evaluations().filter_map(point).collect();
        let references = validation.targets.as_ref()?.mean_written;
        (!written.is_empty()).then_some(LengthCurve { written, references })
    }
}

impl EvaluationCost {
    /// What an evaluation took.
    pub fn new(split: SplitName, evaluation: &Evaluation) -> Self {
        Self { split: split.to_string(), seconds: evaluation.runtime.as_secs_f64(), tokens: evaluation.tokens }
    }
}

impl Facts {
    /// The name of the run: that of its folder.
    pub fn name(&self) -> String {
        let output = self.recipe.iter().find(|option| option.name == "output").and_then(|option| option.value.as_deref());
        let output = Path::new(output.unwrap_or_default());
        output.file_name().map_or_else(|| output.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// Puts a split that was evaluated afterwards in, in the place of an earlier one of that name.
    pub fn add(&mut self, split: SplitFacts, evaluation: EvaluationFacts, cost: EvaluationCost) {
        self.data.retain(|other| other.split != split.split);
        self.evaluations.retain(|other| other.split != evaluation.split);
        self.cost.evaluations.retain(|other| other.split != cost.split);
        self.data.push(split);
        self.evaluations.push(evaluation);
        self.cost.evaluations.push(cost);
    }
}

/// Every option, as the run folder's recipe has it.
fn options(recipe: &Recipe) -> Vec<OptionFacts> {
    let recipe = Recipe { resume: false, ..recipe.clone() };
    let options = recipe.options().into_iter().map(|option| OptionFacts {
        name: option.field.name.to_owned(),
        is_default: option.is_default(),
        default: option.field.default_text().to_owned(),
        value: option.shown(),
    });
    options.collect()
}

fn curves(state: &TrainingState, best_metrics: &[BestMetric]) -> CurveFacts {
    let chosen = std::iter::once(state.metric()).chain(best_metrics.iter().copied());
    let series = |name: &str| -> Vec<Option<f64>> {
        state.evaluations().map(|entry| entry.get(&format!("eval_{name}"))?.as_f64()).collect()
    };
    // Some figures are one and the same, as accuracy and micro F1 of one label a text.
    let mut drawn: Vec<(&str, Vec<Option<f64>>)> = Vec::new();
    for name in chosen.filter(|metric| *metric != BestMetric::Loss).flat_map(names::keys_of) {
        let values = series(name);
        if drawn.len() < CURVES && values.iter().any(Option::is_some) && drawn.iter().all(|(_, other)| *other != values) {
            drawn.push((name, values));
        }
    }
    let metrics: Vec<String> = drawn.into_iter().map(|(name, _)| name.to_owned()).collect();
    let point = |entry: &Map<String, Value>| {
        let figure = |name: &str| Some((name.to_owned(), entry.get(&format!("eval_{name}"))?.clone()));
        let names = std::iter::once("loss").chain(metrics.iter().map(String::as_str));
        ValidationPoint {
            step: entry.get("step").and_then(Value::as_u64).unwrap_or(0),
            figures: names.filter_map(figure).collect(),
        }
    };
    CurveFacts {
        steps_each: state.curve.steps_each(),
        training: state.curve.points(),
        validation: state.evaluations().map(point).collect(),
        metrics,
        lengths: None,
    }
}
