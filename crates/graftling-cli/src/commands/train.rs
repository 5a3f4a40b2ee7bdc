//! `graftling train`: a recipe from a file and flags, a model from its name, a run folder.
//! Knows nothing of how training goes, which is the library's business.

use std::path::PathBuf;

use clap::Args;
use graftling::recipe::{Recipe, RecipeFile, Task};
use graftling::{Error, StopReason, TrainSummary};
use graftling_text::{Tokenizer, read_table};
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::recipe_flags::RecipeFlags;
use crate::{models, report};

/// What may be typed after `train`.
#[derive(Args)]
#[command(
    override_usage = "graftling train --model MODEL --train FILE --output FOLDER [recipe flags]\n       graftling train recipe.toml [recipe flags]",
    after_help = "MODEL is a folder, a hub id (org/name or org/name@revision) or a name of `graftling models list`.\n\
                  Every flag is also a key of recipe.toml, with underscores; where both say something, the flag holds.\n\n\
                  Exit codes: 0 done; 1 an error; 2 the command or the recipe is not valid; 130 stopped by Ctrl-C (the run folder is complete)."
)]
pub struct Arguments {
    /// A file of options; where a flag says otherwise, the flag holds
    #[arg(value_name = "recipe.toml", value_parser = recipe_file)]
    recipe: Option<PathBuf>,
    /// Print one JSON object with all results on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: RecipeFlags,
}

/// A word behind a switch stands where the recipe would.
fn recipe_file(typed: &str) -> Result<PathBuf, String> {
    match typed {
        "true" | "false" => Err(format!("a switch takes its value behind an equals sign, as in --nesterov={typed}")),
        path => Ok(PathBuf::from(path)),
    }
}

/// Trains, and tells the results.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    let file = arguments.recipe.map_or(Ok(RecipeFile::default()), |path| RecipeFile::from_path(&path))?;
    let recipe = Recipe::check(file.merge(arguments.flags.recipe))?;
    let summary = train(&recipe, console)?;
    if arguments.json {
        console.print_json(&json_of(&summary)?)?;
    } else {
        let run = report::quoted(&summary.output);
        let resume = format!("train {} --resume", report::quoted(&summary.output.join("recipe.toml")));
        let is_stopped = ending(&summary) == Ending::Interrupted;
        let tried = [
            match recipe.task {
                Task::QuestionAnswering => format!("predict --model {run} --question \"...\" --context \"...\""),
                Task::CausalLm => format!("generate --model {run} --prompt \"...\""),
                _ => format!("predict --model {run} --text \"{}\"", text_to_try(&recipe, &summary)?),
            },
            format!("evaluate --model {run} --data FILE"),
        ];
        let next = report::next_commands(&is_stopped.then_some(resume).into_iter().chain(tried).collect::<Vec<_>>());
        console.print(&format!("{}{next}", report::training(&summary, console)))?;
    }
    Ok(ending(&summary))
}

/// What stands for a text in the command that may be typed next.
fn text_to_try(recipe: &Recipe, summary: &TrainSummary) -> Result<String, Failure> {
    if recipe.task != Task::MaskedLm {
        return Ok("...".to_owned());
    }
    let mask = Tokenizer::from_folder(&summary.output)?.mask_token().map_or_else(String::new, |(mask, _)| format!(" {mask}"));
    Ok(format!("...{mask} ..."))
}

/// Resolves the model of a recipe and trains it, with progress on stderr.
pub fn train(recipe: &Recipe, console: &Console) -> Result<TrainSummary, Failure> {
    let interrupt = Interrupt::listen(console)?;
    if !models::is_folder(&recipe.model) {
        check_files(recipe)?;
    }
    let folder = models::folder(&recipe.model, console)?;
    let mut progress = RunProgress::new(console, recipe.log_every);
    let summary = graftling::train(recipe, &folder, &mut progress, interrupt.stop_flag())?;
    interrupt.training_is_over();
    Ok(summary)
}

/// Whether the run went to its end.
pub fn ending(summary: &TrainSummary) -> Ending {
    match summary.stopped {
        Some(StopReason::Requested) => Ending::Interrupted,
        Some(StopReason::EarlyStopping { .. }) | None => Ending::Complete,
    }
}

/// A misspelt file name should not cost a download first; the library checks all else.
fn check_files(recipe: &Recipe) -> Result<(), Failure> {
    let files = [Some(&recipe.train), recipe.validation.as_ref(), recipe.test.as_ref()];
    let missing = files.into_iter().flatten().filter(|path| !path.is_file());
    let mut complaints: Vec<Error> = missing.filter_map(|path| read_table(path, None).err()).map(Error::from).collect();
    match complaints.len() {
        0 => Ok(()),
        1 => Err(complaints.remove(0).into()),
        _ => Err(Error::Several(complaints).into()),
    }
}

/// The results that the run folder holds, and where it is.
fn json_of(summary: &TrainSummary) -> Result<Value, Failure> {
    let path = summary.output.join("all_results.json");
    let text = std::fs::read_to_string(&path).map_err(|source| Failure::File { path: path.clone(), action: "read", source })?;
    let read = serde_json::from_str::<Map<String, Value>>(&text);
    let mut results = read.map_err(|source| Failure::File { path, action: "understand", source: source.into() })?;
    results.insert("output".to_owned(), json!(summary.output));
    results.insert("labels".to_owned(), json!(summary.labels));
    results.insert("last_checkpoint".to_owned(), json!(summary.last_checkpoint));
    results.insert("report".to_owned(), json!(summary.report));
    if let Some(best) = &summary.best {
        results.insert("best_checkpoint".to_owned(), json!(best.checkpoint));
    }
    for (split, evaluation) in [("eval", &summary.validation), ("test", &summary.test)] {
        let details = evaluation.iter().flat_map(|evaluation| evaluation.metrics.details());
        results.extend(details.map(|(name, value)| (format!("{split}_{name}"), value)));
    }
    Ok(Value::Object(results))
}
