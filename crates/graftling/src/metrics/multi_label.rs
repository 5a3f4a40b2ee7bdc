//! The figures of labels that each hold or not by themselves. Knows sets of labels only; no model and no text.
//!
//! Definitions and averages are scikit-learn's with `zero_division=0`, for indicator matrices.

use serde_json::{Map, Value, json};

use super::counts::Counts;
use super::tables::{aligned, classes_table, row};
use super::{Averages, ClassMetrics};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiLabelMetrics {
    /// Examples evaluated.
    pub examples: u64,
    /// Mean loss over all decisions.
    pub loss: f64,
    /// Share of examples whose labels are all right (`accuracy_score`).
    pub subset_accuracy: f64,
    /// Share of decisions that are wrong (`hamming_loss`).
    pub hamming_loss: f64,
    /// All decisions pooled.
    pub micro: Averages,
    /// Mean over labels.
    pub macro_: Averages,
    /// Mean over labels, each weighing as many examples as have it.
    pub weighted: Averages,
    /// Mean over examples, each judged by its own labels.
    pub samples: Averages,
    /// Each label, in the order of the logits.
    pub labels: Vec<ClassMetrics>,
}

impl MultiLabelMetrics {
    /// The figures of predictions against truths: one decision a label and example, the labels of an example end to end.
    ///
    /// # Panics
    /// If there are not as many predictions as truths, or not one for every label of every example.
    pub fn new(names: &[String], truths: &[bool], predictions: &[bool], loss: f64) -> Self {
        let count = names.len();
        assert_eq!(truths.len(), predictions.len(), "multi-label metrics: truths and predictions");
        assert!(
            count > 0 && truths.len().is_multiple_of(count),
            "multi-label metrics: {} decisions, {count} labels",
            truths.len()
        );
        let (mut of_labels, mut all) = (vec![Counts::default(); count], Counts::default());
        let (mut whole, mut wrong) = (0_u64, 0_u64);
        let mut samples = Vec::with_capacity(truths.len() / count);
        for (truths, predictions) in truths.chunks(count).zip(predictions.chunks(count)) {
            let mut of_sample = Counts::default();
            for (label, (&truth, &predicted)) in truths.iter().zip(predictions).enumerate() {
                let decision = Counts::of(truth, predicted);
                of_labels[label].add(decision, 1);
                of_sample.add(decision, 1);
                all.add(decision, 1);
                wrong += u64::from(truth != predicted);
            }
            whole += u64::from(truths == predictions);
            samples.push((1, of_sample.figures()));
        }
        let examples = samples.len() as u64;
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        let labels: Vec<ClassMetrics> =
            names.iter().zip(&of_labels).map(|(name, counts)| ClassMetrics::new(name, *counts)).collect();
        Self {
            examples,
            loss,
            subset_accuracy: share(whole, examples),
            hamming_loss: share(wrong, truths.len() as u64),
            micro: all.figures(),
            macro_: Averages::mean(labels.iter().map(|label| (1, label.figures))),
            weighted: Averages::mean(labels.iter().map(|label| (label.support, label.figures))),
            samples: Averages::mean(samples),
            labels,
        }
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of several labels.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::F1Micro => Some(self.micro.f1),
            BestMetric::F1Macro => Some(self.macro_.f1),
            BestMetric::F1Weighted => Some(self.weighted.f1),
            BestMetric::Accuracy => Some(self.subset_accuracy),
            BestMetric::Loss => Some(self.loss),
            _ => None,
        }
    }

    /// Every figure that is not of one label, under the names that transformers' Trainer would write.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        put("accuracy", json!(self.subset_accuracy));
        put("hamming_loss", json!(self.hamming_loss));
        for (average, figures) in self.averages() {
            put(&format!("precision_{average}"), json!(figures.precision));
            put(&format!("recall_{average}"), json!(figures.recall));
            put(&format!("f1_{average}"), json!(figures.f1));
        }
        put("examples", json!(self.examples));
        flat
    }

    fn averages(&self) -> [(&'static str, Averages); 4] {
        [("micro", self.micro), ("macro", self.macro_), ("weighted", self.weighted), ("samples", self.samples)]
    }

    /// Precision, recall and F1 of each label and averaged; of too many labels, the ones with the lowest F1.
    pub fn table(&self) -> String {
        let decisions: u64 = self.labels.iter().map(|label| label.support).sum();
        let averages = self.averages().map(|(name, figures)| row(name, &figures, decisions));
        let (title, mut rows) = classes_table(["label", "labels"], &self.labels);
        rows.extend(averages);
        format!("{title}{}", aligned(&rows, 1))
    }
}
