//! Going on with a run that was cut off: its last checkpoint, found, checked and opened. Knows nothing of how a step is taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Head, Model, read_values};
use graftling_tensor::{Moments, OptimizerState, Parameters};
use serde_json::Value;

use crate::disk::Lock;
use crate::fingerprint::Fingerprints;
use crate::recipe::{FIELDS, Recipe, RecipeFile};
use crate::run_folder::{self, MOMENTS, RECIPE, TRAINER_STATE};
use crate::{Error, Event, Observer, ResumeError, SplitName};

/// Options that may be other than they were: they change nothing of what is computed.
const MAY_DIFFER: &[&str] =
    &["resume", "overwrite_output", "threads", "log_every", "save_total_limit", "resamples", "report_language"];
/// What the values of the first and second moments are called in their file, before the parameter's name.
const KINDS: [&str; 2] = ["first", "second"];

/// A run that is to go on, as its last checkpoint has it.
pub(crate) struct Interrupted {
    /// The folder of the checkpoint.
    pub checkpoint: PathBuf,
    /// The steps of all checkpoints there are, in order.
    pub checkpoints: Vec<u64>,
    /// What `trainer_state.json` says.
    pub state: Value,
}

impl Interrupted {
    /// Looks for the run in the output folder of a recipe and makes sure that it is the same run. Gives the lock of the folder, too.
    pub fn find(recipe: &Recipe) -> Result<(Self, Lock), Error> {
        let run = &recipe.output;
        let path = run.join(RECIPE);
        if !path.is_file() {
            return Err(ResumeError::NoRun { folder: run.clone() }.into());
        }
        let lock = run_folder::lock(run)?;
        let before = Recipe::check(RecipeFile::from_path(&path)?)?;
        let differences = differences(&before, recipe);
        if !differences.is_empty() {
            return Err(ResumeError::OtherRecipe { recipe: path, differences }.into());
        }
        let checkpoints = checkpoints(run)?;
        let resumable = checkpoints.iter().rev().map(|step| run.join(format!("checkpoint-{step}")));
        let Some(checkpoint) = resumable.into_iter().find(|checkpoint| checkpoint.join(MOMENTS).is_file()) else {
            return Err(ResumeError::NoCheckpoint { folder: run.clone() }.into());
        };
        let path = checkpoint.join(TRAINER_STATE);
        let text = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let state = serde_json::from_slice(&text).map_err(|source| Error::Read { path, source: source.into() })?;
        Ok((Self { checkpoint, checkpoints, state }, lock))
    }

    /// After how many steps the checkpoint was written.
    pub fn steps_done(&self) -> u64 {
        self.state["global_step"].as_u64().unwrap_or(0)
    }

    /// Whether no step is left to take: all are done, or the evaluations that early stopping waits for are over.
    pub fn is_trained(&self, recipe: &Recipe, steps: u64) -> bool {
        let waited = self.state[WITHOUT_IMPROVEMENT].as_u64().unwrap_or(0);
        self.steps_done() >= steps || recipe.early_stopping.is_some_and(|patience| waited >= patience as u64)
    }

    /// The model as it was, if its head is the one that the data asks for.
    pub fn model(&self, head: &Head) -> Result<Model, Error> {
        let model = Model::from_checkpoint(&self.checkpoint)?;
        let checkpoint = self.checkpoint.clone();
        if model.head() == head { Ok(model) } else { Err(ResumeError::OtherLabels { checkpoint }.into()) }
    }

    /// Refuses to go on with other training or validation examples than those of the run; the latter choose the best checkpoint. The test split
    /// is read at the end alone, so another one is told.
    pub fn check_data(&self, now: &Fingerprints, observer: &mut dyn Observer) -> Result<(), ResumeError> {
        let checkpoint = self.checkpoint.clone();
        let Ok(before) = serde_json::from_value::<Fingerprints>(self.state[DATA].clone()) else {
            return Err(ResumeError::OtherVersion { checkpoint });
        };
        let mut changed = before.differences(now);
        if changed.pop_if(|split| *split == SplitName::Test).is_some() {
            observer.observe(&Event::Notice(
                "the test examples have changed since the run was started; it ends with those that are there now",
            ));
        }
        if changed.is_empty() { Ok(()) } else { Err(ResumeError::OtherExamples { checkpoint, changed }) }
    }

    /// The moments of the optimizer as they were.
    pub fn moments(&self, parameters: &Parameters) -> Result<OptimizerState, Error> {
        let path = self.checkpoint.join(MOMENTS);
        let values = read_values(&path)?;
        let damaged = || Error::Damaged { path: path.clone() };
        let updates: Vec<u64> = serde_json::from_value(self.state[UPDATES].clone()).map_err(|_| damaged())?;
        let steps = self.state["global_step"].as_u64().ok_or_else(damaged)?;
        if updates.len() != parameters.len() {
            return Err(damaged());
        }
        let kept = parameters.ids().zip(updates).map(|(id, updates)| {
            let [first, second] = KINDS.map(|kind| values.get(&name(kind, parameters.name(id))).map(Vec::as_slice));
            let fits = |moment: Option<&[f32]>| moment.is_none_or(|moment| moment.len() == parameters.values(id).len());
            let moments = Moments { updates, first, second };
            (fits(first) && fits(second)).then_some(moments)
        });
        let kept: Vec<Moments<'_>> = kept.collect::<Option<_>>().ok_or_else(damaged)?;
        Ok(OptimizerState::restore(parameters, steps, &kept))
    }
}

/// The key of the fingerprints of the examples in the state of a run.
pub(crate) const DATA: &str = "data_fingerprints";
/// The key of how many evaluations there were since the best one.
pub(crate) const WITHOUT_IMPROVEMENT: &str = "eval_without_improvement";
/// The key of how often each parameter was updated.
pub(crate) const UPDATES: &str = "parameter_updates";

/// The name of a moment in its file.
pub(crate) fn name(kind: &str, parameter: &str) -> String {
    format!("{kind}/{parameter}")
}

/// The moments of all parameters with their names: first and second, where there are any.
pub(crate) fn named<'a>(
    moments: &'a OptimizerState,
    parameters: &'a Parameters,
) -> impl Iterator<Item = graftling_models::NamedValues<'a>> {
    parameters.ids().flat_map(move |id| {
        let Moments { first, second, .. } = moments.moments(id);
        KINDS.into_iter().zip([first, second]).filter_map(move |(kind, values)| {
            let shape = parameters.shape(id);
            Some(graftling_models::NamedValues { name: name(kind, parameters.name(id)), shape, values: values? })
        })
    })
}

/// The steps of the checkpoints in a run folder, in order.
fn checkpoints(run: &Path) -> Result<Vec<u64>, Error> {
    let failed = |source| Error::Read { path: run.to_owned(), source };
    let mut steps = Vec::new();
    for entry in fs::read_dir(run).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        steps.extend(name.to_str().and_then(|name| name.strip_prefix("checkpoint-")).and_then(|step| step.parse::<u64>().ok()));
    }
    steps.sort_unstable();
    Ok(steps)
}

/// The options in which two recipes say different things about the run, each with both values.
fn differences(before: &Recipe, now: &Recipe) -> Vec<String> {
    let [before, now] = [before, now].map(|recipe| {
        let lines = recipe.to_toml();
        let entries = lines.lines().filter_map(|line| line.split_once(" = "));
        entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<String, String>>()
    });
    let names = FIELDS.iter().map(|field| field.name).filter(|name| !MAY_DIFFER.contains(name));
    let shown = |value: Option<&String>| value.map_or("not given".to_owned(), Clone::clone);
    let different = names.filter(|name| before.get(*name) != now.get(*name));
    different.map(|name| format!("{name} was {}, now {}", shown(before.get(name)), shown(now.get(name)))).collect()
}
