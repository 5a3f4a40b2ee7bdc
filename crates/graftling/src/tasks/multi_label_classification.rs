//! Any number of labels for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::{Head, ProblemType};
use graftling_tensor::{Graph, Var};
use graftling_text::{Dataset, LabelSet, unknown_labels};

use super::card_words::labels_told;
use super::class_loss::ClassLoss;
use super::{Answer, CardWords, Holds, Judged, Objective, Spoken, Target, Told, Verdict};
use crate::data::Data;
use crate::decisions::{Decisions, FittedDecisions};
use crate::features::Features;
use crate::metrics::thresholds::{HALF, best_threshold};
use crate::metrics::{Metrics, MultiLabelMetrics, MultiLabelSample, ProbabilityMetrics, Resampled, temperature_of_labels};
use crate::recipe::{BestMetric, Calibrate, Recipe, Thresholds};
use crate::{Error, Said};

/// The labels, each of which holds or not by itself.
pub(super) struct MultiLabel {
    labels: LabelSet,
    loss: ClassLoss,
    decisions: Decisions,
}

impl MultiLabel {
    /// The labels that occur in the training examples, in the order of their names.
    pub fn from_examples(dataset: &Dataset<Vec<String>>, recipe: &Recipe) -> Result<Self, Error> {
        let given = || dataset.examples.iter().flat_map(|example| example.label.iter().flatten());
        let labels = LabelSet::sorted(given());
        let loss =
            ClassLoss::of_many_labels(recipe, &labels, given().filter_map(|label| labels.id(label)), dataset.examples.len())?;
        let decisions = Decisions { temperature: None, thresholds: given_thresholds(recipe, &labels)? };
        Ok(Self { labels, loss, decisions })
    }

    /// The labels of a model, in the order of its logits.
    pub fn from_labels(labels: &[String]) -> Self {
        Self { labels: LabelSet::from_names(labels), loss: ClassLoss::plain(), decisions: Decisions::default() }
    }

    /// The thresholds that a recipe wants, of answers with a temperature, and the labels that have none of their own to be fitted to.
    fn fitted_thresholds(&self, wanted: &Thresholds, decided: &Decided) -> (Option<Vec<f64>>, Vec<String>) {
        let count = self.labels.len();
        let decisions = || decided.probabilities.iter().copied().zip(decided.truths.iter().copied());
        match wanted {
            Thresholds::Half => (None, Vec::new()),
            Thresholds::Given(_) => (self.decisions.thresholds.clone(), Vec::new()),
            Thresholds::One => match best_threshold(decisions()) {
                Some(threshold) => (Some(vec![threshold; count]), Vec::new()),
                None => (None, self.labels().to_vec()),
            },
            Thresholds::PerLabel => {
                let each: Vec<Option<f64>> =
                    (0..count).map(|label| best_threshold(decisions().skip(label).step_by(count))).collect();
                let without = each.iter().zip(self.labels()).filter(|(threshold, _)| threshold.is_none());
                let without = without.map(|(_, label)| label.clone()).collect();
                (Some(each.into_iter().map(|threshold| threshold.unwrap_or(HALF)).collect()), without)
            }
        }
    }
}

impl Objective for MultiLabel {
    fn head(&self) -> Head {
        Head::SequenceClassification { problem: ProblemType::MultiLabelClassification, labels: self.labels.names().to_vec() }
    }

    fn labels(&self) -> &[String] {
        self.labels.names()
    }

    fn card(&self) -> CardWords {
        let gives = labels_told("a text any number of", self.labels());
        CardWords::of_texts("text-classification", "AutoModelForSequenceClassification", "Text classifier", gives)
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

    fn prior(&self, targets: &[Target]) -> Option<Vec<f32>> {
        Some(self.loss.prior_of_labels(self.labels.len(), targets.iter().map(labels)))
    }

    fn answer(&self, logits: &[f32], _: usize, _: &[Features]) -> Answer {
        Answer::Labels { logits: logits.to_vec() }
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let probabilities = probabilities(answer, self.decisions.divisor());
        let holds = |(label, probability): (usize, &f32)| f64::from(*probability) > self.decisions.threshold(label);
        let named = || self.labels().iter().zip(probabilities.iter().enumerate());
        Said::Labels {
            labels: named().filter(|(_, decision)| holds(*decision)).map(|(label, _)| label.clone()).collect(),
            probabilities: named().map(|(label, (_, probability))| (label.clone(), *probability)).collect(),
        }
    }

    fn metrics(&self, by: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let Decided { truths, probabilities, said } = Decided::of(answers, targets, by);
        Metrics::MultiLabel {
            figures: MultiLabelMetrics::new(self.labels(), &truths, &said, loss),
            probabilities: ProbabilityMetrics::of_labels(self.labels.len(), &probabilities, &truths),
        }
    }

    fn decisions(&self) -> Option<&Decisions> {
        Some(&self.decisions)
    }

    fn decisions_mut(&mut self) -> Option<&mut Decisions> {
        Some(&mut self.decisions)
    }

    fn losses_at(&self, temperature: f64, answers: &[Answer], targets: &[Target]) -> Vec<f64> {
        let loss = |(logit, holds): (&f32, &bool)| {
            let against = f64::from(if *holds { -*logit } else { *logit }) / temperature;
            // ln(1 + exp(x)), without an overflow where x is large.
            against.max(0.0) + (-against.abs()).exp().ln_1p()
        };
        let of_answer = |(answer, target): (&Answer, &Target)| logits(answer).iter().zip(labels(target)).map(loss).sum();
        answers.iter().zip(targets).map(of_answer).collect()
    }

    fn fit_decisions(&self, recipe: &Recipe, answers: &[Answer], targets: &[Target]) -> FittedDecisions {
        let mut fitted = FittedDecisions::default();
        if recipe.calibrate == Calibrate::Temperature {
            let logits: Vec<f32> = answers.iter().flat_map(logits).copied().collect();
            let truths: Vec<bool> = targets.iter().flat_map(labels).copied().collect();
            fitted = FittedDecisions::of_temperature(temperature_of_labels(&logits, &truths));
        }
        // Thresholds are of the probabilities that will be told.
        let decided = Decided::of(answers, targets, &fitted.decisions);
        let (thresholds, without) = self.fitted_thresholds(&recipe.thresholds, &decided);
        fitted.decisions.thresholds = thresholds;
        if !without.is_empty() {
            let labels = without.join(", ");
            fitted.notices.push(format!("no validation example has {labels}: the threshold stays {HALF}"));
        }
        fitted
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let Decided { truths, probabilities, said } = Decided::of(answers, targets, &self.decisions);
        Box::new(MultiLabelSample::new(self.labels.len(), &truths, &said, &probabilities, losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn holds(&self, target: &Target) -> Holds {
        Holds::Set(labels(target).iter().enumerate().filter(|(_, holds)| **holds).map(|(label, _)| label).collect())
    }

    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let probabilities = probabilities(answer, self.decisions.divisor());
        let each = || probabilities.iter().copied().zip(labels(target).iter().copied()).enumerate();
        let is_said = |label, p: f32| f64::from(p) > self.decisions.threshold(label);
        // The likelier of two answers, as calibration error has it, whatever the threshold.
        let decision = |(_, (p, holds)): (usize, (f32, bool))| if f64::from(p) > HALF { (p, holds) } else { (1.0 - p, !holds) };
        let verdict = Verdict::new(each().all(|(label, (p, holds))| is_said(label, p) == holds));
        Some(Judged { verdict, decisions: each().map(decision).collect(), numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, target: &Target, _: &Spoken<'_>) -> Told {
        let probabilities = probabilities(answer, self.decisions.divisor());
        let each = || self.labels().iter().zip(probabilities.iter().copied().zip(labels(target).iter().copied())).enumerate();
        let wrong = |truth: bool| {
            let is_wrong =
                |label, p: f32, holds: bool| holds == truth && (f64::from(p) > self.decisions.threshold(label)) != truth;
            let chosen = each().filter(|(label, (_, (p, holds)))| is_wrong(*label, *p, *holds));
            chosen.map(|(_, (name, (p, _)))| (name.clone(), p)).collect()
        };
        let held = each().filter(|(_, (_, (_, holds)))| *holds).map(|(_, (name, _))| name.clone());
        Told::Labels { labels: held.collect(), missed: wrong(true), added: wrong(false) }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, AveragePrecision, F1Macro, F1Micro, F1Weighted, Loss, RocAuc};
        &[F1Micro, F1Macro, F1Weighted, Accuracy, RocAuc, AveragePrecision, Loss]
    }
}

/// Every decision about a label, those of an example end to end.
struct Decided {
    truths: Vec<bool>,
    probabilities: Vec<f32>,
    said: Vec<bool>,
}

impl Decided {
    fn of(answers: &[Answer], targets: &[Target], decisions: &Decisions) -> Self {
        let each: Vec<Vec<f32>> = answers.iter().map(|answer| probabilities(answer, decisions.divisor())).collect();
        let holds = |(label, probability): (usize, &f32)| f64::from(*probability) > decisions.threshold(label);
        let said = each.iter().flat_map(|of_answer| of_answer.iter().enumerate().map(holds)).collect();
        Self { truths: targets.iter().flat_map(labels).copied().collect(), probabilities: each.concat(), said }
    }
}

/// The thresholds that a recipe gives, one for each label; `None` where it gives none.
fn given_thresholds(recipe: &Recipe, labels: &LabelSet) -> Result<Option<Vec<f64>>, Error> {
    let Thresholds::Given(given) = &recipe.thresholds else { return Ok(None) };
    let mut thresholds = vec![HALF; labels.len()];
    for (label, threshold) in given {
        match labels.id(label) {
            Some(place) => thresholds[place] = f64::from(*threshold),
            None => {
                return Err(Error::ThresholdOfUnknownLabel {
                    label: label.clone(),
                    nearest: labels.nearest(label).map(str::to_owned),
                    labels: labels.names().to_vec(),
                });
            }
        }
    }
    Ok(Some(thresholds))
}

fn labels(target: &Target) -> &[bool] {
    match target {
        Target::Labels(labels) => labels,
        other => panic!("multi-label classification: {other:?}"),
    }
}

fn logits(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Labels { logits } => logits,
        other => panic!("multi-label classification: {other:?}"),
    }
}

/// The probability of each label, of logits that are divided by a temperature.
fn probabilities(answer: &Answer, temperature: f64) -> Vec<f32> {
    logits(answer).iter().map(|logit| (1.0 / (1.0 + (f64::from(-logit) / temperature).exp())) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_whose_logits_are_positive_hold() {
        let objective = MultiLabel::from_labels(&["a", "b", "c"].map(str::to_owned));
        let spoken = Spoken { seen: &[], words: None, windows: &[], tokenizer: None };
        let Said::Labels { labels, probabilities } = objective.say(&objective.answer(&[2.0, 0.0, 1e-3], 3, &[]), &spoken) else {
            panic!("labels")
        };
        assert_eq!(labels, ["a", "c"]);
        assert_eq!(probabilities[1], ("b".to_owned(), 0.5));
        assert!((probabilities[0].1 - 0.880_797).abs() < 1e-6);
    }
}
