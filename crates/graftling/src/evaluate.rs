//! How well a model does on labelled examples: the same in training, after it, and on request. Knows nothing of updates.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use graftling_models::Model;
use graftling_text::{ChosenColumns, Columns, Dataset, Format, TruncationReport, labelled, read_table};
use serde::Serialize;

use crate::error::Complaints;
use crate::features::{Tokenized, inputs, tokenize};
use crate::inference::{each_batch, rows};
use crate::loaded::{self, INFERENCE_TOKENS};
use crate::metrics::{ClassificationMetrics, ConfusionMatrix};
use crate::tasks::{Decoded, Objective, Target};
use crate::{Error, Event, Observer, SplitName, threads};

/// What to evaluate, and on what.
#[derive(Clone, Debug)]
pub struct EvaluateRequest {
    /// A run folder, or any folder with a fine-tuned model.
    pub run: PathBuf,
    /// The file of labelled examples.
    pub data: PathBuf,
    /// How the file is written; `None` goes by its name.
    pub format: Option<Format>,
    /// Which columns hold what; those not given are detected.
    pub columns: Columns,
    /// How many threads compute; `None` is one a core.
    pub threads: Option<usize>,
    /// Whether the prediction for each example is wanted too.
    pub with_predictions: bool,
}

/// How a model did on labelled examples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The class names in the order of the logits.
    pub labels: Vec<String>,
    /// The figures.
    pub metrics: ClassificationMetrics,
    /// Which class was taken for which, how often.
    pub confusion: ConfusionMatrix,
    /// What was cut off the texts.
    pub truncation: TruncationReport,
    /// How many real tokens were read.
    pub tokens: u64,
    /// How long the model took; reading and tokenising are not in it.
    pub runtime: Duration,
    /// The prediction for each example, in the order of the file, where it was asked for.
    pub predictions: Option<Vec<ExamplePrediction>>,
}

/// What the model said about one labelled example.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExamplePrediction {
    /// The line of the file where the example begins.
    pub line: usize,
    /// The true label.
    pub label: String,
    /// The label that was predicted.
    pub predicted: String,
    /// The probability of the label that was predicted.
    pub probability: f32,
}

/// Labelled examples as the model sees them.
pub(crate) struct Examples {
    pub tokenized: Tokenized,
    /// One for each example.
    pub targets: Vec<Target>,
}

/// Evaluates a fine-tuned model on a file.
pub fn evaluate(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Evaluation, Error> {
    threads::pool(request.threads)?.install(|| {
        let mut complaints = Complaints::default();
        let loaded = complaints.note(loaded::load(&request.run));
        let dataset = complaints.note(read(request, observer));
        let (Some(loaded), Some(dataset)) = (loaded, dataset) else { return Err(complaints.into_error()) };
        let objective = loaded.objective.as_ref();
        let targets = objective.targets(&dataset)?;
        observer.observe(&Event::ModelLoaded {
            folder: &request.run,
            family: loaded.model.facts().family,
            parameter_count: loaded.model.facts().parameter_count,
            labels: objective.labels(),
        });
        let tokenized = tokenize(&loaded.tokenizer, &inputs(&dataset), loaded.max_length)?;
        observer.observe(&Event::Tokenized { split: SplitName::Evaluation, truncation: &tokenized.truncation });
        let examples = Examples { tokenized, targets };
        let scored = score(&loaded.model, objective, &examples, INFERENCE_TOKENS);
        let predictions = request.with_predictions.then(|| scored.predictions(&dataset, objective.labels()));
        let evaluation = Evaluation { predictions, ..scored.evaluation };
        observer.observe(&Event::Evaluated { step: 0, split: SplitName::Evaluation, evaluation: &evaluation });
        Ok(evaluation)
    })
}

fn read(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Dataset, Error> {
    let dataset = labelled(read_table(&request.data, request.format)?, &request.columns)?;
    announce(&dataset, SplitName::Evaluation, observer);
    Ok(dataset)
}

/// Tells what was found in a file of examples.
pub(crate) fn announce(dataset: &Dataset, split: SplitName, observer: &mut dyn Observer) {
    let ChosenColumns { text, text_pair, label } = &dataset.columns;
    observer.observe(&Event::DataRead {
        split,
        source: &dataset.source,
        examples: dataset.examples.len(),
        text_column: text,
        text_pair_column: text_pair.as_deref(),
        label_column: label.as_deref(),
    });
    for notice in &dataset.notices {
        observer.observe(&Event::Notice(notice));
    }
}

/// An evaluation, and what was said about each example.
pub(crate) struct Scored {
    pub evaluation: Evaluation,
    classes: Vec<usize>,
    probabilities: Vec<f32>,
}

impl Scored {
    fn predictions(&self, dataset: &Dataset, labels: &[String]) -> Vec<ExamplePrediction> {
        let said = self.classes.iter().zip(&self.probabilities);
        dataset
            .examples
            .iter()
            .zip(said)
            .map(|(example, (&class, &probability))| ExamplePrediction {
                line: example.line,
                label: example.label.clone().unwrap_or_default(),
                predicted: labels[class].clone(),
                probability,
            })
            .collect()
    }
}

/// Runs a model over examples, a batch of at most `budget` tokens at a time, and compares what it says with what is true.
pub(crate) fn score(model: &Model, objective: &dyn Objective, examples: &Examples, budget: usize) -> Scored {
    let started = Instant::now();
    let count = examples.targets.len();
    let (mut classes, mut probabilities) = (vec![0; count], vec![0.0; count]);
    let mut loss = 0.0;
    each_batch(model, &examples.tokenized.features, budget, |places, graph, logits| {
        let targets: Vec<Target> = places.iter().map(|&place| examples.targets[place]).collect();
        loss += f64::from(objective.loss(graph, logits, &targets, 1.0).tensor().item());
        for (place, row) in rows(places, logits, &logits.tensor().to_vec()) {
            let Decoded::Class { class, probabilities: row } = objective.decode(row);
            (classes[place], probabilities[place]) = (class, row[class]);
        }
    });
    let truths = examples.targets.iter().map(|&Target::Class(class)| class);
    let confusion = ConfusionMatrix::from_pairs(objective.labels().len(), truths.zip(classes.iter().copied()));
    let evaluation = Evaluation {
        labels: objective.labels().to_vec(),
        metrics: ClassificationMetrics::new(&confusion, objective.labels(), loss),
        confusion,
        truncation: examples.tokenized.truncation,
        tokens: examples.tokenized.tokens(),
        runtime: started.elapsed(),
        predictions: None,
    };
    Scored { evaluation, classes, probabilities }
}
