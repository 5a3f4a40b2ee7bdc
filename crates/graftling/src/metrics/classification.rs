//! The figures of a classification: accuracy, precision, recall and F1 by class and averaged, Matthews, mean loss.
//! Knows the confusion matrix and the class names; nothing of models.
//!
//! Definitions and averages are scikit-learn's defaults: what would be divided by zero is 0, and a class that is neither among the
//! true nor among the predicted ones does not enter the averages. How often that happened is counted.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::ConfusionMatrix;
use super::counts::{Counts, matthews};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationMetrics {
    /// Examples evaluated.
    pub examples: u64,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of examples whose class was predicted.
    pub accuracy: f64,
    /// All decisions pooled; with one class an example, each of the three equals the accuracy.
    pub micro: Averages,
    /// Mean over classes.
    pub macro_: Averages,
    /// Mean over classes, each weighing as many examples as it has.
    pub weighted: Averages,
    /// Matthews correlation coefficient, for any number of classes (Gorodkin 2004); 0 where it is not defined.
    pub matthews: f64,
    /// Where 0 stands for a division by zero.
    pub zero_divisions: ZeroDivisions,
    /// Each class, in the order of the class numbers.
    pub classes: Vec<ClassMetrics>,
}

/// Precision, recall and F1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Averages {
    /// Of what was predicted, the share that was right.
    pub precision: f64,
    /// Of what was there, the share that was found.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

impl Averages {
    /// The mean of figures, each with its weight; 0 where all weights are.
    pub(super) fn mean(weighed: impl IntoIterator<Item = (u64, Averages)>) -> Averages {
        let mut sum = Averages::default();
        let mut total = 0.0;
        for (weight, figures) in weighed {
            let weight = weight as f64;
            sum.precision += weight * figures.precision;
            sum.recall += weight * figures.recall;
            sum.f1 += weight * figures.f1;
            total += weight;
        }
        if total > 0.0 {
            Averages { precision: sum.precision / total, recall: sum.recall / total, f1: sum.f1 / total }
        } else {
            Averages::default()
        }
    }
}

/// The figures of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The name of the class.
    pub label: String,
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub figures: Averages,
    /// Examples of this class.
    pub support: u64,
    /// Examples for which it was predicted.
    pub predicted: u64,
}

/// How many classes have a figure that would be divided by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ZeroDivisions {
    /// Classes that have examples but were never predicted: their precision counts as 0.
    pub precision: usize,
    /// Classes that were predicted but have no example: their recall counts as 0.
    pub recall: usize,
    /// Classes without examples and without predictions: they do not enter the averages.
    pub absent: usize,
}

impl ClassificationMetrics {
    /// The figures of a confusion matrix. `labels` names its classes; `total_loss` is the sum of the examples' losses.
    /// Without examples every figure is 0.
    pub fn new(matrix: &ConfusionMatrix, labels: &[String], total_loss: f64) -> ClassificationMetrics {
        assert_eq!(labels.len(), matrix.classes(), "metrics: {} labels but {} classes", labels.len(), matrix.classes());
        let counts: Vec<Counts> = (0..labels.len()).map(|class| matrix.counts(class)).collect();
        let classes: Vec<ClassMetrics> =
            labels.iter().zip(&counts).map(|(label, counts)| ClassMetrics::new(label, *counts)).collect();
        let examples = matrix.examples();
        let accuracy = share(matrix.correct(), examples);
        ClassificationMetrics {
            examples,
            loss: if examples == 0 { 0.0 } else { total_loss / examples as f64 },
            accuracy,
            micro: Averages { precision: accuracy, recall: accuracy, f1: accuracy },
            macro_: Averages::mean(classes.iter().filter(|class| class.is_present()).map(|class| (1, class.figures))),
            weighted: Averages::mean(classes.iter().map(|class| (class.support, class.figures))),
            matthews: matthews(&counts),
            zero_divisions: ZeroDivisions {
                precision: classes.iter().filter(|class| class.predicted == 0 && class.support > 0).count(),
                recall: classes.iter().filter(|class| class.support == 0 && class.predicted > 0).count(),
                absent: classes.iter().filter(|class| !class.is_present()).count(),
            },
            classes,
        }
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of a classification.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::Accuracy => Some(self.accuracy),
            BestMetric::F1Macro => Some(self.macro_.f1),
            BestMetric::F1Micro => Some(self.micro.f1),
            BestMetric::F1Weighted => Some(self.weighted.f1),
            BestMetric::Matthews => Some(self.matthews),
            BestMetric::Loss => Some(self.loss),
            _ => None,
        }
    }

    /// Every figure that is not of one class, under the names transformers' Trainer would write: `eval_loss`, `eval_f1_macro`.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        put("accuracy", json!(self.accuracy));
        for (average, figures) in [("macro", self.macro_), ("micro", self.micro), ("weighted", self.weighted)] {
            put(&format!("precision_{average}"), json!(figures.precision));
            put(&format!("recall_{average}"), json!(figures.recall));
            put(&format!("f1_{average}"), json!(figures.f1));
        }
        put("matthews", json!(self.matthews));
        put("examples", json!(self.examples));
        put("zero_division_precision", json!(self.zero_divisions.precision));
        put("zero_division_recall", json!(self.zero_divisions.recall));
        put("absent_classes", json!(self.zero_divisions.absent));
        flat
    }
}

/// The flat form with the prefix `eval`.
impl Serialize for ClassificationMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.flat("eval").serialize(serializer)
    }
}

impl ClassMetrics {
    pub(super) fn new(label: &str, counts: Counts) -> Self {
        let Counts { support, predicted, .. } = counts;
        Self { label: label.to_owned(), figures: counts.figures(), support, predicted }
    }

    /// Whether the class is among the true or the predicted ones.
    fn is_present(&self) -> bool {
        self.support + self.predicted > 0
    }
}

/// 0 of 0 is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
