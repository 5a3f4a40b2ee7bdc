//! The folder a run leaves behind: what stands in it, under which names, and how an earlier run is replaced.
//! Knows nothing of training; every file appears whole or not at all.

mod card;
mod results;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use graftling_models::{Model, NamedValues, write_values};
use graftling_tensor::OptimizerState;
use graftling_text::Tokenizer;
use serde_json::{Map, Value};

use crate::companions::{self, Companions};
use crate::decisions::{DECISIONS, Decisions};
use crate::disk::{self, Lock};
use crate::recipe::Recipe;
use crate::report::Facts;
use crate::resume;
use crate::sentence_settings::SentenceSettings;
use crate::{Error, OutputError, ResumeError};

pub(crate) use card::card;
pub(crate) use results::Results;

/// The recipe of a run, and the mark by which a run folder is known.
pub(crate) const RECIPE: &str = "recipe.toml";
/// The steps, figures and best checkpoint of a run.
pub(crate) const TRAINER_STATE: &str = "trainer_state.json";
/// The moments of the optimizer, in the last checkpoint alone: a run goes on from there.
pub(crate) const MOMENTS: &str = "optimizer.safetensors";
/// The config of the model, without which a folder does not open as one.
const CONFIG: &str = "config.json";
/// All figures of a run. It is written last: a run that has it is finished.
pub(crate) const ALL_RESULTS: &str = "all_results.json";
/// The file that is locked while a run writes the folder.
const LOCK: &str = ".graftling.lock";
/// The model card.
const CARD: &str = "README.md";
/// The facts of the report.
pub(crate) const REPORT_FACTS: &str = "report.json";
/// The report.
const REPORT: &str = "report.html";
/// What the folders of checkpoints are called, before the step.
const CHECKPOINT: &str = "checkpoint-";
/// What is told of a model at the top of a folder, beside all results.
const TOLD: &[&str] = &["train_results.json", "eval_results.json", "test_results.json", CARD, REPORT, REPORT_FACTS];
/// Every other file or folder that a run writes at the top of its folder.
const FILES: &[&str] = &[
    CONFIG,
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "target_vocab.json",
    "source.spm",
    "target.spm",
    "modules.json",
    "1_Pooling",
    "2_Normalize",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    DECISIONS,
];

/// A run folder that is being written, by this run alone.
pub(crate) struct RunFolder {
    path: PathBuf,
    recipe: String,
    _lock: Lock,
}

/// What a checkpoint holds beside the recipe.
pub(crate) struct Checkpoint<'a> {
    pub model: &'a Model,
    pub tokenizer: &'a Tokenizer,
    /// What is said of texts, where the model gives vectors of them.
    pub sentences: Option<&'a SentenceSettings>,
    /// What lies beside a language model.
    pub companions: &'a Companions,
    pub moments: &'a OptimizerState,
    pub state: &'a Value,
}

/// Keeps every other run from writing to a folder that is there.
pub(crate) fn lock(folder: &Path) -> Result<Lock, Error> {
    Lock::take(&folder.join(LOCK), folder)
}

/// Whether a run in this folder came to its end, all figures told.
pub(crate) fn is_finished(folder: &Path) -> bool {
    folder.join(ALL_RESULTS).is_file()
}

/// Refuses the folder of a run that was cut off, or is still taking its steps, as a model: it has none yet.
pub(crate) fn check_has_model(folder: &Path) -> Result<(), ResumeError> {
    match folder.join(RECIPE).is_file() && !folder.join(CONFIG).is_file() {
        true => Err(ResumeError::NotFinished { folder: folder.to_owned() }),
        false => Ok(()),
    }
}

/// Says what stands in the way of writing a run to this folder, and leaves it as it is. `inputs` are read by the run. Gives the lock where
/// the folder is there.
pub(crate) fn check(path: &Path, overwrite: bool, inputs: &[&Path]) -> Result<Option<Lock>, Error> {
    if path.is_file() {
        return Err(OutputError::IsAFile { path: path.to_owned() }.into());
    }
    disk::check_folder(path)?;
    let held = path.is_dir().then(|| lock(path)).transpose()?;
    let names = names(path)?;
    let Some(found) = names.first().cloned() else { return Ok(held) };
    let folder = path.to_owned();
    if !overwrite {
        let is_unfinished = names.iter().any(|name| name == RECIPE) && !is_finished(path);
        return Err(OutputError::NotEmpty { folder, found, is_unfinished }.into());
    }
    if !names.iter().any(|name| name == RECIPE) && names.iter().any(|name| !disk::is_partial(name)) {
        return Err(OutputError::IsNoRun { folder, found }.into());
    }
    let removed: Vec<PathBuf> = names.iter().filter(|name| is_ours(path, name)).map(|name| canonical(&path.join(name))).collect();
    // A model is a folder of files: its own files are removed where it is the output folder itself.
    let holds = |input: &Path| {
        let input = canonical(input);
        input == canonical(path) || removed.iter().any(|removed| input.starts_with(removed))
    };
    match inputs.iter().find(|input| holds(input)) {
        Some(input) => Err(OutputError::HoldsInput { folder, input: (*input).to_owned() }.into()),
        None => Ok(held),
    }
}

impl RunFolder {
    /// The folder of a run that goes on, without what was being written when it was cut off, and not finished any more.
    pub fn go_on(recipe: &Recipe, held: Option<Lock>) -> Result<Self, Error> {
        let folder = Self::open(recipe, held)?;
        disk::remove_file(&folder.path.join(ALL_RESULTS))?;
        folder.remove(&names(&folder.path)?.into_iter().filter(|name| disk::is_partial(name)).collect::<Vec<_>>())?;
        Ok(folder)
    }

    fn open(recipe: &Recipe, held: Option<Lock>) -> Result<Self, Error> {
        let recipe = Recipe { resume: false, ..recipe.clone() };
        let text = recipe.to_toml();
        let path = recipe.output;
        let lock = match held {
            Some(lock) => lock,
            None => {
                fs::create_dir_all(&path).map_err(|source| Error::Write { path: path.clone(), bytes: 0, source })?;
                let lock = lock(&path)?;
                // It was not there when it was looked at: whatever stands in it now was written by somebody else meanwhile.
                if let Some(found) = names(&path)?.first().cloned() {
                    return Err(OutputError::NotEmpty { folder: path, found, is_unfinished: false }.into());
                }
                lock
            }
        };
        Ok(Self { path, recipe: text, _lock: lock })
    }

    /// Makes the folder where it is not there, removes what an earlier run wrote into it, and notes the recipe.
    pub fn begin(recipe: &Recipe, held: Option<Lock>) -> Result<Self, Error> {
        let folder = Self::open(recipe, held)?;
        let mut ours: Vec<String> = names(&folder.path)?.into_iter().filter(|name| is_ours(&folder.path, name)).collect();
        // Cut off at any point, what is left is no finished run and no model, but still known as a run.
        let order = [ALL_RESULTS, CONFIG];
        ours.sort_by_key(|name| match order.iter().position(|first| first == name) {
            Some(place) => place,
            None => order.len() + usize::from(name == RECIPE),
        });
        folder.remove(&ours)?;
        disk::write(&folder.path.join(RECIPE), folder.recipe.as_bytes())?;
        Ok(folder)
    }

    /// Removes files and folders, in this order.
    fn remove(&self, names: &[String]) -> Result<(), Error> {
        names
            .iter()
            .map(|name| self.path.join(name))
            .try_for_each(|path| if path.is_dir() { disk::remove_whole_folder(&path) } else { disk::remove_file(&path) })
    }

    /// Where the checkpoint of a step stands.
    pub fn checkpoint(&self, step: u64) -> PathBuf {
        self.path.join(format!("{CHECKPOINT}{step}"))
    }

    /// Writes the checkpoint of a step: whole, or not at all.
    pub fn save_checkpoint(&self, step: u64, checkpoint: &Checkpoint<'_>) -> Result<PathBuf, Error> {
        let path = self.checkpoint(step);
        disk::write_folder(&path, |partial| {
            checkpoint.model.save(partial)?;
            checkpoint.tokenizer.save(partial)?;
            if let Some(sentences) = checkpoint.sentences {
                sentences.write(partial)?;
            }
            checkpoint.companions.write(partial)?;
            disk::write(&partial.join(RECIPE), self.recipe.as_bytes())?;
            disk::write(&partial.join(TRAINER_STATE), &json(checkpoint.state))?;
            let moments: Vec<NamedValues<'_>> = resume::named(checkpoint.moments, &checkpoint.model.parameters).collect();
            Ok(write_values(&partial.join(MOMENTS), &moments)?)
        })?;
        Ok(path)
    }

    /// Removes what only the last checkpoint is wanted for.
    pub fn remove_moments(&self, step: u64) -> Result<(), Error> {
        disk::remove_file(&self.checkpoint(step).join(MOMENTS))
    }

    /// Removes a checkpoint.
    pub fn remove_checkpoint(&self, step: u64) -> Result<(), Error> {
        disk::remove_whole_folder(&self.checkpoint(step))
    }

    /// Puts the model and tokenizer of a checkpoint at the top of the folder, with what decisions are made by. Until all of it is there the folder
    /// does not open as a model: the config goes first and comes last.
    pub fn promote(&self, step: u64, decisions: &Decisions, labels: &[String]) -> Result<(), Error> {
        // What was told of other weights must not stand beside these.
        let told = [&CONFIG].into_iter().chain(TOLD).map(|name| self.path.join(name));
        told.filter(|path| path.is_file()).try_for_each(|path| disk::remove_file(&path))?;
        decisions.write(&self.path, labels)?;
        let checkpoint = self.checkpoint(step);
        let apart = [RECIPE, TRAINER_STATE, MOMENTS, CONFIG];
        for name in names(&checkpoint)?.iter().filter(|name| !apart.contains(&name.as_str())) {
            let (from, to) = (checkpoint.join(name), self.path.join(name));
            if name.ends_with(".safetensors") {
                disk::share(&from, &to)?;
            } else if from.is_dir() {
                disk::write_folder(&to, |partial| {
                    names(&from)?.iter().try_for_each(|name| copy(&from.join(name), &partial.join(name)))
                })?;
            } else {
                copy(&from, &to)?;
            }
        }
        copy(&checkpoint.join(CONFIG), &self.path.join(CONFIG))
    }

    /// Writes the state of the run at the top of the folder.
    pub fn write_state(&self, state: &Value) -> Result<(), Error> {
        disk::write(&self.path.join(TRAINER_STATE), &json(state))
    }

    /// Writes a file of results, `train_results.json` for instance.
    pub fn write_results(&self, name: &str, results: &Map<String, Value>) -> Result<(), Error> {
        disk::write(&self.path.join(format!("{name}_results.json")), &json(&Value::Object(results.clone())))
    }

    /// Writes all results, which says that the run is finished: nothing comes after it.
    pub fn finish(&self, results: &Map<String, Value>) -> Result<(), Error> {
        disk::write(&self.path.join(ALL_RESULTS), &json(&Value::Object(results.clone())))
    }

    /// Writes the report of the run in a folder: its facts, and the page, whose path it gives.
    pub fn write_report(folder: &Path, facts: &Facts, page: &str) -> Result<PathBuf, Error> {
        let told = serde_json::to_value(facts)
            .map_err(|source| Error::Read { path: folder.join(REPORT_FACTS), source: source.into() })?;
        disk::write(&folder.join(REPORT_FACTS), &json(&told))?;
        let path = folder.join(REPORT);
        disk::write(&path, page.as_bytes())?;
        Ok(path)
    }

    /// Writes the model card.
    pub fn write_card(&self, text: &str) -> Result<(), Error> {
        disk::write(&self.path.join(CARD), text.as_bytes())
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let bytes = fs::read(from).map_err(|source| Error::Read { path: from.to_owned(), source })?;
    disk::write(to, &bytes)
}

fn json(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// Whether a name in a run folder was given by a run.
fn is_ours(folder: &Path, name: &str) -> bool {
    let is_checkpoint = || {
        name.strip_prefix(CHECKPOINT).is_some_and(|step| step.parse::<u64>().is_ok())
            && folder.join(name).join(TRAINER_STATE).is_file()
    };
    let files = FILES.iter().chain(TOLD).chain(&companions::NAMES);
    [RECIPE, TRAINER_STATE, ALL_RESULTS].iter().chain(files).any(|own| *own == name) || disk::is_partial(name) || is_checkpoint()
}

/// The names in a folder but that of the lock, sorted; none where it does not exist.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let read = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    match read() {
        Ok(mut names) => {
            names.retain(|name| name != LOCK);
            names.sort();
            Ok(names)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Read { path: folder.to_owned(), source }),
    }
}

/// A path without links and detours where it exists, and as it was given where it does not.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
