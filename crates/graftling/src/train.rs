//! A whole run: prepare, fit, put the best model on top, test it, write the reports. Knows nothing of how a step is taken.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use graftling_models::Model;
use serde_json::Value;

use crate::decisions::FittedDecisions;
use crate::evaluate::{Scored, score};
use crate::fit::{TrainingState, begin, fit};
use crate::inference::Scorer;
use crate::preparation::{Prepared, prepare};
use crate::recipe::Recipe;
use crate::report::{Facts, ModelDescription, Run, ScoredSplit};
use crate::run_folder::{Results, RunFolder, card};
use crate::writing::WrittenBy;
use crate::{Best, Error, Event, Observer, SplitName, StopReason, TrainSummary, memory, threads};

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
        let mut observer = Noting { observer, notes: Vec::new() };
        let mut prepared = prepare(recipe, model_folder, &mut observer, stop)?;
        let mut state = begin(&prepared, recipe)?;
        state.note_told(&observer.notes);
        if !prepared.is_trained {
            observer.observe(&started(&prepared));
        }
        let lock = prepared.lock.take();
        let run = if recipe.resume { RunFolder::go_on(recipe, lock)? } else { RunFolder::begin(recipe, lock)? };
        let state = fit(&mut prepared, state, recipe, &run, &mut observer, stop)?;
        finish(prepared, state, Origin { recipe, model_folder }, &run, &mut observer)
    })
}

/// What a run was asked for.
struct Origin<'a> {
    recipe: &'a Recipe,
    model_folder: &'a Path,
}

/// Keeps what is told, for the report, and hands everything on.
struct Noting<'a> {
    observer: &'a mut dyn Observer,
    notes: Vec<String>,
}

impl Observer for Noting<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if let Event::Notice(text) = event {
            self.notes.push((*text).to_owned());
        }
        self.observer.observe(event);
    }
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
    origin: Origin<'_>,
    run: &RunFolder,
    observer: &mut Noting<'_>,
) -> Result<TrainSummary, Error> {
    let Origin { recipe, model_folder } = origin;
    // Training takes a step at least, or fails: there is a last checkpoint.
    let chosen = state.best.as_ref().map_or(state.step, |best| best.step);
    let described = ModelDescription::new(&prepared.model, model_folder, prepared.reading.max_length, recipe);
    let is_last = state.step == chosen;
    if !is_last {
        prepared.model = Model::from_checkpoint(&run.checkpoint(chosen))?;
    }
    let validation = best_on_validation(&mut prepared, &mut state, recipe, observer)?;
    let decisions = prepared.objective.decisions().cloned().unwrap_or_default();
    run.promote(chosen, &decisions, prepared.objective.labels())?;
    if !is_last && prepared.test.is_some() && state.stopped != Some(StopReason::Requested) {
        observer.observe(&Event::Notice("the test split is evaluated with the best checkpoint, not the last"));
    }
    let test = test(&prepared, state.stopped, recipe, observer)?;
    let objective = prepared.objective.as_ref();
    let mut summary = TrainSummary {
        output: recipe.output.clone(),
        labels: objective.labels().to_vec(),
        planned_steps: prepared.plan.steps(),
        steps: state.step,
        epoch: state.epoch,
        learning_rate: prepared.learning_rate,
        train_loss: state.train_loss(),
        train_examples: prepared.told.train_examples(),
        train_windows: prepared.train.targets.len(),
        examples_seen: state.examples,
        tokens: state.tokens,
        runtime: state.runtime,
        step_time: state.step_time,
        truncation: prepared.train.tokenized.truncation,
        stopped: state.stopped,
        best: state.best.as_ref().map(|best| Best { step: best.step, value: best.value, checkpoint: run.checkpoint(best.step) }),
        last_checkpoint: run.checkpoint(state.step),
        validation: validation.as_ref().map(|scored| scored.judged(objective, &prepared.validation, recipe.resamples)),
        test: test.as_ref().zip(prepared.test.as_ref()).map(|(scored, test)| scored.judged(objective, test, recipe.resamples)),
        report: None,
        peak_memory_bytes: memory::peak_bytes(),
    };
    if let Some(evaluation) = &summary.test {
        observer.observe(&Event::Evaluated { step: chosen, split: SplitName::Test, evaluation });
    }
    let results = Results::new(&summary);
    state.log_steps();
    state.log_summary(&results.train);
    write(run, &results, &state.to_json(recipe), &card(recipe, &summary, &objective.card(), &prepared.model))?;
    let scores = Scores { validation, test };
    state.note_told(&observer.notes);
    let facts = Finished { recipe, prepared: &prepared, described, state: &state, summary: &summary }.facts(&scores);
    match RunFolder::write_report(&recipe.output, &facts, &facts.page()) {
        Ok(path) => summary.report = Some(path),
        // The model and its figures are there; they are worth more than their report.
        Err(error) => observer.observe(&Event::Notice(&format!("there is no report: {error}; the run is complete without it"))),
    }
    run.finish(&results.all())?;
    observer.observe(&Event::Finished(&summary));
    Ok(summary)
}

/// How the model did on each split that it was evaluated on.
struct Scores {
    validation: Option<Scored>,
    test: Option<Scored>,
}

/// A run that has its figures.
struct Finished<'a> {
    recipe: &'a Recipe,
    prepared: &'a Prepared,
    described: ModelDescription,
    state: &'a TrainingState,
    summary: &'a TrainSummary,
}

impl Finished<'_> {
    /// What the report tells; the test split, or else the validation split, is looked at example by example.
    fn facts(self, scores: &Scores) -> Facts {
        let Prepared { objective, tokenizer, validation, test, told, .. } = self.prepared;
        let objective = objective.as_ref();
        let of_test =
            test.as_ref().zip(told.test.as_ref()).zip(scores.test.as_ref()).map(|((examples, data), scored)| {
                (SplitName::Test, ScoredSplit { objective, data, examples, scored, tokenizer })
            });
        let of_validation = scores.validation.as_ref().map(|scored| {
            (SplitName::Validation, ScoredSplit { objective, data: &told.validation, examples: validation, scored, tokenizer })
        });
        let run = Run {
            recipe: self.recipe,
            language: told.language,
            model: self.described,
            summary: self.summary,
            state: self.state,
            splits: told.splits.clone(),
            best_metrics: objective.best_metrics(),
            notes: self.state.notes.clone(),
            examined: of_test.or(of_validation),
        };
        run.facts()
    }
}

/// How the best checkpoint, which is the model by now, does on the validation split, once what the recipe wants fitted there is.
fn best_on_validation(
    prepared: &mut Prepared,
    state: &mut TrainingState,
    recipe: &Recipe,
    observer: &mut dyn Observer,
) -> Result<Option<Scored>, Error> {
    let is_stopped = state.stopped == Some(StopReason::Requested);
    let Some(best) = &mut state.best else { return Ok(None) };
    let objective = prepared.objective.as_ref();
    let scorer = Scorer { model: &prepared.model, objective, reading: &prepared.reading };
    let taken = best.scored.take();
    // Where checkpoints are chosen by what was written, it is there unless the run was resumed since.
    let is_written = taken.is_some() && prepared.metric.is_of_texts();
    let by = WrittenBy::of(&prepared.writing, &prepared.tokenizer).filter(|_| !is_written);
    if by.is_some() && is_stopped {
        observer.observe(&Event::Notice(
            "nothing is written from the validation split, for the run was stopped on request; evaluate does it",
        ));
    }
    let scored = taken.unwrap_or_else(|| score(&scorer, &prepared.validation, recipe.micro_batch_tokens));
    let by = by.filter(|_| !is_stopped);
    let scored = scored.with_texts(&scorer, &prepared.validation, (SplitName::Validation, by), observer)?;
    if objective.decisions().is_some() {
        let FittedDecisions { decisions: fitted, notices } =
            objective.fit_decisions(recipe, &scored.answers, &prepared.validation.targets);
        notices.iter().for_each(|notice| observer.observe(&Event::Notice(notice)));
        prepared.objective.decisions_mut().into_iter().for_each(|decisions| *decisions = fitted.clone());
    }
    Ok(Some(scored))
}

/// Evaluates the model at the top of the run folder on the test split, where there is one.
fn test(
    prepared: &Prepared,
    stopped: Option<StopReason>,
    recipe: &Recipe,
    observer: &mut dyn Observer,
) -> Result<Option<Scored>, Error> {
    let Some(test) = &prepared.test else { return Ok(None) };
    if stopped == Some(StopReason::Requested) {
        observer.observe(&Event::Notice("the test split is not evaluated, for the run was stopped on request; evaluate does it"));
        return Ok(None);
    }
    observer.observe(&Event::Evaluating { split: SplitName::Test, examples: test.targets.len() });
    let scorer = Scorer { model: &prepared.model, objective: prepared.objective.as_ref(), reading: &prepared.reading };
    let scored = score(&scorer, test, recipe.micro_batch_tokens);
    let by = WrittenBy::of(&prepared.writing, &prepared.tokenizer);
    Ok(Some(scored.with_texts(&scorer, test, (SplitName::Test, by), observer)?))
}

fn write(run: &RunFolder, results: &Results, state: &Value, card: &str) -> Result<(), Error> {
    run.write_state(state)?;
    let parts = [("train", Some(&results.train)), ("eval", results.validation.as_ref()), ("test", results.test.as_ref())];
    for (name, entries) in parts.into_iter().filter_map(|(name, entries)| Some((name, entries?))) {
        run.write_results(name, entries)?;
    }
    run.write_card(card)
}
