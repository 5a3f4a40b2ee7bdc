//! A whole run: prepare, fit, put the best model on top, test it, write the reports. Knows nothing of how a step is taken.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use graftling_models::Model;
use serde_json::Value;

use crate::decisions::FittedDecisions;
use crate::evaluate::{Scorer, score};
use crate::fit::{TrainingState, fit};
use crate::preparation::{Prepared, prepare};
use crate::recipe::Recipe;
use crate::run_folder::{Results, RunFolder, card};
use crate::{Best, Error, Evaluation, Event, Observer, SplitName, StopReason, TrainSummary, memory, threads};

/// Fine-tunes the model in `model_folder` as the recipe says and leaves a run folder.
///
/// Everything that can be found wrong is found before the first step. Setting `stop` ends training after the step being taken;
/// the last checkpoint is kept and the run folder completed.
pub fn train(
    recipe: &Recipe,
    model_folder: &Path,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<TrainSummary, Error> {
    threads::pool(recipe.threads)?.install(|| {
        let mut prepared = prepare(recipe, model_folder, observer, stop)?;
        observer.observe(&started(&prepared));
        let run = if recipe.resume { RunFolder::go_on(recipe)? } else { RunFolder::begin(recipe)? };
        let state = fit(&mut prepared, recipe, &run, observer, stop)?;
        finish(prepared, state, recipe, &run, observer)
    })
}

fn started(prepared: &Prepared) -> Event<'static> {
    let parameters = &prepared.model.parameters;
    let trainable = parameters.ids().filter(|&id| parameters.is_trainable(id));
    Event::TrainingStarted {
        steps: prepared.plan.steps(),
        epochs: prepared.plan.epochs(),
        examples: prepared.train.targets.len(),
        tokens: prepared.train.tokenized.tokens(),
        trainable_count: trainable.map(|id| parameters.values(id).len()).sum(),
        threads: rayon::current_num_threads(),
    }
}

/// Puts the best model at the top of the folder and writes what there is to tell about the run.
fn finish(
    mut prepared: Prepared,
    mut state: TrainingState,
    recipe: &Recipe,
    run: &RunFolder,
    observer: &mut dyn Observer,
) -> Result<TrainSummary, Error> {
    // Training takes a step at least, or fails: there is a last checkpoint.
    let chosen = state.best.as_ref().map_or(state.step, |best| best.step);
    run.promote(chosen)?;
    let validation = best_evaluation(&mut prepared, &mut state, recipe, observer)?;
    let mut summary = TrainSummary {
        output: recipe.output.clone(),
        labels: prepared.objective.labels().to_vec(),
        planned_steps: prepared.plan.steps(),
        steps: state.step,
        epoch: state.epoch,
        learning_rate: prepared.learning_rate,
        train_loss: state.train_loss(),
        train_examples: prepared.train.targets.len(),
        examples_seen: state.examples,
        tokens: state.tokens,
        runtime: state.runtime,
        step_time: state.step_time,
        truncation: prepared.train.tokenized.truncation,
        stopped: state.stopped,
        best: state.best.as_ref().map(|best| Best { step: best.step, value: best.value, checkpoint: run.checkpoint(best.step) }),
        last_checkpoint: run.checkpoint(state.step),
        validation,
        test: None,
        peak_memory_bytes: None,
    };
    summary.test = test(prepared, state.step == chosen, state.stopped, recipe, observer)?;
    if let Some(evaluation) = &summary.test {
        observer.observe(&Event::Evaluated { step: chosen, split: SplitName::Test, evaluation });
    }
    summary.peak_memory_bytes = memory::peak_bytes();
    let results = Results::new(&summary);
    state.log_steps();
    state.log_summary(&results.train);
    write(run, &results, &state.to_json(recipe), &card(recipe, &summary))?;
    observer.observe(&Event::Finished(&summary));
    Ok(summary)
}

/// How the best checkpoint, which is the model at the top of the run folder, does on the validation split, once what the recipe wants
/// fitted there is.
fn best_evaluation(
    prepared: &mut Prepared,
    state: &mut TrainingState,
    recipe: &Recipe,
    observer: &mut dyn Observer,
) -> Result<Option<Evaluation>, Error> {
    let Some(best) = &mut state.best else { return Ok(None) };
    let objective = prepared.objective.as_ref();
    let scored = match best.scored.take() {
        Some(scored) => scored,
        // It was evaluated before the run was resumed.
        None => {
            let model = Model::from_checkpoint(&recipe.output)?;
            let scorer = Scorer { model: &model, objective, reading: &prepared.reading };
            score(&scorer, &prepared.validation, recipe.micro_batch_tokens)
        }
    };
    if objective.decisions().is_some() {
        let FittedDecisions { decisions, notices } =
            objective.fit_decisions(recipe, &scored.answers, &prepared.validation.targets);
        decisions.write(&recipe.output, objective.labels())?;
        notices.iter().for_each(|notice| observer.observe(&Event::Notice(notice)));
        prepared.objective.decide_by(decisions);
    }
    Ok(Some(scored.judged(prepared.objective.as_ref(), &prepared.validation, recipe.resamples)))
}

/// Evaluates the model at the top of the run folder on the test split, where there is one.
fn test(
    prepared: Prepared,
    is_in_memory: bool,
    stopped: Option<StopReason>,
    recipe: &Recipe,
    observer: &mut dyn Observer,
) -> Result<Option<Evaluation>, Error> {
    let Prepared { model, objective, reading, test: Some(test), .. } = prepared else { return Ok(None) };
    if stopped == Some(StopReason::Requested) {
        observer.observe(&Event::Notice("the test split is not evaluated, for the run was stopped on request; evaluate does it"));
        return Ok(None);
    }
    let model = if is_in_memory {
        model
    } else {
        drop(model);
        observer.observe(&Event::Notice("the test split is evaluated with the best checkpoint, not the last"));
        Model::from_checkpoint(&recipe.output)?
    };
    observer.observe(&Event::Evaluating { split: SplitName::Test, examples: test.targets.len() });
    let scorer = Scorer { model: &model, objective: objective.as_ref(), reading: &reading };
    let scored = score(&scorer, &test, recipe.micro_batch_tokens);
    Ok(Some(scored.judged(objective.as_ref(), &test, recipe.resamples)))
}

fn write(run: &RunFolder, results: &Results, state: &Value, card: &str) -> Result<(), Error> {
    run.write_state(state)?;
    let parts = [("train", Some(&results.train)), ("eval", results.validation.as_ref()), ("test", results.test.as_ref())];
    for (name, entries) in parts.into_iter().filter_map(|(name, entries)| Some((name, entries?))) {
        run.write_results(name, &Value::Object(entries.clone()))?;
    }
    run.write_results("all", &Value::Object(results.all()))?;
    run.write_card(card)
}
