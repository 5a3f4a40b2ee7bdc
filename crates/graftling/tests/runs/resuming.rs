//! A run that was cut off and goes on ends where it would have ended.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use graftling::{Collected, Error, Event, Observer, ResumeError, SplitName, StopReason, TrainSummary, train};
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
    let told = |error: Error| error.to_string();
    assert!(matches!(refused("nothing", ""), Error::Resume(ResumeError::NoRun { .. })));
    fixture.run("run", "");
    assert!(matches!(refused("run", ""), Error::Resume(ResumeError::Finished { steps: 12, .. })));
    cut(&fixture, "cut", "", 4);
    let text = told(refused("cut", "seed = 7\nbatch_size = 4"));
    assert!(text.contains("seed was 42, now 7; batch_size was 8, now 4"), "{text}");
    let moments = fixture.path("cut/checkpoint-4/optimizer.safetensors");
    let whole = fs::read(&moments).expect("moments");
    fs::write(&moments, &whole[..whole.len() - 8]).expect("a damaged file");
    let text = told(refused("cut", ""));
    assert!(text.contains("optimizer.safetensors"), "{text}");
    fs::remove_file(&moments).expect("a file less");
    let error = refused("cut", "");
    assert!(matches!(error, Error::Resume(ResumeError::NoCheckpoint { .. })), "{error}");
    // To start anew, as the message says, takes the option that it names.
    assert!(
        fixture.train(&fixture.recipe("cut", "")).is_err()
            && error.to_string().contains("with overwrite_output in place of resume")
    );
    fixture.run("cut", "overwrite_output = true");
}

/// A file of the fixture with something replaced in it.
fn replaced(fixture: &Fixture, name: &str, what: &str, by: &str) {
    let text = fs::read_to_string(fixture.path(name)).expect("a file of the fixture");
    assert!(text.contains(what), "{name}: {what}");
    fixture.write(name, text.replace(what, by).as_bytes());
}

#[test]
fn a_run_is_not_resumed_with_other_examples() {
    /// What is done to a file of a run, and what is told of it.
    struct Case {
        model: &'static str,
        options: &'static str,
        /// All files of examples, where they are not those of the fixture.
        content: Option<&'static str>,
        file: &'static str,
        replaced: [&'static str; 2],
        changed: &'static [SplitName],
    }
    const BOTH: &[SplitName] = &[SplitName::Train, SplitName::Validation];
    const TRAIN: &[SplitName] = &[SplitName::Train];
    const VALIDATION: &[SplitName] = &[SplitName::Validation];
    let numbers = Some("text,label\nthe film was good,1.5\nthe film was bad,0.5\nthe film was dull,0.25\n");
    let several = Some("text,label\nthe film was good,red|round\nthe film was bad,red\nthe film was dull,round\n");
    let pairs = Some("sentence1,sentence2,score\nthe film was good,a good film,0.9\nthe film was bad,a good film,0.1\n");
    let plain = |file, replaced, changed| Case { model: "tiny-bert", options: "", content: None, file, replaced, changed };
    let task = |options, content, replaced| Case { options, content, ..plain("train.csv", replaced, TRAIN) };
    let cases = [
        plain("train.csv", ["bad", "good"], TRAIN),
        plain("train.csv", ["positive", "other"], &[]),
        // The texts are the same, and so is the order of the labels.
        plain("train.csv", ["positive\nthe movie was bad", "negative\nthe movie was bad"], TRAIN),
        plain("validation.csv", ["good", "great"], VALIDATION),
        plain("validation.csv", ["positive", "negative"], VALIDATION),
        plain("train.csv", ["the movie", "this film"], BOTH),
        task("task = 'sequence_regression'", numbers, ["0.25", "0.75"]),
        task("task = 'multi_label_classification'", several, ["bad,red", "bad,round"]),
        task("task = 'sentence_embedding'", pairs, ["0.9", "0.8"]),
        Case {
            model: "tiny-bart",
            ..task(
                "task = 'summarization'\nlabel_column = 'label'\nmax_length = 20\nmax_target_length = 8",
                None,
                [",negative", ",the film"],
            )
        },
        Case {
            model: "tiny-gpt2",
            ..task("task = 'causal_lm'\nlabel_column = 'label'\nmax_length = 12", None, [",negative", ",the film"])
        },
    ];
    for Case { model, options, content, file, replaced: [what, by], changed } in cases {
        let fixture = Fixture::of_model(model);
        for name in ["train.csv", "validation.csv"] {
            content.iter().for_each(|content| fixture.write(name, content.as_bytes()));
        }
        // Without a validation file a part of the training file is set aside.
        let recipe = |output: &str, more: &str| {
            let mut recipe = fixture.recipe(output, &format!("epochs = 4\nbatch_size = 2\n{more}"));
            if changed == BOTH {
                (recipe.validation, recipe.validation_fraction) = (None, 0.5);
            }
            recipe
        };
        let stop = AtomicBool::new(false);
        train(&recipe("run", options), &fixture.model(), &mut CutAfter(2, &stop), &stop).expect("a run that is cut off");
        replaced(&fixture, file, what, by);
        let error = fixture.train(&recipe("run", &format!("{options}\nresume = true"))).expect_err("an error");
        let told = error.to_string();
        let case = format!("{model} {options} {file} {what}: {told}");
        match error {
            Error::Resume(ResumeError::OtherExamples { changed: found, .. }) => {
                assert_eq!(found, changed, "{case}");
                assert!(
                    told.contains(&format!(
                        "the {} examples have changed",
                        changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
                    )),
                    "{case}"
                );
            }
            Error::Resume(ResumeError::OtherLabels { .. }) => assert!(changed.is_empty(), "{case}"),
            // A label that training does not have is told before.
            _ => assert!(changed.is_empty() && told.contains("validation.csv"), "{case}"),
        }
        assert!(told.contains("overwrite_output in place of resume") || changed.is_empty(), "{case}");
    }
}

#[test]
fn other_test_examples_are_told_and_a_checkpoint_of_another_version_is_refused() {
    let fixture = Fixture::new();
    let options = format!("test = {:?}", fixture.path("test.csv").display().to_string());
    cut(&fixture, "run", &options, 3);
    replaced(&fixture, "test.csv", "good", "bad");
    let resumed = format!("{options}\nresume = true");
    let state = fixture.path("run/checkpoint-3/trainer_state.json");
    let whole = fs::read_to_string(&state).expect("a state");
    fs::write(&state, whole.replace("data_fingerprints", "fingerprint")).expect("another state");
    let error = fixture.train(&fixture.recipe("run", &resumed)).expect_err("an error");
    assert!(matches!(error, Error::Resume(ResumeError::OtherVersion { .. })), "{error}");
    fs::write(&state, whole).expect("the state as it was");
    let (_, observed) = fixture.run("run", &resumed);
    assert!(observed.notices.iter().any(|notice| notice.starts_with("the test examples have changed")), "{:?}", observed.notices);
}

#[test]
fn a_run_that_was_cut_off_after_its_patience_was_over_takes_no_further_step() {
    let fixture = Fixture::new();
    // A rate this small never changes a prediction, so that the first evaluation stays the best.
    let options = "learning_rate = 1e-12\nepochs = 10\nearly_stopping = 2";
    let (unbroken, _) = fixture.run("whole", options);
    /// Ends a run as a kill would when the checkpoint is there after which it stops early.
    struct Killed(Collected);
    impl Observer for Killed {
        fn observe(&mut self, event: &Event<'_>) {
            self.0.observe(event);
            if matches!(event, Event::Saved { step: 18, .. }) {
                std::panic::resume_unwind(Box::new("killed"));
            }
        }
    }
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let recipe = fixture.recipe("cut", options);
        train(&recipe, &fixture.model(), &mut Killed(Collected::default()), &AtomicBool::new(false)).map(|_| ())
    }));
    assert!(killed.is_err());
    let (resumed, observed) = fixture.run("cut", &format!("{options}\nresume = true"));
    assert!(observed.losses.is_empty() && observed.stopped.is_some());
    assert_eq!((resumed.steps, resumed.stopped), (unbroken.steps, unbroken.stopped));
    assert_eq!(resumed.stopped, Some(StopReason::EarlyStopping { patience: 2, best_step: 6 }));
    assert_eq!(names(&fixture.path("cut")), names(&fixture.path("whole")));
    let error = fixture.train(&fixture.recipe("cut", &format!("{options}\nresume = true"))).expect_err("an error");
    assert!(matches!(error, Error::Resume(ResumeError::Finished { steps: 18, .. })), "{error}");
}
