//! Evaluates, and decides which checkpoints are kept. Knows nothing of updates.

use super::TrainingState;
use super::update::Watch;
use crate::error::Quantity;
use crate::evaluate::score;
use crate::inference::Scorer;
use crate::preparation::Prepared;
use crate::recipe::Recipe;
use crate::run_folder::{Checkpoint, RunFolder};
use crate::writing::WrittenBy;
use crate::{Error, Event, Observer, SplitName};

/// Writes the checkpoints of a run.
pub(super) struct Keeper<'a> {
    pub recipe: &'a Recipe,
    pub run: &'a RunFolder,
}

impl Keeper<'_> {
    /// Evaluates on the validation split and saves a checkpoint.
    pub fn evaluate_and_save(
        &self,
        prepared: &Prepared,
        state: &mut TrainingState,
        observer: &mut dyn Observer,
        watch: &Watch,
    ) -> Result<(), Error> {
        let Prepared { model, objective, reading, validation, .. } = prepared;
        observer.observe(&Event::Evaluating { split: SplitName::Validation, examples: validation.targets.len() });
        let scorer = Scorer { model, objective: objective.as_ref(), reading };
        let scored = score(&scorer, validation, self.recipe.micro_batch_tokens);
        let by = WrittenBy::of(&prepared.writing, &prepared.tokenizer).filter(|_| prepared.metric.is_of_texts());
        let scored = scored.with_texts(&scorer, validation, (SplitName::Validation, by), observer)?;
        let evaluation = &scored.evaluation;
        state.log_evaluation(evaluation);
        if let Err(diverged) = watch.check_one(Quantity::ValidationLoss, evaluation.metrics.loss() as f32) {
            self.run.write_state(&state.to_json(self.recipe))?;
            return Err(diverged);
        }
        observer.observe(&Event::Evaluated { step: state.step, split: SplitName::Validation, evaluation });
        let best = state.judge(scored);
        self.save(prepared, state, observer, best)
    }

    /// Saves the present step, unless that was done, and says so where training was stopped.
    pub fn save_last(&self, prepared: &Prepared, state: &mut TrainingState, observer: &mut dyn Observer) -> Result<(), Error> {
        if state.step > 0 && state.checkpoints.last() != Some(&state.step) {
            state.log_steps();
            self.save(prepared, state, observer, false)?;
        }
        // A run that was cut off may have left more than there should be.
        self.tidy(state)?;
        if let Some(reason) = state.stopped {
            let checkpoint = state.last_checkpoint(self.run);
            observer.observe(&Event::Stopped { reason, step: state.step, checkpoint: checkpoint.as_deref() });
        }
        Ok(())
    }

    fn save(&self, prepared: &Prepared, state: &mut TrainingState, observer: &mut dyn Observer, best: bool) -> Result<(), Error> {
        let json = state.to_json(self.recipe);
        let Prepared { model, tokenizer, sentences, companions, .. } = prepared;
        let sentences = sentences.as_ref();
        let checkpoint = Checkpoint { model, tokenizer, sentences, companions, moments: &state.moments, state: &json };
        let folder = self.run.save_checkpoint(state.step, &checkpoint)?;
        state.checkpoints.push(state.step);
        observer.observe(&Event::Saved { step: state.step, folder: &folder, best });
        self.tidy(state)
    }

    /// Removes the moments of all checkpoints but the last, and the checkpoints that are too many.
    fn tidy(&self, state: &mut TrainingState) -> Result<(), Error> {
        let last = state.checkpoints.len().saturating_sub(1);
        for step in &state.checkpoints[..last] {
            self.run.remove_moments(*step)?;
        }
        for step in state.superfluous(self.recipe.save_total_limit) {
            self.run.remove_checkpoint(step)?;
            state.checkpoints.retain(|kept| *kept != step);
        }
        Ok(())
    }
}
