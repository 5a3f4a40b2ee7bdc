//! Any number of labels for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::{Head, ProblemType};
use graftling_tensor::{Graph, Var};
use graftling_text::{Dataset, LabelSet, unknown_labels};

use super::class_loss::ClassLoss;
use super::{Answer, Objective, Spoken, Target};
use crate::data::Data;
use crate::metrics::{Metrics, MultiLabelMetrics, MultiLabelSample, ProbabilityMetrics, Resampled};
use crate::recipe::{BestMetric, Recipe};
use crate::{Error, Said};

/// A label holds where its probability is above this, which is where its logit is above 0.
const THRESHOLD: f32 = 0.5;

/// The labels, each of which holds or not by itself.
pub(super) struct MultiLabel {
    labels: LabelSet,
    loss: ClassLoss,
}

impl MultiLabel {
    /// The labels that occur in the training examples, in the order of their names.
    pub fn from_examples(dataset: &Dataset<Vec<String>>, recipe: &Recipe) -> Result<Self, Error> {
        let given = || dataset.examples.iter().flat_map(|example| example.label.iter().flatten());
        let labels = LabelSet::sorted(given());
        let loss =
            ClassLoss::of_many_labels(recipe, &labels, given().filter_map(|label| labels.id(label)), dataset.examples.len())?;
        Ok(Self { labels, loss })
    }

    /// The labels of a model, in the order of its logits.
    pub fn from_labels(labels: &[String]) -> Self {
        Self { labels: LabelSet::from_names(labels), loss: ClassLoss::plain() }
    }
}

impl Objective for MultiLabel {
    fn head(&self) -> Head {
        Head::SequenceClassification { problem: ProblemType::MultiLabelClassification, labels: self.labels.names().to_vec() }
    }

    fn labels(&self) -> &[String] {
        self.labels.names()
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::MultiLabelled(dataset) = data else { panic!("multi-label classification: examples of another form") };
        unknown_labels(&self.labels, dataset)?;
        let holds = |given: &[String]| self.labels().iter().map(|label| given.contains(label)).collect();
        let targets = dataset.examples.iter().map(|example| Target::Labels(holds(example.label.as_deref().unwrap_or_default())));
        Ok(targets.collect())
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let targets: Vec<f32> =
            targets.iter().flat_map(|target| labels(target)).map(|holds| f32::from(u8::from(*holds))).collect();
        graph.binary_cross_entropy(logits, &targets, None, normalizer)
    }

    fn training_loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let holds: Vec<bool> = targets.iter().flat_map(|target| labels(target)).copied().collect();
        self.loss.of_labels(graph, logits, &holds, normalizer)
    }

    fn answer(&self, logits: &[f32], _: usize) -> Answer {
        Answer::Labels { probabilities: logits.iter().map(|logit| sigmoid(*logit)).collect() }
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let probabilities = probabilities(answer);
        let named = || self.labels().iter().cloned().zip(probabilities.iter().copied());
        Said::Labels {
            labels: named().filter(|(_, probability)| *probability > THRESHOLD).map(|(label, _)| label).collect(),
            probabilities: named().collect(),
        }
    }

    fn metrics(&self, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let Decided { truths, probabilities, said } = Decided::of(answers, targets);
        Metrics::MultiLabel {
            figures: MultiLabelMetrics::new(self.labels(), &truths, &said, loss),
            probabilities: ProbabilityMetrics::of_labels(self.labels.len(), &probabilities, &truths),
        }
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: &[f64]) -> Option<Box<dyn Resampled>> {
        let Decided { truths, probabilities, said } = Decided::of(answers, targets);
        Some(Box::new(MultiLabelSample::new(self.labels.len(), &truths, &said, &probabilities, losses.to_vec())))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, F1Macro, F1Micro, F1Weighted, Loss};
        &[F1Micro, F1Macro, F1Weighted, Accuracy, Loss]
    }
}

/// Every decision about a label, those of an example end to end.
struct Decided {
    truths: Vec<bool>,
    probabilities: Vec<f32>,
    said: Vec<bool>,
}

impl Decided {
    fn of(answers: &[Answer], targets: &[Target]) -> Self {
        let probabilities: Vec<f32> = answers.iter().flat_map(probabilities).copied().collect();
        let said = probabilities.iter().map(|probability| *probability > THRESHOLD).collect();
        Self { truths: targets.iter().flat_map(labels).copied().collect(), probabilities, said }
    }
}

fn labels(target: &Target) -> &[bool] {
    match target {
        Target::Labels(labels) => labels,
        other => panic!("multi-label classification: {other:?}"),
    }
}

fn probabilities(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Labels { probabilities } => probabilities,
        other => panic!("multi-label classification: {other:?}"),
    }
}

fn sigmoid(logit: f32) -> f32 {
    (1.0 / (1.0 + f64::from(-logit).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_whose_logits_are_positive_hold() {
        let objective = MultiLabel::from_labels(&["a", "b", "c"].map(str::to_owned));
        let spoken = Spoken { seen: &[], words: None, token_text: &|_| String::new() };
        let Said::Labels { labels, probabilities } = objective.say(&objective.answer(&[2.0, 0.0, 1e-3], 3), &spoken) else {
            panic!("labels")
        };
        assert_eq!(labels, ["a", "c"]);
        assert_eq!(probabilities[1], ("b".to_owned(), 0.5));
        assert!((probabilities[0].1 - 0.880_797).abs() < 1e-6);
    }
}
