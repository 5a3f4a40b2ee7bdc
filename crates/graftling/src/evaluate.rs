//! How well a model does on labelled examples: the same in training, after it, and on request. Knows nothing of updates.

use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use graftling_tensor::{Tensor, Var};
use graftling_text::{Columns, FileFormat, PlainFormat, TruncationReport};
use serde_json::{Map, Value, json};

use crate::data::{Data, Layout, parsed};
use crate::decisions::Decisions;
use crate::error::{Complaints, LanguageError};
use crate::features::{Features, Tokenized};
use crate::figures::per_second;
use crate::inference::{Batch, Scorer, each_batch};
use crate::languages::Languages;
use crate::loaded::{self, BareEncoder, INFERENCE_TOKENS, Loaded};
use crate::metrics::{Intervals, Metrics, Resampled};
use crate::reading::ReadingChoices;
use crate::recipe::{TagScheme, Task};
use crate::tasks::{Answer, Foreseen, Objective, Target};
use crate::writing::WrittenBy;
use crate::{Error, Event, NoAnswer, Observer, Prediction, SplitName, random, threads};

/// What to evaluate, and on what.
#[derive(Clone, Debug)]
pub struct EvaluateRequest {
    /// A run folder, or any folder with a fine-tuned model.
    pub run: PathBuf,
    /// The file of labelled examples.
    pub data: PathBuf,
    /// How the file is written; `None` goes by its name.
    pub format: Option<FileFormat>,
    /// Which columns hold what; those not given are detected.
    pub columns: Columns,
    /// How many threads compute; `None` is one a core.
    pub threads: Option<usize>,
    /// Whether the prediction for each example is wanted too.
    pub with_predictions: bool,
    /// How many times the examples are drawn anew for the intervals of the figures; `None` leaves them out.
    pub resamples: Option<usize>,
    /// When a model that answers questions says that there is no answer; `None` is as it was trained.
    pub no_answer: Option<NoAnswer>,
    /// The scheme by whose letter entities are read in the strict mode; `None` is as the run did.
    pub tag_scheme: Option<TagScheme>,
    /// How long texts are read, where not as the run or the folder says.
    pub reading: ReadingChoices,
    /// How an encoder without a head gives the vectors of texts; such a folder alone takes it, and needs it.
    pub encoder: Option<BareEncoder>,
    /// What prompts are made by from columns; `None` is as the run made them.
    pub template: Option<String>,
    /// The language of the sources, where their file has it for the name of a column or of a key; `None` is as the run had it.
    pub source_language: Option<String>,
    /// The same of the translations, by which their figures go too.
    pub target_language: Option<String>,
}

impl EvaluateRequest {
    /// To evaluate a model on a file as it comes, for its figures alone, without intervals.
    pub fn new(run: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self {
            run: run.into(),
            data: data.into(),
            format: None,
            columns: Columns::default(),
            threads: None,
            with_predictions: false,
            resamples: None,
            no_answer: None,
            tag_scheme: None,
            reading: ReadingChoices::default(),
            encoder: None,
            template: None,
            source_language: None,
            target_language: None,
        }
    }
}

/// How a model did on labelled examples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The names of the labels in the order of the logits.
    pub labels: Vec<String>,
    /// The figures.
    pub metrics: Metrics,
    /// What was fitted or given to decide by, where something was, and the figures as they would be without it.
    pub unfitted: Option<Unfitted>,
    /// How far they can be trusted, where that was asked for.
    pub intervals: Option<Intervals>,
    /// What was cut off the texts.
    pub truncation: TruncationReport,
    /// How many real tokens were read.
    pub tokens: u64,
    /// How long the model took; reading and tokenising are not in it.
    pub runtime: Duration,
    /// The prediction for each example, in the order of the file, where it was asked for.
    pub predictions: Option<Vec<Prediction>>,
}

/// The figures as they would be without what was fitted or given.
#[derive(Clone, Debug)]
pub struct Unfitted {
    /// What was fitted or given.
    pub decisions: Decisions,
    /// The figures at temperature 1 and thresholds of a half.
    pub metrics: Metrics,
}

impl Evaluation {
    /// Every figure that is not of one class or label, what was fitted, intervals, time and truncation, under the names that transformers'
    /// Trainer would write: `PREFIX_loss`.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut entries = self.metrics.flat(prefix);
        let samples = self.metrics.examples();
        if let Some(unfitted) = &self.unfitted {
            entries.extend(unfitted.flat(prefix, &self.labels));
        }
        let mut put = |name: &str, value: Value| entries.insert(format!("{prefix}_{name}"), value);
        if let Some(intervals) = &self.intervals {
            put("intervals", intervals.to_json());
        }
        put("runtime", json!(self.runtime.as_secs_f64()));
        put("samples", json!(samples));
        put("samples_per_second", json!(per_second(samples, self.runtime)));
        put("tokens", json!(self.tokens));
        put("tokens_per_second", json!(per_second(self.tokens, self.runtime)));
        put("truncated_samples", json!(self.truncation.truncated_texts));
        put("truncated_tokens", json!(self.truncation.cut_tokens));
        if self.truncation.max_target_length > 0 {
            put("truncated_targets", json!(self.truncation.cut_targets));
        }
        entries
    }
}

impl Unfitted {
    /// What was fitted, and every figure without it, under `PREFIX_temperature`, `PREFIX_thresholds` and `PREFIX_unfitted_...`.
    pub fn flat(&self, prefix: &str, labels: &[String]) -> Map<String, Value> {
        let decisions = self.decisions.to_json(labels).into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value));
        decisions.chain(self.metrics.flat(&format!("{prefix}_unfitted"))).collect()
    }
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
        let length = |windows: &Range<usize>| self.tokenized.features[windows.clone()].iter().map(|it| it.tokens()).sum();
        self.windows.iter().map(length).collect()
    }
}

/// Evaluates a fine-tuned model on a file.
pub fn evaluate(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Evaluation, Error> {
    threads::pool(request.threads)?.install(|| {
        let Evaluated { loaded, data, examples, scored, mut evaluation } = evaluated(request, observer)?;
        if request.with_predictions {
            let objective = loaded.objective.as_ref();
            evaluation.predictions =
                Some(Prediction::of(objective, &loaded.tokenizer, &scored.answers, &examples.tokenized, data.sentences()));
        }
        Ok(evaluation)
    })
}

/// The same with what the figures are counted from, example by example, and without predictions.
pub(crate) fn evaluate_example_by_example(
    request: &EvaluateRequest,
    observer: &mut dyn Observer,
) -> Result<(Evaluation, Box<dyn Resampled>), Error> {
    threads::pool(request.threads)?.install(|| {
        let Evaluated { loaded, examples, scored, evaluation, .. } = evaluated(request, observer)?;
        Ok((evaluation, scored.sample(loaded.objective.as_ref(), &examples.targets)))
    })
}

/// An evaluation with all that it was made from.
pub(crate) struct Evaluated {
    pub loaded: Loaded,
    pub data: Data,
    pub examples: Examples,
    pub scored: Scored,
    /// With intervals, where they were asked for.
    pub evaluation: Evaluation,
}

/// Evaluates a fine-tuned model on a file, on the threads that are there.
pub(crate) fn evaluated(request: &EvaluateRequest, observer: &mut dyn Observer) -> Result<Evaluated, Error> {
    let EvaluateRequest { source_language, target_language, .. } = request.clone();
    let asked = Languages { source: source_language, target: target_language };
    let mut loaded = loaded::load(&request.run, request.encoder, &asked)?;
    let mut complaints = Complaints::default();
    if let Some(no_answer) = request.no_answer {
        complaints.note(loaded.set_no_answer(no_answer));
    }
    if let Some(scheme) = request.tag_scheme {
        complaints.note(loaded.set_tag_scheme(scheme));
    }
    complaints.note(loaded.read_by(request.reading));
    let data = complaints.note(examples_of(request, &loaded, asked));
    if request.with_predictions {
        complaints.note(match loaded.task {
            Task::MaskedLm => Err(LanguageError::NoPredictionOfMasks),
            Task::CausalLm => Err(LanguageError::NoPredictionEach),
            _ => Ok(()),
        });
    }
    let (Some(data), true) = (data, complaints.is_empty()) else { return Err(complaints.into_error()) };
    for notice in &loaded.notices {
        observer.observe(&Event::Notice(notice));
    }
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
    let scored = score(&loaded.scorer(), &examples, INFERENCE_TOKENS);
    let by = WrittenBy::of(&loaded.writing, &loaded.tokenizer);
    let scored = scored.with_texts(&loaded.scorer(), &examples, (SplitName::Evaluation, by), observer)?;
    let evaluation = scored.judged(objective, &examples, request.resamples);
    observer.observe(&Event::Evaluated { step: 0, split: SplitName::Evaluation, evaluation: &evaluation });
    Ok(Evaluated { loaded, data, examples, scored, evaluation })
}

/// Sets what is drawn for evaluations apart from whatever else is drawn.
const DRAWN: u64 = 4;

/// What came out of the texts of a batch, each of which is an example.
pub(crate) struct ScoredBatch {
    /// One for each text.
    pub answers: Vec<Answer>,
    /// The sum of the loss terms of each text; none where a text has no loss of its own.
    pub losses: Vec<f64>,
    /// The sum of the loss terms of all texts.
    pub loss: f64,
}

impl ScoredBatch {
    /// Answers and losses from the logits of each text.
    pub fn of_logits(objective: &(impl Objective + ?Sized), batch: &Batch<'_>, targets: &[&Target]) -> Self {
        let loss_of =
            |logits: &Var, targets: &[&Target]| f64::from(objective.loss(batch.graph, logits, targets, 1.0).tensor().item());
        let (mut answers, mut losses) = (Vec::with_capacity(targets.len()), Vec::new());
        batch.each(|place, logits| {
            let target = targets[answers.len()];
            answers.push(objective.answer(logits, batch.columns(), batch.windows(place)));
            if objective.has_own_losses() {
                let rows = Tensor::from_vec(&[logits.len() / batch.columns().max(1), batch.columns()], logits.to_vec());
                let has_terms = target.terms() > 0;
                losses.push(if has_terms { loss_of(&batch.graph.constant(rows), &[target]) } else { 0.0 });
            }
        });
        Self { answers, losses, loss: loss_of(batch.output, targets) }
    }

    /// Answers and losses where each token of a text is foreseen.
    pub fn of_tokens(texts: Vec<Foreseen>, answer: impl Fn(Foreseen) -> Answer) -> Self {
        let losses: Vec<f64> = texts.iter().map(|text| text.loss).collect();
        Self { answers: texts.into_iter().map(answer).collect(), loss: losses.iter().sum(), losses }
    }
}

/// The labelled examples of a request, which stand in their file as it says, or as the run had them.
fn examples_of(request: &EvaluateRequest, loaded: &Loaded, languages: Languages) -> Result<Data, Error> {
    let template = request.template.as_deref().map(parsed).transpose()?;
    let asked = Layout { format: request.format, columns: request.columns.clone(), template, languages };
    let is_table = match request.format {
        Some(format) => matches!(format, FileFormat::Table(_)),
        None => !PlainFormat::of(&request.data).is_ok_and(|format| format == PlainFormat::Lines),
    };
    let layout = if is_table { loaded.layout(asked) } else { asked };
    Data::read(loaded.task, &request.data, &layout)
}

/// What came out of scoring, example by example.
pub(crate) struct Scored {
    /// Without intervals and predictions.
    pub evaluation: Evaluation,
    pub answers: Vec<Answer>,
    /// The sum of the loss terms of each example; none where an example has no loss of its own.
    pub losses: Vec<f64>,
    /// The mean loss of the logits as they are.
    loss: f64,
}

impl Scored {
    /// The same with what the model writes from each source, where that is its task: the figures of texts are of it. It is told that it takes a
    /// while.
    pub fn with_texts(
        mut self,
        scorer: &Scorer<'_>,
        examples: &Examples,
        (split, by): (SplitName, Option<WrittenBy<'_>>),
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let Some(WrittenBy { writing, tokenizer }) = by else { return Ok(self) };
        observer.observe(&Event::Writing { split, texts: examples.targets.len() });
        let started = Instant::now();
        let sources = examples.tokenized.features.iter().map(|features| features.prompt().to_vec()).collect();
        let texts = writing.write(scorer.model, tokenizer, sources)?;
        assert_eq!(texts.len(), self.answers.len(), "with_texts: {} texts but {} answers", texts.len(), self.answers.len());
        for (answer, text) in self.answers.iter_mut().zip(texts) {
            if let Answer::Written(written) = answer {
                written.text = Some(text);
            }
        }
        let decisions = scorer.objective.decisions().cloned().unwrap_or_default();
        self.evaluation.metrics = decided(scorer.objective, &decisions, &self.answers, &examples.targets, self.loss);
        self.evaluation.runtime += started.elapsed();
        Ok(self)
    }

    /// The evaluation, with intervals where they are wanted, by what the task decides by now.
    pub fn judged(&self, objective: &dyn Objective, examples: &Examples, resamples: Option<usize>) -> Evaluation {
        let targets = &examples.targets;
        let intervals = resamples.map(|resamples| Intervals::of(self.sample(objective, targets).as_ref(), resamples));
        let evaluation = self.evaluation.clone();
        let decisions = objective.decisions().filter(|decisions| !decisions.is_plain());
        let Some(decisions) = decisions.cloned() else { return Evaluation { intervals, ..evaluation } };
        let metrics = decided(objective, &decisions, &self.answers, targets, self.loss);
        let unfitted = decided(objective, &Decisions::default(), &self.answers, targets, self.loss);
        Evaluation { metrics, intervals, unfitted: Some(Unfitted { decisions, metrics: unfitted }), ..evaluation }
    }

    /// What the figures are counted from, example by example, by what the task decides by now.
    fn sample(&self, objective: &dyn Objective, targets: &[Target]) -> Box<dyn Resampled> {
        let losses = match objective.decisions().and_then(|decisions| decisions.temperature) {
            None => self.losses.clone(),
            Some(temperature) => objective.losses_at(temperature, &self.answers, targets),
        };
        objective.sample(&self.answers, targets, losses)
    }
}

/// The figures by these decisions, of logits whose mean loss is `loss` as they are.
fn decided(objective: &dyn Objective, by: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
    let loss = match by.temperature {
        None => loss,
        Some(temperature) => objective.losses_at(temperature, answers, targets).iter().sum::<f64>() / terms(targets),
    };
    objective.metrics(by, answers, targets, loss)
}

/// How many terms the loss is a mean over, at least one.
fn terms(targets: &[Target]) -> f64 {
    targets.iter().map(Target::terms).sum::<usize>().max(1) as f64
}

/// Runs a model over examples, a batch of at most `budget` tokens at a time, and compares what it says with what is true.
pub(crate) fn score(scorer: &Scorer<'_>, examples: &Examples, budget: usize) -> Scored {
    let objective = scorer.objective;
    let started = Instant::now();
    let mut answers: Vec<Option<Answer>> = vec![None; examples.tokenized.texts.len()];
    let mut losses = vec![0.0; if objective.has_own_losses() { examples.targets.len() } else { 0 }];
    let comparison = objective.comparison();
    let mut loss = 0.0;
    each_batch(scorer, &examples.tokenized, budget, |batch| {
        if comparison.is_some() {
            // A text is a part of an example here, which is judged when all its parts are there.
            batch.texts.iter().zip(objective.answers(&batch)).for_each(|(&place, answer)| answers[place] = Some(answer));
            return;
        }
        let targets: Vec<&Target> = batch.texts.iter().map(|&place| &examples.targets[place]).collect();
        let scored = objective.scored(&batch, &targets);
        loss += scored.loss;
        batch.texts.iter().zip(scored.answers).for_each(|(&place, answer)| answers[place] = Some(answer));
        batch.texts.iter().zip(scored.losses).for_each(|(&place, own)| losses[place] = own);
    });
    let answers: Option<Vec<Answer>> = answers.into_iter().collect();
    let answers = answers.expect("score: an answer to every text");
    let loss = match comparison {
        Some(comparison) => comparison.mean_loss(&answers, &examples.targets),
        None => loss / terms(&examples.targets),
    };
    let decisions = objective.decisions().cloned().unwrap_or_default();
    let evaluation = Evaluation {
        labels: objective.labels().to_vec(),
        metrics: decided(objective, &decisions, &answers, &examples.targets, loss),
        truncation: examples.tokenized.truncation,
        tokens: examples.tokenized.tokens(),
        runtime: started.elapsed(),
        unfitted: None,
        intervals: None,
        predictions: None,
    };
    Scored { evaluation, answers, losses, loss }
}
