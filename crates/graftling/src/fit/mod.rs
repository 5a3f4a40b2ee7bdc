//! The training loop. Knows neither texts nor files: examples come in as tokens and targets, checkpoints go out through the keeper.

mod compared;
mod curve;
mod keeper;
pub(crate) mod plan;
mod state;
mod update;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use graftling_tensor::Gradients;

use crate::preparation::Prepared;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::{Error, Event, Observer, StopReason, threads};

pub(crate) use curve::CurvePoint;
use keeper::Keeper;
pub(crate) use state::TrainingState;
use update::{Watch, accumulate, clip, optimizer};

/// Trains the prepared model from a state on as the recipe says, and leaves checkpoints in the run folder.
pub(crate) fn fit(
    prepared: &mut Prepared,
    mut state: TrainingState,
    recipe: &Recipe,
    run: &RunFolder,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<TrainingState, Error> {
    let optimizer = optimizer(recipe);
    let mut gradients = Gradients::new(&prepared.model.parameters);
    let (done, before) = (state.step, state.runtime);
    let keeper = Keeper { recipe, run };
    let started = Instant::now();
    for planned in prepared.plan.iter_from(done) {
        // One step at least is taken, so that there is something to keep.
        if state.stopped.is_none() && state.step > done && stop.load(Ordering::Relaxed) {
            state.stopped = Some(StopReason::Requested);
        }
        if state.stopped.is_some() {
            break;
        }
        let step_started = Instant::now();
        let learning_rate = prepared.schedule.rate(prepared.learning_rate, state.step);
        gradients.clear();
        let (loss, norm) = threads::awake(|| {
            let loss = accumulate(prepared, &planned, recipe.seed, &mut gradients);
            (loss, gradients.norm())
        });
        let watch = Watch { step: planned.number, learning_rate, last_checkpoint: state.last_checkpoint(run) };
        if let Err(diverged) = watch.check(loss, norm) {
            state.note_divergence(loss, norm, learning_rate);
            run.write_state(&state.to_json(recipe))?;
            return Err(diverged);
        }
        let rates = prepared.groups.rates(learning_rate);
        let clipped = clip(norm, recipe.max_grad_norm);
        threads::awake(|| state.moments.step(&optimizer, &mut prepared.model.parameters, &gradients, clipped, &rates));
        state.note_step(&planned, prepared.plan.tokens(&planned.step), state::Figures { loss, norm, learning_rate });
        state.step_time += step_started.elapsed();
        state.runtime = before + started.elapsed();
        observer.observe(&Event::Stepped {
            step: state.step,
            steps: prepared.plan.steps(),
            epoch: state.epoch,
            loss,
            learning_rate,
            gradient_norm: norm,
            tokens: state.tokens,
            elapsed: state.runtime,
        });
        state.log_if_due(recipe);
        if planned.evaluate {
            keeper.evaluate_and_save(prepared, &mut state, observer, &watch)?;
            state.stop_if_patience_is_over(recipe);
        }
    }
    keeper.save_last(prepared, &mut state, observer)?;
    state.runtime = before + started.elapsed();
    Ok(state)
}

/// The state before the first step of a run, or before the next one of a run that goes on.
pub(crate) fn begin(prepared: &Prepared, recipe: &Recipe) -> Result<TrainingState, Error> {
    let Prepared { model, plan, metric, fingerprints, interrupted, .. } = prepared;
    let mut state = TrainingState::new(plan, &model.parameters, *metric, fingerprints.clone());
    if let Some(interrupted) = interrupted {
        state = state.resumed(interrupted, &model.parameters)?;
        state.stop_if_patience_is_over(recipe);
    }
    Ok(state)
}
