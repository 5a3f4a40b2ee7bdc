//! One label for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::Head;
use graftling_tensor::{Graph, Var};
use graftling_text::{Dataset, LabelSet};

use super::class_loss::ClassLoss;
use super::{Answer, Objective, Spoken, Target};
use crate::data::Data;
use crate::metrics::{ClassificationMetrics, ClassificationSample, ConfusionMatrix, Metrics, ProbabilityMetrics, Resampled};
use crate::recipe::{BestMetric, Recipe};
use crate::{Error, Said};

/// The labels to tell apart, and the loss that training lowers.
pub(super) struct SequenceClassification {
    labels: LabelSet,
    loss: ClassLoss,
}

impl SequenceClassification {
    /// The labels that occur in the training examples, in the order of their names.
    pub fn from_examples(dataset: &Dataset, recipe: &Recipe) -> Result<Self, Error> {
        let labels = LabelSet::for_training(dataset)?;
        let loss = ClassLoss::of_one_label(recipe, &labels, labels.ids(dataset)?)?;
        Ok(Self { labels, loss })
    }

    /// The labels of a model, in the order of its logits.
    pub fn from_labels(labels: &[String]) -> Self {
        Self { labels: LabelSet::from_names(labels), loss: ClassLoss::plain() }
    }
}

impl Objective for SequenceClassification {
    fn head(&self) -> Head {
        Head::single_label(self.labels.names())
    }

    fn labels(&self) -> &[String] {
        self.labels.names()
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::Labelled(dataset) = data else { panic!("sequence classification: examples of another form") };
        Ok(self.labels.ids(dataset)?.into_iter().map(Target::Class).collect())
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let classes: Vec<usize> = targets.iter().map(|target| class(target)).collect();
        graph.cross_entropy(logits, &classes, normalizer)
    }

    fn training_loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let classes: Vec<usize> = targets.iter().map(|target| class(target)).collect();
        self.loss.of_classes(graph, logits, &classes, normalizer)
    }

    fn training_weight(&self, target: &Target) -> f64 {
        self.loss.weight(class(target))
    }

    fn answer(&self, logits: &[f32], _: usize) -> Answer {
        Answer::Label { class: largest(logits), probabilities: softmax(logits) }
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let Answer::Label { class, probabilities } = answer else { panic!("sequence classification: {answer:?}") };
        Said::Label {
            label: self.labels.name(*class).to_owned(),
            probability: probabilities[*class],
            probabilities: self.labels().iter().cloned().zip(probabilities.iter().copied()).collect(),
        }
    }

    fn metrics(&self, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let truths: Vec<usize> = targets.iter().map(class).collect();
        let (said, probabilities) = said(answers);
        let probabilities = ProbabilityMetrics::of_classes(self.labels.len(), &probabilities, &truths);
        let confusion = ConfusionMatrix::from_pairs(self.labels.len(), truths.into_iter().zip(said));
        let figures = ClassificationMetrics::new(&confusion, self.labels(), loss * targets.len() as f64);
        Metrics::Classification { figures, confusion, probabilities }
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: &[f64]) -> Option<Box<dyn Resampled>> {
        let (said, probabilities) = said(answers);
        let pairs = targets.iter().map(class).zip(said).collect();
        Some(Box::new(ClassificationSample::new(self.labels.len(), pairs, &probabilities, losses.to_vec())))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, F1Macro, F1Micro, F1Weighted, Loss, Matthews};
        &[Accuracy, F1Macro, F1Micro, F1Weighted, Matthews, Loss]
    }
}

/// The class that each answer gives, and the probabilities of all of them end to end.
fn said(answers: &[Answer]) -> (Vec<usize>, Vec<f32>) {
    let said = answers.iter().map(|answer| match answer {
        Answer::Label { class, probabilities } => (*class, probabilities),
        other => panic!("sequence classification: {other:?}"),
    });
    let (said, probabilities): (Vec<usize>, Vec<&Vec<f32>>) = said.unzip();
    (said, probabilities.into_iter().flatten().copied().collect())
}

fn class(target: &Target) -> usize {
    match target {
        Target::Class(class) => *class,
        other => panic!("sequence classification: {other:?}"),
    }
}

/// The place of the largest logit, the first of equal ones, as in numpy's and torch's argmax.
pub(super) fn largest(logits: &[f32]) -> usize {
    (0..logits.len()).rev().max_by(|&left, &right| logits[left].total_cmp(&logits[right])).unwrap_or(0)
}

/// `exp(x_i) / sum exp(x)`, shifted by the largest value so that nothing overflows.
pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| (exponential / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective() -> SequenceClassification {
        SequenceClassification::from_labels(&["negative", "neutral", "positive"].map(str::to_owned))
    }

    #[test]
    fn an_answer_is_the_largest_logit_and_probabilities_that_sum_to_one() {
        let Answer::Label { class, probabilities } = objective().answer(&[1.0, 2.0, 900.0], 3) else { panic!("a label") };
        assert_eq!(class, 2);
        assert_eq!(probabilities, [0.0, 0.0, 1.0]);
        let Answer::Label { class, probabilities } = objective().answer(&[0.0, f32::ln(2.0), 0.0], 3) else { panic!("a label") };
        assert_eq!(class, 1);
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((probabilities[1] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn equal_logits_mean_the_first_label() {
        assert!(matches!(objective().answer(&[1.0, 3.0, 3.0], 3), Answer::Label { class: 1, .. }));
    }
}
