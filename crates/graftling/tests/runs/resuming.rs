//! A run that was cut off and goes on ends where it would have ended.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use graftling::{Error, Event, Observer, TrainSummary, train};
use serde_json::Value;

use crate::fixture::{Fixture, json, names};

/// Cuts a run off after a step.
struct CutAfter<'a>(u64, &'a AtomicBool);

impl Observer for CutAfter<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Stepped { step, .. } if *step == self.0) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

fn cut(fixture: &Fixture, output: &str, options: &str, after: u64) -> TrainSummary {
    let stop = AtomicBool::new(false);
    train(&fixture.recipe(output, options), &fixture.model(), &mut CutAfter(after, &stop), &stop).expect("a run that is cut off")
}

/// The log of a run without what depends on the clock.
fn log(fixture: &Fixture, output: &str) -> Vec<Value> {
    let state = json(&fixture.path(output).join("trainer_state.json"));
    let mut entries = state["log_history"].as_array().expect("a log").clone();
    for entry in &mut entries {
        let entry = entry.as_object_mut().expect("an entry");
        entry.retain(|name, _| !["runtime", "per_second", "step_time", "peak_memory"].iter().any(|part| name.contains(part)));
    }
    entries
}

#[test]
fn a_resumed_run_equals_the_unbroken_run_whatever_step_it_was_cut_after() {
    for (model, name, options) in [
        ("tiny-bert", "plain", "log_every = 4"),
        ("tiny-gpt2", "language", "task = 'causal_lm'\nmax_length = 12\nbatch_size = 20\nlabel_smoothing = 0.1"),
        (
            "tiny-bart",
            "written",
            "task = 'summarization'\nlabel_column = 'label'\nmax_length = 20\nmax_target_length = 8\nmetric_for_best_model = 'rouge1'\nbatch_size = 20",
        ),
        ("tiny-bert", "accumulated", "gradient_accumulation = 2\nevaluate_every = 2\nlog_every = 1\nsave_total_limit = 'none'"),
        (
            "tiny-bert",
            "momentum",
            "optimizer = 'momentum'\nlearning_rate = 0.05\nbatch_tokens = 60\nfreeze = ['embeddings.position.*']",
        ),
        ("tiny-bert", "descent", "optimizer = 'gradient_descent'\nlearning_rate = 0.05\nearly_stopping = 5"),
    ] {
        let fixture = Fixture::of_model(model);
        let whole = format!("{name}-whole");
        let (unbroken, _) = fixture.run(&whole, options);
        for after in 1..unbroken.planned_steps {
            let output = format!("{name}-{after}");
            cut(&fixture, &output, options, after);
            let (resumed, observed) = fixture.run(&output, &format!("{options}\nresume = true"));
            assert_eq!((resumed.steps, observed.losses.len() as u64), (unbroken.steps, unbroken.steps - after), "{output}");
            for file in ["model.safetensors", "optimizer.safetensors"] {
                let last =
                    |summary: &TrainSummary| fs::read(summary.last_checkpoint.join(file)).expect("a file of the checkpoint");
                assert!(last(&resumed) == last(&unbroken), "{output}: {file} differs");
            }
            let top = |output: &str| fs::read(fixture.path(output).join("model.safetensors")).expect("weights");
            assert!(top(&output) == top(&whole), "{output}: the model on top differs");
            assert_eq!(resumed.train_loss, unbroken.train_loss, "{output}");
            assert_eq!(resumed.validation.map(|it| it.metrics), unbroken.validation.clone().map(|it| it.metrics), "{output}");
            // A run that is cut off logs the steps so far where it ends.
            if options.contains("log_every = 1") {
                let interrupted_summary = |entry: &Value| entry.get("train_loss").is_some() && entry["step"] == after;
                let resumed: Vec<Value> = log(&fixture, &output).into_iter().filter(|it| !interrupted_summary(it)).collect();
                assert_eq!(resumed, log(&fixture, &whole), "{output}");
            }
        }
    }
}

#[test]
fn a_run_whose_best_figure_was_not_defined_is_resumed() {
    let fixture = Fixture::new();
    // A correlation with numbers that are all alike is not defined.
    let numbered = |name: &str, number: fn(usize) -> f32| {
        let rows: String = (0..16).map(|place| format!("the film was good {place},{}\n", number(place))).collect();
        fixture.write(name, format!("text,label\n{rows}").as_bytes());
        fixture.path(name)
    };
    let (train, validation) = (numbered("numbers.csv", |place| place as f32), numbered("constant.csv", |_| 1.5));
    let options = format!(
        "task = 'sequence_regression'\ntrain = {train:?}\nvalidation = {validation:?}\nmetric_for_best_model = 'pearson'\nepochs = 3"
    );
    cut(&fixture, "run", &options, 3);
    assert!(json(&fixture.path("run/checkpoint-3/trainer_state.json"))["best_metric"].is_null());
    let (summary, _) = fixture.run("run", &format!("{options}\nresume = true"));
    assert_eq!((summary.steps, summary.best.map(|best| best.step)), (6, Some(2)));
}

#[test]
fn only_the_last_checkpoint_holds_moments() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "epochs = 3\nsave_total_limit = 'none'");
    for name in names(&summary.output).iter().filter(|name| name.starts_with("checkpoint-")) {
        let folder = summary.output.join(name);
        assert_eq!(folder.join("optimizer.safetensors").exists(), folder == summary.last_checkpoint, "{name}");
    }
    assert!(!summary.output.join("optimizer.safetensors").exists());
}

#[test]
fn what_cannot_be_resumed_is_refused_and_left_as_it_was() {
    let fixture = Fixture::new();
    let refused = |output: &str, options: &str| {
        let recipe = fixture.recipe(output, &format!("{options}\nresume = true"));
        let before = fixture.path(output).exists().then(|| names(&fixture.path(output)));
        let error = fixture.train(&recipe).expect_err("an error");
        assert_eq!(fixture.path(output).exists().then(|| names(&fixture.path(output))), before, "{error}");
        error
    };
    assert!(matches!(refused("nothing", ""), Error::NothingToResume { missing: "recipe.toml", .. }));
    fixture.run("run", "");
    assert!(matches!(refused("run", ""), Error::RunIsComplete { steps: 12, .. }));
    cut(&fixture, "cut", "", 4);
    let told = refused("cut", "seed = 7\nbatch_size = 4").to_string();
    assert!(told.contains("seed was 42, now 7; batch_size was 8, now 4"), "{told}");
    let train_file = fs::read(fixture.path("train.csv")).expect("the training file");
    fixture.write("train.csv", &[&train_file[..], b"the movie was bad,negative\n"].concat());
    assert!(matches!(refused("cut", ""), Error::ResumedWithOtherData { .. }));
    fixture.write("train.csv", &train_file);
    let moments = fixture.path("cut/checkpoint-4/optimizer.safetensors");
    let whole = fs::read(&moments).expect("moments");
    fs::write(&moments, &whole[..whole.len() - 8]).expect("a damaged file");
    let told = refused("cut", "").to_string();
    assert!(told.contains("optimizer.safetensors"), "{told}");
    fs::remove_file(&moments).expect("a file less");
    assert!(matches!(refused("cut", ""), Error::NothingToResume { missing: "checkpoint", .. }));
}
