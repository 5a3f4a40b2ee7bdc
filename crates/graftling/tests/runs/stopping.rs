//! The ways in which a run ends before its last planned step, and what it leaves.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use graftling::{Collected, Error, Event, NoObserver, Observer, Predictor, Quantity, StopReason, train};

use crate::fixture::{Fixture, json, names};

/// Asks a run to stop once it has taken some steps, as Ctrl-C does.
struct StopAfter<'a> {
    step: u64,
    stop: &'a AtomicBool,
    seen: Collected,
}

impl Observer for StopAfter<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        self.seen.observe(event);
        if matches!(event, Event::Stepped { step, .. } if *step == self.step) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_request_to_stop_ends_the_run_at_a_step_and_keeps_the_last_checkpoint() {
    let fixture = Fixture::new();
    for (output, after, best) in [("before", 3, None), ("after", 8, Some(6))] {
        let stop = AtomicBool::new(false);
        let mut observer = StopAfter { step: after, stop: &stop, seen: Collected::default() };
        let recipe = fixture.recipe(output, "epochs = 4");
        let summary = train(&recipe, &fixture.model(), &mut observer, &stop).expect("a run that stops cleanly");
        assert_eq!((summary.steps, summary.planned_steps, observer.seen.losses.len() as u64), (after, 24, after));
        assert_eq!((summary.stopped, observer.seen.stopped), (Some(StopReason::Requested), Some(StopReason::Requested)));
        assert_eq!(summary.last_checkpoint, fixture.path(output).join(format!("checkpoint-{after}")));
        assert_eq!(summary.best.map(|best| best.step), best);
        assert_eq!(json(&summary.last_checkpoint.join("trainer_state.json"))["global_step"], after);
        let top = fs::read(fixture.path(output).join("model.safetensors")).unwrap();
        let chosen = fixture.path(output).join(format!("checkpoint-{}", best.unwrap_or(after)));
        assert!(top == fs::read(chosen.join("model.safetensors")).unwrap(), "{output}: the model on top");
        assert!(Predictor::load(&fixture.path(output)).is_ok() && Predictor::load(&summary.last_checkpoint).is_ok());
    }
}

#[test]
fn a_request_to_stop_before_the_first_step_writes_nothing() {
    let fixture = Fixture::new();
    let outcome = train(&fixture.recipe("run", ""), &fixture.model(), &mut NoObserver, &AtomicBool::new(true));
    assert!(matches!(outcome, Err(Error::Interrupted)));
    assert!(!fixture.path("run").exists());
}

/// Asks a run to stop between its preparation and its first step.
struct StopAtOnce<'a>(&'a AtomicBool);

impl Observer for StopAtOnce<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::TrainingStarted { .. }) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_run_that_has_begun_keeps_one_step_at_least() {
    let fixture = Fixture::new();
    let stop = AtomicBool::new(false);
    let summary = train(&fixture.recipe("run", ""), &fixture.model(), &mut StopAtOnce(&stop), &stop).expect("a run");
    assert_eq!((summary.steps, summary.stopped), (1, Some(StopReason::Requested)));
    assert!(Predictor::load(&summary.output).is_ok());
}

#[test]
fn patience_ends_a_run_that_does_not_improve() {
    let fixture = Fixture::new();
    // A rate this small never changes a prediction, so that the first evaluation stays the best.
    let options = "learning_rate = 1e-12\nepochs = 10\nearly_stopping = 2\nsave_total_limit = 1";
    let (summary, observed) = fixture.run("run", options);
    assert_eq!(summary.stopped, Some(StopReason::EarlyStopping { patience: 2, best_step: 6 }));
    assert_eq!((summary.steps, observed.evaluations.len()), (18, 3));
    assert_eq!(observed.stopped, summary.stopped);
    let kept: Vec<String> = names(&fixture.path("run")).into_iter().filter(|name| name.starts_with("checkpoint-")).collect();
    assert_eq!(kept, ["checkpoint-18", "checkpoint-6"]);
}

#[test]
fn a_loss_that_is_no_number_is_named_and_ends_the_run() {
    let fixture = Fixture::new();
    let path = fixture.model().join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_bytes]).unwrap();
    let start = header["bert.embeddings.LayerNorm.weight"]["data_offsets"][0].as_u64().unwrap() as usize + 8 + header_bytes;
    // So large that the first product overflows.
    bytes[start..start + 4].copy_from_slice(&f32::MAX.to_le_bytes());
    fs::write(&path, bytes).unwrap();

    let error = fixture.train(&fixture.recipe("run", "")).unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 1, quantity: Quantity::Loss, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("step 1: the loss is NaN at learning rate") && message.contains("no checkpoint yet"), "{message}");
    assert_eq!(names(&fixture.path("run")), ["recipe.toml", "trainer_state.json"]);
    assert_eq!(json(&fixture.path("run/trainer_state.json"))["log_history"][0]["loss"], "NaN");
}

/// Puts a file where the second checkpoint is to be written.
struct Obstacle<'a>(&'a Fixture);

impl Observer for Obstacle<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Saved { step: 6, .. }) {
            self.0.write("run/.checkpoint-12.partial", b"");
        }
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before_it() {
    let fixture = Fixture::new();
    let recipe = fixture.recipe("run", "");
    let error = train(&recipe, &fixture.model(), &mut Obstacle(&fixture), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(&error, Error::Write { path, .. } if path.ends_with("checkpoint-12")), "{error}");
    assert!(Predictor::load(&fixture.path("run/checkpoint-6")).is_ok());
    assert!(!fixture.path("run/checkpoint-12").exists());
}
