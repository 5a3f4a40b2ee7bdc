//! One label for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::Head;
use graftling_tensor::{Graph, Var};
use graftling_text::{Dataset, LabelSet};

use super::card_words::labels_told;
use super::class_logits::{cross_entropy_at, largest, softmax_at};
use super::class_loss::ClassLoss;
use super::{Answer, CardWords, Holds, Judged, Objective, Spoken, Target, Told, Verdict};
use crate::data::Data;
use crate::decisions::{Decisions, FittedDecisions};
use crate::features::Features;
use crate::metrics::{
    ClassificationMetrics, ClassificationSample, ConfusionMatrix, Metrics, ProbabilityMetrics, Resampled, temperature_of_classes,
};
use crate::recipe::{BestMetric, Calibrate, Recipe};
use crate::{Error, Said};

/// The labels to tell apart, and the loss that training lowers.
pub(super) struct SequenceClassification {
    labels: LabelSet,
    loss: ClassLoss,
    decisions: Decisions,
}

impl SequenceClassification {
    /// The labels that occur in the training examples, in the order of their names.
    pub fn from_examples(dataset: &Dataset, recipe: &Recipe) -> Result<Self, Error> {
        let labels = LabelSet::for_training(dataset)?;
        let loss = ClassLoss::of_one_label(recipe, &labels, labels.ids(dataset)?)?;
        Ok(Self { labels, loss, decisions: Decisions::default() })
    }

    /// The labels of a model, in the order of its logits.
    pub fn from_labels(labels: &[String]) -> Self {
        Self { labels: LabelSet::from_names(labels), loss: ClassLoss::plain(), decisions: Decisions::default() }
    }

    /// The most probable class, and one probability a class.
    fn label(&self, answer: &Answer) -> (usize, Vec<f32>) {
        let logits = logits(answer);
        (largest(logits), softmax_at(self.decisions.divisor(), logits))
    }
}

impl Objective for SequenceClassification {
    fn head(&self) -> Head {
        Head::single_label(self.labels.names())
    }

    fn labels(&self) -> &[String] {
        self.labels.names()
    }

    fn card(&self) -> CardWords {
        let gives = labels_told("a text one of", self.labels());
        CardWords::of_texts("text-classification", "AutoModelForSequenceClassification", "Text classifier", gives)
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

    fn prior(&self, targets: &[Target]) -> Option<Vec<f32>> {
        Some(self.loss.prior_of_classes(self.labels.len(), targets.iter().map(class)))
    }

    fn answer(&self, logits: &[f32], _: usize, _: &[Features]) -> Answer {
        Answer::Label { logits: logits.to_vec() }
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let (class, probabilities) = self.label(answer);
        Said::Label {
            label: self.labels.name(class).to_owned(),
            probability: probabilities[class],
            probabilities: self.labels().iter().cloned().zip(probabilities.iter().copied()).collect(),
        }
    }

    fn metrics(&self, by: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let truths: Vec<usize> = targets.iter().map(class).collect();
        let probabilities = ProbabilityMetrics::of_classes(self.labels.len(), &probabilities(answers, by), &truths);
        let pairs = truths.into_iter().zip(answers.iter().map(|answer| largest(logits(answer))));
        let confusion = ConfusionMatrix::from_pairs(self.labels.len(), pairs);
        let figures = ClassificationMetrics::new(&confusion, self.labels(), loss * targets.len() as f64);
        Metrics::Classification { figures, confusion, probabilities }
    }

    fn decisions(&self) -> Option<&Decisions> {
        Some(&self.decisions)
    }

    fn decisions_mut(&mut self) -> Option<&mut Decisions> {
        Some(&mut self.decisions)
    }

    fn losses_at(&self, temperature: f64, answers: &[Answer], targets: &[Target]) -> Vec<f64> {
        let each = answers.iter().zip(targets);
        each.map(|(answer, target)| cross_entropy_at(temperature, logits(answer), class(target))).collect()
    }

    fn fit_decisions(&self, recipe: &Recipe, answers: &[Answer], targets: &[Target]) -> FittedDecisions {
        if recipe.calibrate == Calibrate::None {
            return FittedDecisions::default();
        }
        let logits: Vec<f32> = answers.iter().flat_map(logits).copied().collect();
        let truths: Vec<usize> = targets.iter().map(class).collect();
        FittedDecisions::of_temperature(temperature_of_classes(self.labels.len(), &logits, &truths))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let pairs = targets.iter().zip(answers).map(|(target, answer)| (class(target), largest(logits(answer)))).collect();
        let probabilities = probabilities(answers, &self.decisions);
        Box::new(ClassificationSample::new(self.labels.len(), pairs, &probabilities, losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn holds(&self, target: &Target) -> Holds {
        Holds::Labels(vec![class(target)])
    }

    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let (said, probabilities) = self.label(answer);
        let truth = class(target);
        Some(Judged {
            verdict: Verdict::new(said == truth),
            decisions: vec![(probabilities[said], said == truth)],
            numbers: Vec::new(),
        })
    }

    fn told(&self, answer: &Answer, target: &Target, _: &Spoken<'_>) -> Told {
        let (said, probabilities) = self.label(answer);
        let truth = class(target);
        Told::Label {
            label: self.labels.name(truth).to_owned(),
            label_probability: probabilities[truth],
            predicted: self.labels.name(said).to_owned(),
            probability: probabilities[said],
        }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, AveragePrecision, F1Macro, F1Micro, F1Weighted, Loss, Matthews, RocAuc};
        &[Accuracy, F1Macro, F1Micro, F1Weighted, Matthews, RocAuc, AveragePrecision, Loss]
    }
}

fn logits(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Label { logits } => logits,
        other => panic!("sequence classification: {other:?}"),
    }
}

/// The probabilities of all answers end to end.
fn probabilities(answers: &[Answer], decisions: &Decisions) -> Vec<f32> {
    answers.iter().flat_map(|answer| softmax_at(decisions.divisor(), logits(answer))).collect()
}

fn class(target: &Target) -> usize {
    match target {
        Target::Class(class) => *class,
        other => panic!("sequence classification: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective() -> SequenceClassification {
        SequenceClassification::from_labels(&["negative", "neutral", "positive"].map(str::to_owned))
    }

    fn said(objective: &SequenceClassification, logits: &[f32]) -> (String, Vec<f32>) {
        let spoken = Spoken { seen: &[], words: None, windows: &[], tokenizer: None };
        match objective.say(&objective.answer(logits, 3, &[]), &spoken) {
            Said::Label { label, probabilities, .. } => (label, probabilities.into_iter().map(|(_, p)| p).collect()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_is_the_largest_logit_and_probabilities_that_sum_to_one() {
        let (label, probabilities) = said(&objective(), &[1.0, 2.0, 900.0]);
        assert_eq!(label, "positive");
        assert_eq!(probabilities, [0.0, 0.0, 1.0]);
        let (label, probabilities) = said(&objective(), &[0.0, f32::ln(2.0), 0.0]);
        assert_eq!(label, "neutral");
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((probabilities[1] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn equal_logits_mean_the_first_label() {
        assert_eq!(said(&objective(), &[1.0, 3.0, 3.0]).0, "neutral");
    }

    #[test]
    fn a_temperature_changes_probabilities_and_losses_but_no_label() {
        let mut warm = objective();
        *warm.decisions_mut().unwrap() = Decisions { temperature: Some(2.0), thresholds: None };
        let (label, probabilities) = said(&warm, &[0.0, 2.0 * f32::ln(2.0), 0.0]);
        assert_eq!(label, "neutral");
        assert!((probabilities[1] - 0.5).abs() < 1e-6);
        let answers = [warm.answer(&[0.0, 2.0 * f32::ln(2.0), 0.0], 3, &[])];
        let losses = warm.losses_at(2.0, &answers, &[Target::Class(1)]);
        assert!(losses.len() == 1 && (losses[0] - f64::ln(2.0)).abs() < 1e-7, "{losses:?}");
    }
}
