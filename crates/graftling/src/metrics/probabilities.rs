//! What probabilities are worth beside the decisions made by them: ROC-AUC, average precision, Brier score, calibration error.
//! Knows numbers only; no model and no text.
//!
//! The first three are scikit-learn's. Where one is not defined (a class that has no example, or all of them), it is absent, and never a
//! number that means nothing.

use serde_json::{Map, Value, json};

use super::areas::{Area, Areas};
pub(super) use super::reliability::BINS;
use super::tables::figure;
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbabilityMetrics {
    /// The area under the ROC curve (`roc_auc_score`): of two classes that of the second; of more the mean of each against the rest; of
    /// labels that hold or not the mean over them.
    pub roc_auc: Option<f64>,
    /// The area under the curve of precision and recall, as a sum of steps (`average_precision_score`), averaged likewise.
    pub average_precision: Option<f64>,
    /// Both over all decisions pooled, where labels hold or not by themselves.
    pub pooled: Option<Pooled>,
    /// The mean squared distance of probabilities and truths (`brier_score_loss`): of two classes that of the second; of more the sum
    /// over the classes; of labels that hold or not the mean over all decisions.
    pub brier: f64,
    /// Expected calibration error (Guo and others, 2017, equation 3): how far confidence and accuracy are apart, in the mean over the
    /// examples (or decisions), which are sorted by confidence into 15 bins of equal width.
    pub calibration_error: f64,
}

/// Figures over all decisions pooled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// The area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

impl ProbabilityMetrics {
    /// Of one class an example: `classes` probabilities for each, end to end.
    ///
    /// # Panics
    /// If there are not as many probabilities as truths times classes, or a truth is not a class.
    pub fn of_classes(classes: usize, probabilities: &[f32], truths: &[usize]) -> Self {
        assert_eq!(probabilities.len(), truths.len() * classes, "probabilities of {classes} classes for {} truths", truths.len());
        assert!(truths.iter().all(|truth| *truth < classes), "probabilities: a truth beyond {classes} classes");
        let Area { roc_auc, average_precision } = Areas::of_classes(classes, probabilities, truths).mean(|_| 1);
        let rows = || probabilities.chunks_exact(classes.max(1)).zip(truths);
        let brier = mean(rows().map(|(row, truth)| class_brier(row, *truth)), truths.len());
        let calibration_error = calibration_error(rows().map(|(row, truth)| class_confidence(row, *truth)), truths.len());
        Self { roc_auc, average_precision, pooled: None, brier, calibration_error }
    }

    /// Of labels that hold or not by themselves: one probability and truth for each label of each example, end to end.
    ///
    /// # Panics
    /// If there are not as many probabilities as truths.
    pub fn of_labels(labels: usize, probabilities: &[f32], truths: &[bool]) -> Self {
        assert_eq!(probabilities.len(), truths.len(), "probabilities of labels and their truths");
        let areas = Areas::of_labels(labels, probabilities, truths);
        let Area { roc_auc, average_precision } = areas.mean(|_| 1);
        let decisions = || probabilities.iter().zip(truths);
        let brier = mean(decisions().map(|(p, truth)| label_brier(*p, *truth)), truths.len());
        let calibration_error = calibration_error(decisions().map(|(p, truth)| label_confidence(*p, *truth)), truths.len());
        let pooled = areas.pooled(|_| 1).map(|Area { roc_auc, average_precision }| Pooled { roc_auc, average_precision });
        Self { roc_auc, average_precision, pooled, brier, calibration_error }
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of probabilities; no number where it is not defined.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::RocAuc => Some(self.roc_auc.unwrap_or(f64::NAN)),
            BestMetric::AveragePrecision => Some(self.average_precision.unwrap_or(f64::NAN)),
            _ => None,
        }
    }

    /// Every figure under its name; what is not defined is null.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("roc_auc", json!(self.roc_auc));
        put("average_precision", json!(self.average_precision));
        if let Some(pooled) = &self.pooled {
            put("roc_auc_micro", json!(pooled.roc_auc));
            put("average_precision_micro", json!(pooled.average_precision));
        }
        put("brier", json!(self.brier));
        put("calibration_error", json!(self.calibration_error));
        flat
    }

    /// The figures in a line.
    pub fn line(&self) -> String {
        let told = |value: Option<f64>| value.map_or("-".to_owned(), figure);
        let mut line = format!("ROC-AUC {}  average precision {}", told(self.roc_auc), told(self.average_precision));
        if let Some(Pooled { roc_auc, average_precision }) = self.pooled {
            line += &format!("  (pooled {} and {})", told(roc_auc), told(average_precision));
        }
        line + &format!("  Brier {}  calibration error {}\n", figure(self.brier), figure(self.calibration_error))
    }
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count.max(1) as f64
}

/// The squared distance of an example's probabilities from its class; of two classes that of the second.
pub(super) fn class_brier(row: &[f32], truth: usize) -> f64 {
    let each = row.iter().enumerate().map(|(class, p)| (f64::from(*p) - f64::from(u8::from(class == truth))).powi(2));
    if row.len() == 2 { each.skip(1).sum() } else { each.sum() }
}

/// The squared distance of a probability from whether its label holds.
pub(super) fn label_brier(p: f32, truth: bool) -> f64 {
    (f64::from(p) - f64::from(u8::from(truth))).powi(2)
}

/// The bin of the most probable class, and how far its probability is above whether it is true.
pub(super) fn class_confidence(row: &[f32], truth: usize) -> (usize, f64) {
    let best = (0..row.len()).rev().max_by(|&left, &right| row[left].total_cmp(&row[right])).unwrap_or(0);
    confidence(f64::from(row[best]), best == truth)
}

/// The bin of the likelier of two answers about a label, and how far its probability is above whether it is true.
pub(super) fn label_confidence(p: f32, truth: bool) -> (usize, f64) {
    let p = f64::from(p);
    if p > 0.5 { confidence(p, truth) } else { confidence(1.0 - p, !truth) }
}

/// A bin holds what is above its lower end and at most its upper one.
fn confidence(confidence: f64, right: bool) -> (usize, f64) {
    let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
    (bin, confidence - f64::from(u8::from(right)))
}

/// Of the bins of confidences, and how far each is above what came true.
fn calibration_error(decisions: impl Iterator<Item = (usize, f64)>, count: usize) -> f64 {
    let mut gaps = [0.0; BINS];
    decisions.for_each(|(bin, gap)| gaps[bin] += gap);
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case of `tools/reference/probabilities.py`: the kind, how many classes or labels, the truths as letters, the probabilities in
    /// sixty-fourths, the figures.
    #[derive(serde::Deserialize)]
    struct Case(String, usize, String, Vec<u8>, Vec<Option<f64>>);

    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/probabilities.json")).unwrap();
        let mut wrong = Vec::new();
        for (number, Case(kind, columns, truths, probabilities, expected)) in golden.cases.iter().enumerate() {
            let probabilities: Vec<f32> = probabilities.iter().map(|part| f32::from(*part) / 64.0).collect();
            let letters = truths.bytes().map(|letter| usize::from(letter - b'0'));
            let found = match kind.as_str() {
                "classes" => ProbabilityMetrics::of_classes(*columns, &probabilities, &letters.collect::<Vec<_>>()),
                _ => ProbabilityMetrics::of_labels(
                    *columns,
                    &probabilities,
                    &letters.map(|letter| letter == 1).collect::<Vec<_>>(),
                ),
            };
            let mut figures = vec![found.roc_auc, found.average_precision, Some(found.brier), Some(found.calibration_error)];
            figures.extend(found.pooled.iter().flat_map(|pooled| [pooled.roc_auc, pooled.average_precision]));
            let same = |(found, expected): (&Option<f64>, &Option<f64>)| match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-8,
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if figures.len() != expected.len() || !figures.iter().zip(expected).all(same) {
                wrong.push(format!("case {number} ({kind}): {figures:?}, scikit-learn says {expected:?}"));
            }
        }
        assert!(golden.cases.len() >= 1000, "{} cases", golden.cases.len());
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        let one_class = ProbabilityMetrics::of_classes(2, &[0.25, 0.75, 0.5, 0.5], &[1, 1]);
        assert_eq!((one_class.roc_auc, one_class.average_precision), (None, Some(1.0)));
        assert!(one_class.line().starts_with("ROC-AUC -  average precision 1.0000"), "{}", one_class.line());
        let nothing = ProbabilityMetrics::of_labels(3, &[], &[]);
        assert_eq!((nothing.roc_auc, nothing.brier, nothing.calibration_error), (None, 0.0, 0.0));
        assert!(nothing.flat("test")["test_roc_auc"].is_null());
    }
}
