//! A run that was cut off after its last step, at whatever point, is finished by resuming it, and ends where it would have ended.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use graftling::{Error, Event, Observer, Predictor, ResumeError, train};
use serde_json::Value;

use crate::fixture::{Fixture, json, names};

/// Ends a run at one of the events after its last checkpoint, as a kill would: nothing of the run comes after it.
struct KilledAt {
    last_step: u64,
    /// How many events come first.
    left: usize,
    is_past: bool,
}

impl Observer for KilledAt {
    fn observe(&mut self, event: &Event<'_>) {
        self.is_past |= matches!(event, Event::Saved { step, .. } if *step == self.last_step);
        if !self.is_past {
            return;
        }
        if self.left == 0 {
            // Other than a panic it says nothing.
            resume_unwind(Box::new("killed"));
        }
        self.left -= 1;
    }
}

/// Runs of few steps that have much to do after them: name, model, options.
fn runs() -> [(&'static str, &'static str, &'static str); 3] {
    [
        ("decided", "tiny-bert", "task = 'multi_label_classification'\ncalibrate = 'temperature'\nthresholds = 'per_label'"),
        ("embedded", "tiny-bert", "task = 'sentence_embedding'"),
        ("written", "tiny-bart", "task = 'summarization'\nlabel_column = 'label'\nmax_length = 20\nmax_target_length = 8"),
    ]
}

/// The options of a run with a test split.
fn options(fixture: &Fixture, more: &str) -> String {
    format!(
        "{more}\nbatch_size = 24\nevaluate_every = 1\nresamples = 100\ntest = {:?}",
        fixture.path("test.csv").display().to_string()
    )
}

fn fixture(name: &str, model: &str) -> Fixture {
    let fixture = Fixture::of_model(model);
    if name == "embedded" {
        for file in ["train.csv", "validation.csv", "test.csv"] {
            let text = fs::read_to_string(fixture.path(file)).expect("a file of the fixture");
            let rows = text.lines().skip(1).map(|line| {
                let (text, label) = line.split_once(',').expect("a label");
                format!("{text},the movie was good,{}\n", u8::from(label == "positive"))
            });
            fixture.write(file, format!("sentence1,sentence2,score\n{}", rows.collect::<String>()).as_bytes());
        }
    }
    fixture
}

/// A value without what depends on the clock, on the machine, or on the name of the folder.
fn timeless(value: &Value) -> Value {
    const PARTS: [&str; 6] = ["runtime", "per_second", "step_time", "peak_memory", "best_model_checkpoint", "time"];
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(name, _)| !PARTS.iter().any(|part| name.contains(part)));
            Value::Object(kept.map(|(name, value)| (name.clone(), timeless(value))).collect())
        }
        Value::Array(entries) => Value::Array(entries.iter().map(timeless).collect()),
        other => other.clone(),
    }
}

fn is_of_resuming(note: &Value) -> bool {
    note.as_str().expect("a note").starts_with("resumed after step")
}

/// That two run folders hold the same: every file, byte by byte where no clock is in it.
fn assert_alike(run: &Path, whole: &Path, case: &str) {
    assert_eq!(names(run), names(whole), "{case}");
    for name in names(whole) {
        let [this, that] = [run, whole].map(|folder| folder.join(&name));
        if that.is_dir() {
            assert_alike(&this, &that, case);
            continue;
        }
        match name.as_str() {
            // It names its folder.
            "recipe.toml" | "report.html" => {}
            "report.json" => {
                let [this, that] = [&this, &that].map(|path| json(path));
                for part in ["language", "task", "training", "data", "curves", "evaluations", "model"] {
                    assert_eq!(timeless(&this[part]), timeless(&that[part]), "{case}: {part} of the report");
                }
                // That it was resumed is told, too.
                let notes = |facts: &Value| {
                    facts["notes"]
                        .as_array()
                        .expect("notes")
                        .iter()
                        .filter(|note| !is_of_resuming(note))
                        .cloned()
                        .collect::<Vec<_>>()
                };
                assert_eq!(notes(&this), notes(&that), "{case}: notes of the report");
            }
            name if name.ends_with("_results.json") || name == "trainer_state.json" => {
                let told = |path: &Path| {
                    let mut told = timeless(&json(path));
                    if let Some(notes) = told.get_mut("notes").and_then(Value::as_array_mut) {
                        notes.retain(|note| !is_of_resuming(note));
                    }
                    told
                };
                assert_eq!(told(&this), told(&that), "{case}: {name}");
            }
            name => assert!(fs::read(&this).expect("a file") == fs::read(&that).expect("a file"), "{case}: {name} differs"),
        }
    }
}

/// That a run which was cut off opens as a model with all that belongs to it, or not at all; and that it is finished by resuming it.
fn assert_finished(fixture: &Fixture, options: &str, case: &str) {
    let run = fixture.path("cut");
    if run.join("config.json").exists() {
        for name in names(&fixture.path("whole")).iter().filter(|name| !name.contains("results") && !name.starts_with("report")) {
            let is_told = ["README.md", "trainer_state.json"].contains(&name.as_str());
            assert!(is_told || run.join(name).exists(), "{case}: a config, but no {name}");
        }
        assert!(Predictor::load(&run).is_ok(), "{case}");
    } else {
        assert!(Predictor::load(&run).is_err(), "{case}");
    }
    assert!(!run.join("all_results.json").exists(), "{case}");
    let (_, observed) = fixture.run("cut", &format!("{options}\nresume = true"));
    assert!(observed.losses.is_empty(), "{case}");
    assert_alike(&run, &fixture.path("whole"), case);
    let error = fixture.train(&fixture.recipe("cut", &format!("{options}\nresume = true"))).expect_err("a finished run");
    assert!(matches!(error, Error::Resume(ResumeError::Finished { .. })), "{case}: {error}");
    fs::remove_dir_all(run).expect("the run folder");
}

#[test]
fn a_run_killed_at_any_event_after_its_last_step_is_finished_by_resuming_it() {
    for (name, model, options) in runs() {
        let fixture = fixture(name, model);
        let options = self::options(&fixture, options);
        let (whole, _) = fixture.run("whole", &options);
        let mut point = 0;
        loop {
            let mut observer = KilledAt { last_step: whole.steps, left: point, is_past: false };
            let recipe = fixture.recipe("cut", &options);
            let attempt = || train(&recipe, &fixture.model(), &mut observer, &AtomicBool::new(false)).map(|_| ());
            let killed = catch_unwind(AssertUnwindSafe(attempt)).is_err();
            let case = format!("{name}, event {point}");
            if !killed || fixture.path("cut/all_results.json").exists() {
                // Nothing comes after the last event, which says that the run is finished.
                assert_alike(&fixture.path("cut"), &fixture.path("whole"), &case);
                break;
            }
            assert_finished(&fixture, &options, &case);
            point += 1;
        }
        // The checkpoint, the evaluation and its end, and the texts that are written, where they are.
        assert!(point >= 3, "{name}: {point} events");
    }
}

/// Bars the way to a file or folder once the last step is done: the run ends before it is written, as if it was killed there.
struct InTheWay<'a> {
    fixture: &'a Fixture,
    last_step: u64,
    name: &'a str,
    is_folder: bool,
}

impl Observer for InTheWay<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        let Self { fixture, last_step, name, is_folder } = self;
        if !matches!(event, Event::Saved { step, .. } if step == last_step) {
            return;
        }
        // A folder is under the name that a file has until it is whole, and a file under that of a folder.
        match is_folder {
            true => fixture.write(&format!("cut/.{name}.partial"), b""),
            false => {
                let partial = format!("cut/.{name}.{}.partial", std::process::id());
                fs::create_dir(fixture.path(&partial)).expect("a folder in the way");
            }
        }
    }
}

#[test]
fn a_run_cut_off_before_any_file_of_its_end_is_finished_by_resuming_it() {
    for (name, model, options) in runs() {
        let fixture = fixture(name, model);
        let options = self::options(&fixture, options);
        let (whole, _) = fixture.run("whole", &options);
        // Without its report a run is complete all the same.
        let apart = |name: &str| name.starts_with("checkpoint-") || name == "recipe.toml" || name.starts_with("report.");
        let names = names(&fixture.path("whole"));
        for file in names.iter().filter(|name| !apart(name)) {
            let is_folder = fixture.path("whole").join(file).is_dir();
            let mut observer = InTheWay { fixture: &fixture, last_step: whole.steps, name: file, is_folder };
            let case = format!("{name}, before {file}");
            let outcome = train(&fixture.recipe("cut", &options), &fixture.model(), &mut observer, &AtomicBool::new(false));
            let told = outcome.expect_err(&case).to_string();
            assert!(told.contains(file.as_str()), "{case}: {told}");
            assert_finished(&fixture, &options, &case);
        }
    }
}

#[test]
fn a_run_that_goes_on_after_it_was_stopped_is_not_finished_before_its_end() {
    let fixture = Fixture::new();
    let options = self::options(&fixture, "epochs = 4");
    let (whole, _) = fixture.run("whole", &options);
    /// Asks a run to stop after a step.
    struct StopAfter<'a>(u64, &'a AtomicBool);
    impl Observer for StopAfter<'_> {
        fn observe(&mut self, event: &Event<'_>) {
            let is_due = matches!(event, Event::Stepped { step, .. } if *step == self.0);
            self.1.fetch_or(is_due, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    train(&fixture.recipe("cut", &options), &fixture.model(), &mut StopAfter(5, &stop), &stop).expect("a run that stops cleanly");
    assert!(fixture.path("cut/all_results.json").exists());
    // It is killed where its last checkpoint is there; what was told when it was stopped must not stand for its end.
    let mut observer = KilledAt { last_step: whole.steps, left: 0, is_past: false };
    let recipe = fixture.recipe("cut", &format!("{options}\nresume = true"));
    let attempt = || train(&recipe, &fixture.model(), &mut observer, &AtomicBool::new(false)).map(|_| ());
    assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err());
    // The model of the run as it was stopped is still whole.
    assert!(Predictor::load(&fixture.path("cut")).is_ok() && !fixture.path("cut/all_results.json").exists());
    fixture.run("cut", &format!("{options}\nresume = true"));
    for file in ["model.safetensors", "config.json", "README.md"] {
        let read = |run: &str| fs::read(fixture.path(run).join(file)).expect("a file");
        assert!(read("cut") == read("whole"), "{file}");
    }
    for file in ["eval_results.json", "test_results.json"] {
        let read = |run: &str| timeless(&json(&fixture.path(run).join(file)));
        assert_eq!(read("cut"), read("whole"), "{file}");
    }
}
