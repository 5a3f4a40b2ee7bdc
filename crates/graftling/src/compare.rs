//! Runs beside each other on the same examples: their figures, whether the differences are more than chance, their options, their costs.
//! Knows nothing of how a run is evaluated or how the comparison is shown.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use graftling_text::{Columns, FileFormat};
use serde_json::Value;

use crate::evaluate::{EvaluateRequest, Evaluation, evaluate_example_by_example};
use crate::languages::Languages;
use crate::loaded::{self, Loaded, recipe_of};
use crate::metrics::{Difference, McNemar, Resampled};
use crate::recipe::{FIELDS, Recipe, Task};
use crate::run_folder::ALL_RESULTS;
use crate::{Error, Event, Observer, preparation, threads};

/// Options that say nothing of how a run came out.
const OF_NO_EFFECT: &[&str] = &["output", "overwrite_output", "resume", "threads", "log_every", "resamples", "report_language"];
/// Options that say of what kind the loss is in an evaluation, too: losses of two kinds are not compared.
const OF_THE_LOSS: &[&str] = &["regression_loss", "huber_delta"];

/// What to compare, and on what.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// Two run folders or more; all are compared with the first.
    pub runs: Vec<PathBuf>,
    /// The file of labelled examples; `None` is the test file that the recipes of all runs name.
    pub data: Option<PathBuf>,
    /// How the file is written; `None` goes by its name.
    pub format: Option<FileFormat>,
    /// Which columns hold what; those not given are detected.
    pub columns: Columns,
    /// How many threads compute; `None` is one a core.
    pub threads: Option<usize>,
    /// How many times the examples are drawn anew.
    pub resamples: usize,
}

/// Runs beside each other.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The file they were judged by.
    pub data: PathBuf,
    /// What all of them do.
    pub task: Task,
    /// Each run.
    pub sides: Vec<Side>,
    /// What each run but the first has over the first.
    pub contrasts: Vec<Contrast>,
    /// The options that are not the same in all runs that have a recipe, each with its values as recipes write them; `None` where a run has
    /// no recipe, or the option is not set.
    pub options: Vec<(&'static str, Vec<Option<String>>)>,
}

/// One of the runs.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its folder.
    pub run: PathBuf,
    /// How it did on the file.
    pub evaluation: Evaluation,
    /// What its training cost.
    pub cost: Cost,
    /// Whether the folder has the recipe that it was made by: whether a run of this program made it.
    pub has_recipe: bool,
}

/// What a training cost, by the results in its run folder; `None` where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Seconds from the first step to the last.
    pub train_seconds: Option<f64>,
    /// Real tokens a second.
    pub train_tokens_per_second: Option<f64>,
    /// The most memory the process held.
    pub peak_memory_bytes: Option<u64>,
}

/// What a run has over the first.
#[derive(Clone, Debug)]
pub struct Contrast {
    /// The difference of each figure.
    pub differences: Vec<Difference>,
    /// Whether the two are right equally often, where an answer is right or wrong as a whole.
    pub mcnemar: Option<McNemar>,
}

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonProblem {
    /// They do different things.
    #[error("one does {0}, the other {1}")]
    Tasks(Task, Task),
    /// They tell other labels apart.
    #[error("their labels differ: only the first has {}, only the second {}", listed(only_first), listed(only_second))]
    Labels {
        /// Labels of the first that the second does not have.
        only_first: Vec<String>,
        /// And the other way round.
        only_second: Vec<String>,
    },
    /// They guess tokens of different vocabularies.
    #[error("their vocabularies differ ({0} and {1} entries), and a perplexity is of one vocabulary")]
    Vocabularies(usize, usize),
    /// They read the texts in windows of different sizes.
    #[error("the texts make {0} examples for one and {1} for the other; give both the same max_length and window_stride")]
    Examples(usize, usize),
}

/// Evaluates runs on the same file and compares them.
pub fn compare(request: &CompareRequest, observer: &mut dyn Observer) -> Result<Comparison, Error> {
    let [first, others @ ..] = request.runs.as_slice() else { return Err(Error::TooFewRuns { given: 0 }) };
    if others.is_empty() {
        return Err(Error::TooFewRuns { given: 1 });
    }
    let recipes = request.runs.iter().map(|run| recipe_of(run)).collect::<Result<Vec<_>, _>>()?;
    let data = match &request.data {
        Some(data) => data.clone(),
        None => common_test(&request.runs, &recipes)?,
    };
    let mut kinds = Vec::new();
    for run in &request.runs {
        kinds.push(Kind::of(loaded::load(run, None, &Languages::default())?));
        kinds[0].check(first, kinds.last().unwrap_or(&kinds[0]), run)?;
    }
    // A file that the recipes name is read as they say, unless the request says otherwise.
    let recipe = recipes[0].as_ref().filter(|_| request.data.is_none());
    let format = request.format.or_else(|| recipe.and_then(preparation::format));
    let given = recipe.map(preparation::columns).unwrap_or_default();
    let columns = Columns {
        text: request.columns.text.clone().or(given.text),
        text_pair: request.columns.text_pair.clone().or(given.text_pair),
        label: request.columns.label.clone().or(given.label),
    };
    let (mut sides, mut samples) = (Vec::new(), Vec::new());
    let mut observer = Once { observer, told: HashSet::new() };
    for (run, recipe) in request.runs.iter().zip(&recipes) {
        let evaluated = evaluate_example_by_example(
            &EvaluateRequest {
                format,
                columns: columns.clone(),
                threads: request.threads,
                resamples: Some(request.resamples),
                ..EvaluateRequest::new(run.clone(), data.clone())
            },
            &mut observer,
        )?;
        sides.push(Side { run: run.clone(), evaluation: evaluated.0, cost: Cost::of(run)?, has_recipe: recipe.is_some() });
        samples.push(evaluated.1);
    }
    let mut options = options_of(&recipes);
    // Without a recipe nobody knows of which kind the loss is.
    let one_loss = !options.iter().any(|(name, values)| OF_THE_LOSS.contains(name) && values.iter().any(|it| *it != values[0]));
    options.retain(|(_, values)| differ(values, &recipes));
    let contrast = |((sample, run), kind): ((&dyn Resampled, &PathBuf), &Kind)| {
        // What is counted in tokens is so in those of one vocabulary; texts that were written are texts.
        let one_vocabulary = !kind.task.writes() || kind.vocabulary == kinds[0].vocabulary;
        let (one, two) = (samples[0].examples(), sample.examples());
        if one != two {
            return Err(problem(first, run, ComparisonProblem::Examples(one, two)));
        }
        let right = samples[0].right().zip(sample.right());
        let mut differences = Difference::of(samples[0].as_ref(), sample, request.resamples);
        differences.retain(|difference| one_loss || difference.name.key != "loss");
        differences.retain(|difference| one_vocabulary || !OF_TOKENS.contains(&difference.name.key));
        Ok(Contrast { differences, mcnemar: right.map(|(first, second)| McNemar::of(&first, &second)) })
    };
    let contrasts = threads::pool(request.threads)?.install(|| {
        samples[1..].iter().map(AsRef::as_ref).zip(others).zip(&kinds[1..]).map(contrast).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Comparison { data, task: kinds[0].task, sides, contrasts, options })
}

/// The figures of the tokens of targets.
const OF_TOKENS: [&str; 3] = ["perplexity", "accuracy", "loss"];

/// Hands on what is told of the file once, and not for each run again.
struct Once<'a> {
    observer: &'a mut dyn Observer,
    told: HashSet<String>,
}

impl Observer for Once<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        let again = match event {
            Event::Notice(text) => !self.told.insert((*text).to_owned()),
            Event::DataRead { source, .. } => !self.told.insert(source.display().to_string()),
            _ => false,
        };
        if !again {
            self.observer.observe(event);
        }
    }
}

/// What must be the same in runs that are compared.
struct Kind {
    task: Task,
    labels: Vec<String>,
    vocabulary: usize,
}

impl Kind {
    fn of(loaded: Loaded) -> Self {
        let vocabulary = loaded.tokenizer.vocabulary_size();
        Self { task: loaded.task, labels: loaded.objective.labels().to_vec(), vocabulary }
    }

    fn check(&self, folder: &Path, other: &Self, other_folder: &Path) -> Result<(), Error> {
        let missing = |from: &Self, to: &Self| -> Vec<String> {
            from.labels.iter().filter(|label| !to.labels.contains(label)).cloned().collect()
        };
        let (only_first, only_second) = (missing(self, other), missing(other, self));
        let found = if self.task != other.task {
            ComparisonProblem::Tasks(self.task, other.task)
        } else if !only_first.is_empty() || !only_second.is_empty() {
            ComparisonProblem::Labels { only_first, only_second }
        } else if matches!(self.task, Task::MaskedLm | Task::CausalLm) && self.vocabulary != other.vocabulary {
            ComparisonProblem::Vocabularies(self.vocabulary, other.vocabulary)
        } else {
            return Ok(());
        };
        Err(problem(folder, other_folder, found))
    }
}

impl Cost {
    fn of(run: &Path) -> Result<Self, Error> {
        let path = run.join(ALL_RESULTS);
        let results: Value = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| Error::Damaged { path })?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::Read { path, source }),
        };
        Ok(Self {
            train_seconds: results["train_runtime"].as_f64(),
            train_tokens_per_second: results["train_tokens_per_second"].as_f64(),
            peak_memory_bytes: results["peak_memory_bytes"].as_u64(),
        })
    }
}

fn problem(first: &Path, second: &Path, problem: ComparisonProblem) -> Error {
    Error::NotComparable { first: first.to_owned(), second: second.to_owned(), problem }
}

/// The test file that all recipes name.
fn common_test(runs: &[PathBuf], recipes: &[Option<Recipe>]) -> Result<PathBuf, Error> {
    let named: Vec<Option<PathBuf>> = recipes.iter().map(|recipe| recipe.as_ref()?.test.clone()).collect();
    let place = |path: &Option<PathBuf>| path.as_ref().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
    match &named[0] {
        Some(test) if named.iter().all(|other| place(other) == place(&named[0])) => Ok(test.clone()),
        _ => Err(Error::NoCommonTest { named: runs.iter().cloned().zip(named).collect() }),
    }
}

/// Every option that matters, with its value in each recipe.
fn options_of(recipes: &[Option<Recipe>]) -> Vec<(&'static str, Vec<Option<String>>)> {
    let written: Vec<Option<Vec<Option<String>>>> =
        recipes.iter().map(|recipe| recipe.as_ref().map(Recipe::written_options)).collect();
    let of = |place: usize| written.iter().map(|run| run.as_ref()?[place].clone()).collect::<Vec<Option<String>>>();
    let all = FIELDS.iter().enumerate().filter(|(_, field)| !OF_NO_EFFECT.contains(&field.name));
    all.map(|(place, field)| (field.name, of(place))).collect()
}

/// Whether an option is not the same wherever there is a recipe.
fn differ(values: &[Option<String>], recipes: &[Option<Recipe>]) -> bool {
    let mut told = values.iter().zip(recipes).filter(|(_, recipe)| recipe.is_some()).map(|(value, _)| value);
    told.next().is_some_and(|first| told.any(|value| value != first))
}

fn listed(labels: &[String]) -> String {
    if labels.is_empty() { "none".to_owned() } else { labels.join(", ") }
}
