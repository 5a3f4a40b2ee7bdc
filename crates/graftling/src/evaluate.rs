//! How well a model does on labelled examples: the same in training, after it, and on request. Knows nothing of updates.

use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use graftling_models::Model;
use graftling_text::{Columns, Format, TruncationReport};

use crate::data::Data;
use crate::error::Complaints;
use crate::features::{Features, Tokenized};
use crate::inference::each_batch;
use crate::loaded::{self, BareEncoder, INFERENCE_TOKENS};
use crate::metrics::Metrics;
use crate::reading::Reading;
use crate::recipe::Task;
use crate::tasks::{Answer, Objective, Target};
use crate::{Error, Event, NoAnswer, Observer, Prediction, SplitName, random, threads};

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
    /// When a model that answers questions says that there is no answer; `None` is as it was trained.
    pub no_answer: Option<NoAnswer>,
    /// How an encoder without a head gives the vectors of texts; such a folder alone takes it, and needs it.
    pub encoder: Option<BareEncoder>,
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
    /// One for each example; where they are trained on, one for each window of a text that is an example by itself.
    pub targets: Vec<Target>,
    /// The windows that belong to each target.
    pub windows: Vec<Range<usize>>,
}

impl Examples {
    /// To be scored: a text is answered once, whatever its windows. What a task draws is drawn the same way in every evaluation, from
    /// each window by itself.
    pub fn to_score(objective: &dyn Objective, mut tokenized: Tokenized, mut targets: Vec<Target>) -> Self {
        let drawn = |(window, features)| objective.drawn(features, random::key(0, &[DRAWN, window as u64]));
        let drawn: Option<Vec<(Features, Target)>> = tokenized.features.iter().enumerate().map(drawn).collect();
        if let Some(drawn) = drawn.filter(|drawn| !drawn.is_empty()) {
            (tokenized.features, targets) = drawn.into_iter().unzip();
            tokenized.texts = (0..tokenized.features.len()).map(|window| window..window + 1).collect();
            tokenized.examples = tokenized.texts.clone();
        } else {
            for (example, target) in targets.iter_mut().enumerate() {
                target.see(tokenized.windows(tokenized.examples[example].start));
                target.measure(tokenized.measures(example));
            }
        }
        let windows = (0..targets.len()).map(|example| tokenized.windows_of_example(example)).collect();
        Self { tokenized, targets, windows }
    }

    /// To be trained on: every window is an example of its own, with the part of its text's target that it sees. Several texts that are
    /// compared with each other stay one.
    pub fn to_train_on(mut tokenized: Tokenized, targets: Vec<Target>) -> Self {
        let mut of_windows = Vec::with_capacity(tokenized.features.len());
        let mut ranges = Vec::with_capacity(tokenized.features.len());
        for (example, mut target) in targets.into_iter().enumerate() {
            let all = tokenized.windows_of_example(example);
            if tokenized.examples[example].len() > 1 {
                target.measure(tokenized.measures(example));
                of_windows.push(target);
                ranges.push(all);
                continue;
            }
            of_windows.extend(tokenized.features[all.clone()].iter().map(|window| target.of_window(window)));
            ranges.extend(all.map(|window| window..window + 1));
        }
        // What answers would be read from is not needed any more, and takes more room than the tokens.
        tokenized.features.iter_mut().for_each(|features| features.passages = None);
        Self { tokenized, targets: of_windows, windows: ranges }
    }

    /// How many tokens belong to each target.
    pub fn lengths(&self) -> Vec<usize> {
        let length = |windows: &Range<usize>| self.tokenized.features[windows.clone()].iter().map(|it| it.input_ids.len()).sum();
        self.windows.iter().map(length).collect()
    }
}

/// Evaluates a fine-tuned model on a file.
pub fn evaluate(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Evaluation, Error> {
    threads::pool(request.threads)?.install(|| {
        let mut complaints = Complaints::default();
        let loaded = loaded::load(&request.run, request.encoder).and_then(|loaded| loaded.with_no_answer(request.no_answer));
        let loaded = complaints.note(loaded);
        let task = loaded.as_ref().map_or(Task::default(), |loaded| loaded.task);
        let data = complaints.note(Data::read(task, &request.data, request.format, &request.columns));
        if request.with_predictions && task == Task::MaskedLm {
            complaints.note::<()>(Err(Error::NoPredictionEach { task }));
        }
        let (Some(loaded), Some(data), true) = (loaded, data, complaints.is_empty()) else { return Err(complaints.into_error()) };
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
        let tokenized = data.tokenize(&loaded.tokenizer, &loaded.reading)?;
        observer.observe(&Event::Tokenized { split: SplitName::Evaluation, truncation: &tokenized.truncation });
        for notice in tokenized.notices(&loaded.tokenizer) {
            observer.observe(&Event::Notice(&notice));
        }
        let examples = Examples::to_score(objective, tokenized, targets);
        observer.observe(&Event::Evaluating { split: SplitName::Evaluation, examples: examples.targets.len() });
        let (mut evaluation, answers) =
            score(&Scorer { model: &loaded.model, objective, reading: &loaded.reading }, &examples, INFERENCE_TOKENS);
        if request.with_predictions {
            evaluation.predictions =
                Some(Prediction::of(objective, &loaded.tokenizer, &answers, &examples.tokenized, data.sentences()));
        }
        observer.observe(&Event::Evaluated { step: 0, split: SplitName::Evaluation, evaluation: &evaluation });
        Ok(evaluation)
    })
}

/// Sets what is drawn for evaluations apart from whatever else is drawn.
const DRAWN: u64 = 4;

/// What examples are scored by.
pub(crate) struct Scorer<'a> {
    pub model: &'a Model,
    pub objective: &'a dyn Objective,
    pub reading: &'a Reading,
}

/// Runs a model over examples, a batch of at most `budget` tokens at a time, and compares what it says with what is true.
pub(crate) fn score(scorer: &Scorer<'_>, examples: &Examples, budget: usize) -> (Evaluation, Vec<Answer>) {
    let Scorer { model, objective, reading } = *scorer;
    let started = Instant::now();
    let mut answers: Vec<Option<Answer>> = vec![None; examples.tokenized.texts.len()];
    let comparison = objective.comparison();
    let mut loss = 0.0;
    each_batch(model, &examples.tokenized, reading, budget, |batch| {
        if comparison.is_none() {
            let targets: Vec<&Target> = batch.texts.iter().map(|&place| &examples.targets[place]).collect();
            loss += f64::from(objective.loss(batch.graph, batch.logits, &targets, 1.0).tensor().item());
        }
        batch.each(|place, logits| answers[place] = Some(objective.answer(logits, batch.columns(), batch.windows(place))));
    });
    let answers: Vec<Answer> = answers.into_iter().flatten().collect();
    let terms: usize = examples.targets.iter().map(Target::terms).sum();
    let mean = match comparison {
        Some(comparison) => comparison.mean_loss(&answers, &examples.targets),
        None => loss / terms.max(1) as f64,
    };
    let evaluation = Evaluation {
        labels: objective.labels().to_vec(),
        metrics: objective.metrics(&answers, &examples.targets, mean),
        truncation: examples.tokenized.truncation,
        tokens: examples.tokenized.tokens(),
        runtime: started.elapsed(),
        predictions: None,
    };
    (evaluation, answers)
}
