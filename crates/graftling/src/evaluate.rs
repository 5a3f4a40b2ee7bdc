//! How well a model does on labelled examples: the same in training, after it, and on request. Knows nothing of updates.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use graftling_models::Model;
use graftling_text::{Columns, Format, TruncationReport};

use crate::data::Data;
use crate::error::Complaints;
use crate::features::Tokenized;
use crate::inference::each_batch;
use crate::loaded::{self, INFERENCE_TOKENS};
use crate::metrics::Metrics;
use crate::recipe::Task;
use crate::tasks::{Answer, Objective, Target};
use crate::{Error, Event, Observer, Prediction, SplitName, threads};

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
    /// The names of the labels in the order of the logits.
    pub labels: Vec<String>,
    /// The figures.
    pub metrics: Metrics,
    /// What was cut off the texts.
    pub truncation: TruncationReport,
    /// How many real tokens were read.
    pub tokens: u64,
    /// How long the model took; reading and tokenising are not in it.
    pub runtime: Duration,
    /// The prediction for each example, in the order of the file, where it was asked for.
    pub predictions: Option<Vec<Prediction>>,
}

/// Labelled examples as the model sees them.
pub(crate) struct Examples {
    pub tokenized: Tokenized,
    /// One for each example.
    pub targets: Vec<Target>,
}

impl Examples {
    /// Targets that know what the model sees of their examples.
    pub fn new(tokenized: Tokenized, mut targets: Vec<Target>) -> Self {
        targets.iter_mut().zip(&tokenized.features).for_each(|(target, features)| target.see(features));
        Self { tokenized, targets }
    }
}

/// Evaluates a fine-tuned model on a file.
pub fn evaluate(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Evaluation, Error> {
    threads::pool(request.threads)?.install(|| {
        let mut complaints = Complaints::default();
        let loaded = complaints.note(loaded::load(&request.run));
        let task = loaded.as_ref().map_or(Task::default(), |loaded| loaded.task);
        let data = complaints.note(Data::read(task, &request.data, request.format, &request.columns));
        let (Some(loaded), Some(data)) = (loaded, data) else { return Err(complaints.into_error()) };
        data.announce(SplitName::Evaluation, observer);
        let objective = loaded.objective.as_ref();
        let targets = objective.targets(&data)?;
        for notice in objective.notices(&data) {
            observer.observe(&Event::Notice(&notice));
        }
        observer.observe(&Event::ModelLoaded {
            folder: &request.run,
            family: loaded.model.facts().family,
            parameter_count: loaded.model.facts().parameter_count,
            labels: objective.labels(),
        });
        let tokenized = data.tokenize(&loaded.tokenizer, loaded.max_length)?;
        observer.observe(&Event::Tokenized { split: SplitName::Evaluation, truncation: &tokenized.truncation });
        let examples = Examples::new(tokenized, targets);
        observer.observe(&Event::Evaluating { split: SplitName::Evaluation, examples: examples.targets.len() });
        let (mut evaluation, answers) = score(&loaded.model, objective, &examples, INFERENCE_TOKENS);
        if request.with_predictions {
            evaluation.predictions = Some(Prediction::of(objective, &answers, &examples.tokenized.features, data.sentences()));
        }
        observer.observe(&Event::Evaluated { step: 0, split: SplitName::Evaluation, evaluation: &evaluation });
        Ok(evaluation)
    })
}

/// Runs a model over examples, a batch of at most `budget` tokens at a time, and compares what it says with what is true.
pub(crate) fn score(model: &Model, objective: &dyn Objective, examples: &Examples, budget: usize) -> (Evaluation, Vec<Answer>) {
    let started = Instant::now();
    let mut answers: Vec<Option<Answer>> = vec![None; examples.targets.len()];
    let mut loss = 0.0;
    each_batch(model, &examples.tokenized.features, budget, |batch| {
        let targets: Vec<&Target> = batch.examples.iter().map(|&place| &examples.targets[place]).collect();
        loss += f64::from(objective.loss(batch.graph, batch.logits, &targets, 1.0).tensor().item());
        batch.each(|place, logits| answers[place] = Some(objective.answer(logits)));
    });
    let answers: Vec<Answer> = answers.into_iter().flatten().collect();
    let terms: usize = examples.targets.iter().map(Target::terms).sum();
    let evaluation = Evaluation {
        labels: objective.labels().to_vec(),
        metrics: objective.metrics(&answers, &examples.targets, loss / terms.max(1) as f64),
        truncation: examples.tokenized.truncation,
        tokens: examples.tokenized.tokens(),
        runtime: started.elapsed(),
        predictions: None,
    };
    (evaluation, answers)
}
