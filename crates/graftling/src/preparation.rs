//! Everything that can be wrong with a run is found here, before any work is done that could be lost.
//!
//! Reads files and tells what it found; writes nothing and computes nothing.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use graftling_models::{CLASSIFIER_BIAS, Head, LoadReport, Model, ModelFacts, inspect, sentence_head};
use graftling_text::{Columns, FileFormat, Format, Tokenizer};

use crate::companions::Companions;
use crate::data::{Data, Layout, parsed};
use crate::disk::Lock;
use crate::error::Complaints;
use crate::evaluate::Examples;
use crate::fingerprint::Fingerprints;
use crate::fit::plan::Plan;
use crate::languages::{Languages, prefix_notice};
use crate::reading::Reading;
use crate::recipe::{BestMetric, DataFormat, HeadBias, InitialWeights, Recipe, Task};
use crate::report::{Language, SplitFacts};
use crate::resume::Interrupted;
use crate::sampling::Sampler;
use crate::schedule::Schedule;
use crate::sentence_settings::SentenceSettings;
use crate::strategies::{self, Groups};
use crate::targets::{Targets, say_start};
use crate::tasks::{self, Objective};
use crate::writing::{Writing, WritingOf};
use crate::{Error, Event, Observer, ResumeError, SplitName, disk, learning_rate, run_folder};

/// All that training needs, read and checked.
pub(crate) struct Prepared {
    pub model: Model,
    pub tokenizer: Tokenizer,
    pub objective: Box<dyn Objective>,
    pub groups: Groups,
    pub train: Examples,
    pub validation: Examples,
    pub test: Option<Examples>,
    pub plan: Plan,
    pub schedule: Schedule,
    /// The figure that the best checkpoint is chosen by.
    pub metric: BestMetric,
    /// The highest rate of the schedule.
    pub learning_rate: f32,
    /// How long texts are read.
    pub reading: Reading,
    /// What a folder of sentence vectors says of texts, where the model gives such.
    pub sentences: Option<SentenceSettings>,
    /// What lies beside a language model.
    pub companions: Companions,
    /// How texts are written, where that is the task.
    pub writing: Option<Writing>,
    /// What a report tells of the data.
    pub told: Told,
    /// The run that is gone on with, where it is not a new one.
    pub interrupted: Option<Interrupted>,
    /// Whether that run has no step left to take.
    pub is_trained: bool,
    /// By which the examples are known.
    pub fingerprints: Fingerprints,
    /// Keeps other runs from writing to the output folder, where it is there already.
    pub lock: Option<Lock>,
}

/// What a report tells of the data, and the texts that it shows.
pub(crate) struct Told {
    pub splits: Vec<SplitFacts>,
    pub language: Language,
    pub validation: Data,
    pub test: Option<Data>,
}

impl Told {
    /// How many examples the training split has.
    pub fn train_examples(&self) -> usize {
        let train = SplitName::Train.to_string();
        self.splits.iter().find(|facts| facts.split == train).map_or(0, |facts| facts.examples)
    }
}

/// Reads and checks all that a recipe names. Complaints come together where one does not follow from another.
pub(crate) fn prepare(recipe: &Recipe, folder: &Path, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Prepared, Error> {
    let mut complaints = Complaints::default();
    let (interrupted, lock) = match recipe.resume {
        true => {
            complaints.note(disk::check_folder(&recipe.output));
            complaints.note(Interrupted::find(recipe)).unzip()
        }
        false => {
            let checked = run_folder::check(&recipe.output, recipe.overwrite_output, &read_by(recipe, folder));
            (None, complaints.note(checked).flatten())
        }
    };
    let data = complaints.note(Splits::read(recipe, observer));
    let tokenizer = complaints.note(Tokenizer::from_folder(folder));
    let inspection = complaints.note(inspect(folder));
    if let Some(inspection) = &inspection {
        complaints.note(max_length(recipe, &inspection.facts));
        if let Some(tokenizer) = &tokenizer {
            complaints.note(check_vocabulary(folder, tokenizer, &inspection.facts));
        }
    }
    let (data, tokenizer) = match (data, tokenizer) {
        (Some(data), Some(tokenizer)) if complaints.is_empty() => (data, tokenizer),
        _ => return Err(complaints.into_error()),
    };

    let (mut data, mut tokenizer) = (data, tokenizer);
    if recipe.task == Task::Translation {
        let told = Languages::of(recipe).choose(&mut tokenizer)?;
        let of_prefix = || prefix_notice(&tokenizer).filter(|_| recipe.source_prefix.is_none());
        if let Some(notice) = told.or_else(of_prefix) {
            observer.observe(&Event::Notice(&notice));
        }
    }
    let stored = match recipe.task {
        Task::SentenceEmbedding => sentence_head(folder)?,
        task if task.writes() => {
            inspection.as_ref().map(|inspection| inspection.writes.clone().unwrap_or(Head::SequenceToSequence))
        }
        _ => None,
    };
    for notice in data.objective.settle(stored.as_ref()) {
        observer.observe(&Event::Notice(&notice));
    }
    data.objective.meet(&tokenizer)?;
    let mut sentences = None;
    if recipe.task == Task::SentenceEmbedding {
        let settings = SentenceSettings::read(folder)?;
        if let Some(prompt) = &settings.prompt {
            let told =
                format!("{prompt:?} is put before every text: config_sentence_transformers.json names it as the default prompt");
            observer.observe(&Event::Notice(&told));
        }
        sentences = Some(settings);
    }
    let metric = best_metric(recipe, data.objective.as_ref())?;
    let head = data.objective.head();
    let (mut model, report) = match &interrupted {
        Some(interrupted) => (interrupted.model(&head)?, LoadReport::default()),
        None => match recipe.initial_weights {
            InitialWeights::Pretrained => Model::from_pretrained(folder, head, recipe.seed)?,
            InitialWeights::Random => Model::from_config(folder, head, recipe.seed)?,
        },
    };
    say_start(&mut model, &tokenizer)?;
    if recipe.head_bias == Some(HeadBias::Prior) && model.parameters.find(CLASSIFIER_BIAS).is_none() {
        return Err(Error::NoClassifierBias { family: model.facts().family });
    }
    data.objective.inscribe(&mut model);
    data.objective.recall(&model);
    let groups = strategies::apply(recipe, &mut model)?;
    if let Some(probability) = recipe.dropout {
        model.set_dropout(probability);
    }
    let from = interrupted.as_ref().map_or(folder, |interrupted| &interrupted.checkpoint);
    announce_model(from, &model, &report, observer);
    proceed(stop)?;

    let targets = Targets::of(recipe.task, Some(recipe), &model)?;
    let longest = match sentences.as_ref().and_then(|sentences| sentences.max_length) {
        Some(tokens) if recipe.max_length.is_none() => tokens.min(model.facts().longest()),
        _ => match &targets {
            Some(targets) => targets.source_length(recipe.task, recipe.max_length, recipe.max_new_tokens, model.facts())?,
            None => max_length(recipe, model.facts())?,
        },
    };
    let of = WritingOf { folder: from, recipe: Some(recipe), model: &model, tokenizer: &tokenizer, is_language_chosen: true };
    let writing = targets.as_ref().map(|targets| Writing::new(targets, &of)).transpose()?;
    let companions = match &writing {
        Some(writing) => Companions::read(from)?.with_generation(writing.config()),
        None if recipe.task == Task::CausalLm => Companions::read(from)?,
        None => Companions::default(),
    };
    let prompt = sentences.as_ref().and_then(|sentences| sentences.prompt.as_deref()).or(recipe.source_prefix.as_deref());
    let reading = Reading::new(recipe.task, Some(recipe), longest).with_prompt(prompt).with_targets(targets);
    let sentences = sentences.map(|sentences| sentences.with_max_length(longest));
    let texts = data.train.texts();
    let mut splits = Vec::new();
    let mut examples = |split, examples: &Data| -> Result<Examples, Error> {
        let tokenized = examples.tokenize(&tokenizer, &reading)?;
        observer.observe(&Event::Tokenized { split, truncation: &tokenized.truncation });
        for notice in tokenized.notices(&tokenizer) {
            observer.observe(&Event::Notice(&notice));
        }
        let targets = data.objective.targets(examples)?;
        let others = (split != SplitName::Train).then_some(&texts);
        splits.push(SplitFacts::new(split, examples, data.objective.as_ref(), (&tokenized, &targets), others));
        Ok(match split {
            SplitName::Train => Examples::to_train_on(tokenized, targets),
            _ => Examples::to_score(data.objective.as_ref(), tokenized, targets),
        })
    };
    let train = examples(SplitName::Train, &data.train)?;
    if let Some(bias) = head_bias(recipe, data.objective.as_ref(), &train, &report) {
        model.set_classifier_bias(&bias);
    }
    let validation = examples(SplitName::Validation, &data.validation)?;
    let test = data.test.as_ref().map(|test| examples(SplitName::Test, test)).transpose()?;
    let language = recipe.report_language.unwrap_or_else(|| Language::of_texts(texts.share_of_han()));
    proceed(stop)?;

    let sampler = Sampler::new(recipe.sampling, &train.targets);
    if let Some(notice) = sampler.notice() {
        observer.observe(&Event::Notice(&notice));
    }
    let plan = Plan::new(recipe, train.lengths(), sampler);
    let fingerprints = Fingerprints::of(&train, &validation, test.as_ref());
    let mut is_trained = false;
    if let Some(interrupted) = &interrupted {
        interrupted.check_data(&fingerprints, observer)?;
        let (done, steps) = (interrupted.steps_done(), plan.steps());
        is_trained = interrupted.is_trained(recipe, steps);
        if is_trained && run_folder::is_finished(&recipe.output) {
            return Err(ResumeError::Finished { folder: recipe.output.clone(), steps: done }.into());
        }
        let left = if is_trained { "; training is over, and what comes after it is done now" } else { "" };
        observer.observe(&Event::Notice(&format!("resumed after step {done} of {steps}{left}")));
    }
    let schedule = Schedule::new(recipe.schedule, recipe.warmup, plan.steps())?;
    if schedule.warmup_steps() == plan.steps() {
        let only = if plan.steps() == 1 { ", so that nothing is learnt" } else { "" };
        observer.observe(&Event::Notice(&format!(
            "all steps of the training ({}) are warm-up, which begins at a rate of 0{only}; train longer, or set warmup to 0",
            plan.steps()
        )));
    }
    let hidden_size = model.facts().hidden_size;
    let learning_rate = recipe.learning_rate.unwrap_or_else(|| learning_rate::for_width(hidden_size));
    if recipe.learning_rate.is_none() {
        observer.observe(&Event::Notice(&format!("learning rate {learning_rate:e}, for a model {hidden_size} wide")));
    }
    let needed = if is_trained { checkpoint_bytes(model.facts()) } else { needed_bytes(recipe, model.facts(), &plan) };
    disk::check_space(&recipe.output, needed)?;
    Ok(Prepared {
        model,
        tokenizer,
        objective: data.objective,
        groups,
        train,
        validation,
        test,
        plan,
        schedule,
        metric,
        learning_rate,
        reading,
        sentences,
        companions,
        writing,
        told: Told { splits, language, validation: data.validation, test: data.test },
        interrupted,
        is_trained,
        fingerprints,
        lock,
    })
}

/// Refuses a tokenizer whose ids the model has no embedding for.
pub(crate) fn check_vocabulary(folder: &Path, tokenizer: &Tokenizer, facts: &ModelFacts) -> Result<(), Error> {
    let written = facts.decoder.map(|decoder| (tokenizer.for_targets().vocabulary_size(), decoder.vocabulary_size));
    let read = (tokenizer.read_vocabulary_size(), facts.vocabulary_size);
    for (vocabulary, embeddings) in written.into_iter().chain([read]) {
        if vocabulary > embeddings {
            return Err(Error::VocabularyTooLarge { folder: folder.to_owned(), vocabulary, embeddings });
        }
    }
    Ok(())
}

/// The examples of a run, and what there is to learn from them.
struct Splits {
    objective: Box<dyn Objective>,
    train: Data,
    validation: Data,
    test: Option<Data>,
}

impl Splits {
    fn read(recipe: &Recipe, observer: &mut dyn Observer) -> Result<Self, Error> {
        let mut complaints = Complaints::default();
        let train = complaints.note(data(recipe, &recipe.train));
        let given = recipe.validation.as_ref().and_then(|path| complaints.note(data(recipe, path)));
        let test = recipe.test.as_ref().and_then(|path| complaints.note(data(recipe, path)));
        let objective = train.as_ref().and_then(|train| complaints.note(tasks::from_examples(recipe, train)));
        if let Some(objective) = &objective {
            for other in given.iter().chain(&test) {
                complaints.note(objective.targets(other));
            }
        }
        let split = match (train, given) {
            (Some(train), Some(validation)) => Some((train, validation)),
            (Some(train), None) if recipe.validation.is_none() => {
                complaints.note(train.split(recipe.validation_fraction, recipe.seed))
            }
            _ => None,
        };
        let splits = match (objective, split) {
            (Some(objective), Some((train, validation))) if complaints.is_empty() => Self { objective, train, validation, test },
            _ => return Err(complaints.into_error()),
        };
        splits.announce(observer);
        Ok(splits)
    }

    fn announce(&self, observer: &mut dyn Observer) {
        self.train.announce(SplitName::Train, observer);
        let others = [(SplitName::Validation, Some(&self.validation)), (SplitName::Test, self.test.as_ref())];
        for (split, other) in others.into_iter().filter_map(|(split, other)| Some((split, other?))) {
            other.announce(split, observer);
            for notice in self.objective.notices(other) {
                observer.observe(&Event::Notice(&notice));
            }
            if let Some(notice) = self.train.leakage_notice(other) {
                observer.observe(&Event::Notice(&notice));
            }
        }
    }
}

fn data(recipe: &Recipe, path: &Path) -> Result<Data, Error> {
    let template = recipe.template.as_deref().map(parsed).transpose()?;
    let layout = Layout { format: format(recipe), columns: columns(recipe), template, languages: Languages::of(recipe) };
    Data::read(recipe.task, path, &layout)
}

/// How a recipe says that its files are written.
pub(crate) fn format(recipe: &Recipe) -> Option<FileFormat> {
    recipe.format.map(|format| match format {
        DataFormat::Csv => FileFormat::Table(Format::Csv),
        DataFormat::Tsv => FileFormat::Table(Format::Tsv),
        DataFormat::Jsonl => FileFormat::Table(Format::Jsonl),
        DataFormat::Conll => FileFormat::Conll,
        DataFormat::Lines => FileFormat::Lines,
        DataFormat::Squad => FileFormat::Squad,
    })
}

/// Which columns a recipe names.
pub(crate) fn columns(recipe: &Recipe) -> Columns {
    Columns { text: recipe.text_column.clone(), text_pair: recipe.text_pair_column.clone(), label: recipe.label_column.clone() }
}

/// Where the bias of a new classifier starts, if not at zero. A classifier that was there before, a run that goes on included, stays as it
/// is.
fn head_bias(recipe: &Recipe, objective: &dyn Objective, train: &Examples, report: &LoadReport) -> Option<Vec<f32>> {
    let is_new = report.new_parameters.iter().any(|name| name == CLASSIFIER_BIAS);
    let start = recipe.head_bias.unwrap_or(HeadBias::usual(recipe.task));
    let wanted = is_new && start == HeadBias::Prior;
    wanted.then(|| objective.prior(&train.targets)).flatten()
}

/// The figure that checkpoints are chosen by: the one that the recipe names, if the task has it, or the task's own.
fn best_metric(recipe: &Recipe, objective: &dyn Objective) -> Result<BestMetric, Error> {
    let accepted = objective.best_metrics();
    match recipe.metric_for_best_model {
        None => Ok(accepted[0]),
        Some(metric) if accepted.contains(&metric) => Ok(metric),
        Some(metric) => Err(Error::MetricOfOtherTask { metric, task: recipe.task, accepted }),
    }
}

/// The files and folders that a run reads.
fn read_by<'a>(recipe: &'a Recipe, folder: &'a Path) -> Vec<&'a Path> {
    let data = [Some(&recipe.train), recipe.validation.as_ref(), recipe.test.as_ref()];
    data.into_iter().flatten().map(|path| path.as_path()).chain([folder]).collect()
}

fn proceed(stop: &AtomicBool) -> Result<(), Error> {
    if stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}

fn max_length(recipe: &Recipe, facts: &ModelFacts) -> Result<usize, Error> {
    let positions = facts.longest();
    match recipe.max_length {
        Some(max_length) if max_length > positions => Err(Error::MaxLengthTooLong { max_length, positions }),
        Some(max_length) => Ok(max_length),
        None => Ok(Reading::usual_max_length(recipe.task).min(positions)),
    }
}

/// What to tell of a config with keys that no model has: whoever wrote them may have meant another model.
pub(crate) fn unknown_keys_notice(model: &Model) -> Option<String> {
    let quoted: Vec<String> = model.unknown_config_keys().into_iter().map(|key| format!("{key:?}")).collect();
    (!quoted.is_empty())
        .then(|| format!("config.json: no model of a known family has {}; nothing is made of it", quoted.join(", ")))
}

fn announce_model(folder: &Path, model: &Model, report: &LoadReport, observer: &mut dyn Observer) {
    observer.observe(&Event::ModelLoaded {
        folder,
        family: model.facts().family,
        parameter_count: model.facts().parameter_count,
        labels: model.labels(),
    });
    let trained = model.parameters.ids().filter(|id| !model.is_fixed(*id)).count();
    match report.new_parameters.len() {
        0 => {}
        new if new == trained => observer.observe(&Event::Notice("all weights are drawn from the seed, none is read")),
        _ => {
            // A pooler that is kept and not looked at is nothing to tell.
            let is_used = |name: &&String| model.parameters.find(name).is_none_or(|id| model.is_used(id));
            let new = named_once(report.new_parameters.iter().filter(is_used));
            observer.observe(&Event::Notice(&format!("{new}: not in the checkpoint, drawn anew from the seed")));
        }
    }
    if let Some(notice) = unknown_keys_notice(model) {
        observer.observe(&Event::Notice(&notice));
    }
    for ignored in &report.ignored {
        observer.observe(&Event::Notice(&format!("{}: not used, {}", ignored.name, ignored.reason)));
    }
}

/// Names of parameters, with those that differ in the number of their layer as one.
fn named_once<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut said: Vec<String> = Vec::new();
    for name in names {
        let is_number = |part: &str| part.parse::<usize>().is_ok();
        let parts: Vec<&str> = name.split('.').map(|part| if is_number(part) { "*" } else { part }).collect();
        let name = parts.join(".");
        if !said.contains(&name) {
            said.push(name);
        }
    }
    said.join(", ")
}

/// Room for the small files of a checkpoint: tokenizer, config, state.
const SMALL_FILES_BYTES: u64 = 4 << 20;

/// What the run folder takes at its largest: the checkpoints that are kept, the one being written, and the top of the folder.
fn needed_bytes(recipe: &Recipe, facts: &ModelFacts, plan: &Plan) -> u64 {
    let checkpoint = checkpoint_bytes(facts);
    // Beside those within the limit stand the best one and the one being written.
    let kept = recipe.save_total_limit.map_or(u64::MAX, |limit| limit as u64 + 2).min(plan.evaluations());
    // The moments of the last checkpoint, and of the one before while that is being written.
    let moments = (facts.parameter_count as u64).saturating_mul(8).saturating_mul(2.min(plan.evaluations()));
    checkpoint.saturating_mul(kept + 1).saturating_add(moments)
}

/// What a checkpoint takes, without moments.
fn checkpoint_bytes(facts: &ModelFacts) -> u64 {
    (facts.parameter_count as u64).saturating_mul(4).saturating_add(SMALL_FILES_BYTES)
}
