//! A number, or several, for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::{Head, ProblemType};
use graftling_tensor::{Graph, Var};
use graftling_text::Dataset;

use super::{Answer, CardWords, Holds, Judged, Objective, Spoken, Target, Told, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::Complaints;
use crate::features::Features;
use crate::metrics::{Metrics, RegressionMetrics, RegressionSample, Resampled};
use crate::recipe::{BestMetric, Recipe, RegressionLoss};
use crate::{Error, Said};

/// How many numbers there are, under which names, and how far off they may be.
pub(super) struct Regression {
    labels: Vec<String>,
    loss: RegressionLoss,
    huber_delta: f32,
}

impl Regression {
    /// As many numbers as the training examples have.
    pub fn from_examples(dataset: &Dataset<Vec<f32>>, recipe: &Recipe) -> Result<Self, Error> {
        let outputs = dataset.examples.first().and_then(|example| example.label.as_ref()).map_or(1, Vec::len);
        // transformers' names of logits that have none.
        let labels = (0..outputs).map(|output| format!("LABEL_{output}")).collect();
        Ok(Self { labels, loss: recipe.regression_loss, huber_delta: recipe.huber_delta })
    }

    /// The numbers of a model, and the loss of the recipe that it was trained by where that is known.
    pub fn from_labels(labels: &[String], recipe: Option<&Recipe>) -> Self {
        let loss = recipe.map_or(RegressionLoss::default(), |recipe| recipe.regression_loss);
        Self { labels: labels.to_vec(), loss, huber_delta: recipe.map_or(1.0, |recipe| recipe.huber_delta) }
    }
}

impl Objective for Regression {
    fn head(&self) -> Head {
        Head::SequenceClassification { problem: ProblemType::Regression, labels: self.labels.clone() }
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn card(&self) -> CardWords {
        let gives = match self.labels.len() {
            1 => "a text a number".to_owned(),
            count => format!("a text {count} numbers"),
        };
        CardWords::of_texts("text-classification", "AutoModelForSequenceClassification", "Text regression", gives)
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::Numbered(dataset) = data else { panic!("regression: examples of another form") };
        let mut complaints = Complaints::default();
        let each = dataset.examples.iter().map(|example| (example.line, example.label.clone().unwrap_or_default()));
        let targets = each.filter_map(|(line, numbers)| {
            let (found, expected) = (numbers.len(), self.labels.len());
            complaints.note(match found == expected {
                true => Ok(Target::Numbers(numbers)),
                false => Err(Error::OtherCountOfNumbers { path: dataset.source.clone(), line, found, expected }),
            })
        });
        let targets = targets.collect();
        complaints.check().map(|()| targets)
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let targets: Vec<f32> = targets.iter().flat_map(|target| numbers(target)).copied().collect();
        match self.loss {
            RegressionLoss::MeanSquaredError => graph.mean_squared_error(logits, &targets, normalizer),
            RegressionLoss::MeanAbsoluteError => graph.mean_absolute_error(logits, &targets, normalizer),
            RegressionLoss::Huber => graph.huber(logits, &targets, self.huber_delta, normalizer),
        }
    }

    fn prior(&self, targets: &[Target]) -> Option<Vec<f32>> {
        let mean = |output: usize| {
            let sum: f64 = targets.iter().map(|target| f64::from(numbers(target)[output])).sum();
            (sum / targets.len().max(1) as f64) as f32
        };
        Some((0..self.labels.len()).map(mean).collect())
    }

    fn answer(&self, logits: &[f32], _: usize, _: &[Features]) -> Answer {
        Answer::Numbers(logits.to_vec())
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        Said::Numbers { numbers: said(answer).to_vec() }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let truths: Vec<f32> = targets.iter().flat_map(numbers).copied().collect();
        let predictions: Vec<f32> = answers.iter().flat_map(said).copied().collect();
        Metrics::Regression(RegressionMetrics::new(&truths, &predictions, self.labels.len(), loss))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let truths: Vec<f32> = targets.iter().flat_map(numbers).copied().collect();
        let predictions: Vec<f32> = answers.iter().flat_map(said).copied().collect();
        Box::new(RegressionSample::new(&truths, &predictions, self.labels.len(), losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn holds(&self, target: &Target) -> Holds {
        Holds::Numbers(numbers(target).to_vec())
    }

    /// The error is the largest distance of a predicted number from the true one.
    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let pairs: Vec<[f32; 2]> = numbers(target).iter().zip(said(answer)).map(|(truth, said)| [*truth, *said]).collect();
        let distances = pairs.iter().map(|[truth, said]| f64::from((truth - said).abs()));
        let largest = distances.fold(0.0, f64::max);
        Some(Judged {
            verdict: if largest > 0.0 { Verdict::Off(largest) } else { Verdict::Right },
            decisions: Vec::new(),
            numbers: pairs,
        })
    }

    fn told(&self, answer: &Answer, target: &Target, _: &Spoken<'_>) -> Told {
        Told::Numbers { numbers: numbers(target).to_vec(), predicted: said(answer).to_vec() }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Loss, Mae, Mse, Pearson, R2, Spearman};
        // Correlations are not defined where all predictions are alike, as they may be at first; errors always are.
        &[Mse, Mae, R2, Pearson, Spearman, Loss]
    }
}

fn numbers(target: &Target) -> &[f32] {
    match target {
        Target::Numbers(numbers) => numbers,
        other => panic!("regression: {other:?}"),
    }
}

fn said(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Numbers(numbers) => numbers,
        other => panic!("regression: {other:?}"),
    }
}
