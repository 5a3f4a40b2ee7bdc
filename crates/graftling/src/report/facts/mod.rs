//! What a report tells, as plain figures and texts: what `report.json` holds and what every section is made from.
//! Knows no page and no language; each list is bounded, so that thousands of classes and long texts stay a small file.

mod data;
mod examined;
mod repeats;
mod run;

use std::collections::BTreeMap;
use std::path::Path;

use graftling_models::Model;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use data::{Distribution, SplitFacts};
pub(crate) use examined::{Examined, ScoredSplit};
pub(crate) use repeats::Texts;
pub(crate) use run::Run;

use super::Language;
use crate::StopReason;
use crate::decisions::BriefDecisions;
use crate::fit::CurvePoint;
use crate::metrics::{ClassMetrics, Intervals};
use crate::recipe::Recipe;
use crate::tasks::Told;

/// The most classes, labels or outputs that are listed.
pub(crate) const MOST_LISTED: usize = 500;
/// The most classes whose confusion matrix is kept cell by cell.
pub(crate) const MOST_MATRIX_CLASSES: usize = 100;

/// Everything a report tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The language that the page is written in.
    pub language: Language,
    /// The task, by its word in a recipe.
    pub task: String,
    /// The program, and how to do the same again.
    pub made: MadeFacts,
    /// Training, in a few figures.
    pub training: TrainingFacts,
    /// What the run was told to do: every option.
    pub recipe: Vec<OptionFacts>,
    /// What it started from.
    pub model: ModelDescription,
    /// The examples, split by split.
    pub data: Vec<SplitFacts>,
    /// How training went, step by step.
    pub curves: CurveFacts,
    /// How the model does, split by split.
    pub evaluations: Vec<EvaluationFacts>,
    /// What a person should know, as it was told when it was found.
    pub notes: Vec<String>,
    /// What it took.
    pub cost: CostFacts,
}

/// By what a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MadeFacts {
    /// The version of this program.
    pub version: String,
    /// Operating system and processor.
    pub platform: String,
    /// A command that makes the same run again.
    pub command: String,
}

/// Training, in a few figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainingFacts {
    pub steps: u64,
    pub planned_steps: u64,
    pub epoch: f64,
    /// The highest learning rate of the schedule.
    pub learning_rate: f32,
    pub train_loss: f64,
    /// Examples of an epoch; a text in windows counts once for each.
    pub examples: usize,
    /// The figure that chose the best checkpoint, where there was an evaluation.
    pub metric_for_best_model: String,
    pub best_step: Option<u64>,
    pub best_metric: Option<f64>,
    /// Why training ended early, where it did.
    pub stopped: Option<StopReason>,
}

/// One option of the recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OptionFacts {
    pub name: String,
    /// As it would be written in a recipe; none where it is not set.
    pub value: Option<String>,
    pub default: String,
    pub is_default: bool,
}

/// The model that training began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelDescription {
    /// As the recipe names it.
    pub name: String,
    /// Where its files lay.
    pub folder: String,
    pub family: String,
    pub parameters: usize,
    pub trained_parameters: usize,
    pub hidden_size: usize,
    pub layers: usize,
    pub attention_heads: usize,
    pub vocabulary: usize,
    /// That of what is written, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder_vocabulary: Option<usize>,
    /// None where sequences may be of any length.
    pub positions: Option<usize>,
    /// The most tokens of a text that were read at once.
    pub max_length: usize,
    pub labels: usize,
}

/// How training went, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurveFacts {
    /// How many steps a point of the training curves stands for.
    pub steps_each: u64,
    pub training: Vec<CurvePoint>,
    /// The evaluations on the validation split.
    pub validation: Vec<ValidationPoint>,
    /// The validation figures to draw beside the loss, the one that chose the checkpoint first.
    pub metrics: Vec<String>,
    /// How long what the model writes is, where evaluations during training had it write.
    #[serde(default)]
    pub lengths: Option<LengthCurve>,
}

/// How long texts are that a model writes, by step, in tokens as `gen_len` counts them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LengthCurve {
    /// Steps with the mean length of what was written after each on the validation split.
    pub written: Vec<(u64, f64)>,
    /// The mean length of what should have been written.
    pub references: f64,
}

/// One evaluation on the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ValidationPoint {
    pub step: u64,
    /// Figures by name.
    pub figures: Map<String, Value>,
}

/// How the model does on a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvaluationFacts {
    /// The name of the split.
    pub split: String,
    pub examples: u64,
    /// The figures that matter most, by the names of the results files.
    pub headline: Vec<String>,
    /// Every figure that is not of one class, by the names of the results files without their prefix.
    pub figures: Map<String, Value>,
    /// In which range figures lie, where that was computed.
    pub intervals: Option<IntervalFacts>,
    /// The temperature and thresholds that the figures obey, where something was fitted or given.
    #[serde(default)]
    pub decisions: Option<BriefDecisions>,
    /// What the split was looked at for beyond its figures; one split of a report is.
    pub examined: Option<Examined>,
}

/// In which range figures lie for most drawings of the examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IntervalFacts {
    /// The share of the drawings whose figures lie in the range.
    pub level: f64,
    /// How many times the examples were drawn.
    pub resamples: usize,
    /// The ends of each, by the name of the figure.
    pub ends: BTreeMap<String, [f64; 2]>,
}

impl IntervalFacts {
    fn of(intervals: &Intervals) -> Self {
        let ends = intervals.figures.iter().map(|figure| (figure.name.key.to_owned(), [figure.low, figure.high]));
        Self { level: intervals.level, resamples: intervals.resamples, ends: ends.collect() }
    }
}

/// The figures of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClassFacts {
    pub label: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub support: u64,
    pub predicted: u64,
}

impl ClassFacts {
    fn of(class: &ClassMetrics) -> Self {
        let ClassMetrics { label, figures, support, predicted } = class;
        let (precision, recall, f1) = (figures.precision, figures.recall, figures.f1);
        Self { label: label.clone(), precision, recall, f1, support: *support, predicted: *predicted }
    }
}

/// Which class was taken for which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ConfusionFacts {
    pub classes: usize,
    /// The names of the classes in their order, where there are few enough for a matrix.
    pub labels: Vec<String>,
    /// Every cell that is not zero as true class, predicted class and count, where there are few enough classes.
    pub cells: Vec<[u64; 3]>,
    /// The most frequent mistakes.
    pub mistakes: Vec<MistakeFacts>,
}

/// A class that was taken for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MistakeFacts {
    pub label: String,
    pub predicted: String,
    pub count: u64,
    /// Examples of the true class.
    pub support: u64,
}

/// True and predicted numbers of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScatterFacts {
    /// Pairs of true and predicted number: all, or every n-th.
    pub points: Vec<[f32; 2]>,
    /// How many there are in all.
    pub of: usize,
}

/// An example that went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HardFacts {
    /// The line of the file, from 1, where each example has its own.
    pub line: Option<usize>,
    /// How far off the answer is, by the measure of the task.
    pub error: f64,
    /// The texts; long ones are cut.
    pub texts: Vec<String>,
    pub told: Told,
}

/// A text that was written, beside what it should have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleFacts {
    pub standing: Standing,
    /// How well the two agree, from 0 to 1, and what that is measured by.
    pub agreement: f64,
    pub measure: String,
    /// The line of the file, from 1, where each example has its own.
    pub line: Option<usize>,
    /// What it was written from; long texts are cut.
    pub source: String,
    pub reference: String,
    pub written: String,
}

/// Where among all texts of a split one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Best,
    Median,
    Worst,
}

/// What a run took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CostFacts {
    /// When the run ended, in seconds since 1970.
    pub finished: u64,
    pub runtime_seconds: f64,
    /// The part of it that went into steps.
    pub step_seconds: f64,
    pub tokens: u64,
    pub examples_seen: u64,
    pub threads: usize,
    pub peak_memory_bytes: Option<u64>,
    /// Split, seconds and tokens of each evaluation in the report.
    pub evaluations: Vec<EvaluationCost>,
}

/// What an evaluation took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvaluationCost {
    pub split: String,
    pub seconds: f64,
    pub tokens: u64,
}

impl ModelDescription {
    /// What there is to say of a model that was trained.
    pub fn new(model: &Model, folder: &Path, max_length: usize, recipe: &Recipe) -> Self {
        let (facts, parameters) = (model.facts(), &model.parameters);
        let trained = parameters.ids().filter(|&id| parameters.is_trainable(id)).map(|id| parameters.values(id).len()).sum();
        Self {
            name: recipe.model.clone(),
            folder: folder.display().to_string(),
            family: facts.family.to_owned(),
            parameters: facts.parameter_count,
            trained_parameters: trained,
            hidden_size: facts.hidden_size,
            layers: facts.num_hidden_layers,
            attention_heads: facts.num_attention_heads,
            vocabulary: facts.vocabulary_size,
            decoder_vocabulary: facts
                .decoder
                .map(|decoder| decoder.vocabulary_size)
                .filter(|size| *size != facts.vocabulary_size),
            positions: facts.max_positions,
            max_length,
            labels: model.labels().len(),
        }
    }
}
