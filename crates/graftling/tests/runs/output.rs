//! The output folder: when it is refused, and what replacing a run removes.

use std::fs;
use std::sync::atomic::AtomicBool;

use graftling::{Error, Event, Observer, OutputError, train};

use crate::fixture::{Fixture, names};

#[test]
fn a_folder_that_is_not_empty_is_refused_and_left_as_it_was() {
    let fixture = Fixture::new();
    fixture.run("run", "epochs = 1");
    let before = names(&fixture.path("run"));
    let error = fixture.train(&fixture.recipe("run", "")).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::NotEmpty { .. })), "{error}");
    assert!(error.to_string().ends_with("choose another, or say overwrite_output to replace a run"), "{error}");
    assert_eq!(names(&fixture.path("run")), before);
    fs::remove_file(fixture.path("run/all_results.json")).unwrap();
    let error = fixture.train(&fixture.recipe("run", "")).unwrap_err().to_string();
    assert!(
        error.ends_with("or go on with the run that was cut off there (resume), or replace it (overwrite_output)"),
        "{error}"
    );
}

#[test]
fn replacing_a_run_removes_only_what_a_run_wrote() {
    let fixture = Fixture::new();
    fixture.run("run", "epochs = 3");
    fs::write(fixture.path("run/notes.txt"), "mine").unwrap();
    fs::create_dir(fixture.path("run/checkpoint-mine")).unwrap();
    fs::create_dir(fixture.path("run/checkpoint-7")).unwrap();
    fixture.run("run", "epochs = 1\noverwrite_output = true");
    let names = names(&fixture.path("run"));
    let checkpoints: Vec<&String> = names.iter().filter(|name| name.starts_with("checkpoint-")).collect();
    assert_eq!(checkpoints, ["checkpoint-6", "checkpoint-7", "checkpoint-mine"]);
    assert_eq!(fs::read_to_string(fixture.path("run/notes.txt")).unwrap(), "mine");
}

#[test]
fn what_is_no_run_is_never_replaced() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.path("other")).unwrap();
    fs::write(fixture.path("other/model.safetensors"), "precious").unwrap();
    let error = fixture.train(&fixture.recipe("other", "overwrite_output = true")).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::IsNoRun { .. })), "{error}");
    assert_eq!(fs::read_to_string(fixture.path("other/model.safetensors")).unwrap(), "precious");

    let error = fixture.train(&fixture.recipe("train.csv", "overwrite_output = true")).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::IsAFile { .. })), "{error}");
}

#[test]
fn a_run_does_not_replace_the_model_it_starts_from() {
    let fixture = Fixture::new();
    fixture.run("model/run", "epochs = 1");
    fs::write(fixture.model().join("recipe.toml"), "").unwrap();
    // The model may have been named in another way than by its folder.
    let recipe = fixture.recipe("model", "overwrite_output = true\nmodel = 'tiny-bert'");
    let error = fixture.train(&recipe).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::HoldsInput { .. })), "{error}");
    assert!(fixture.model().join("model.safetensors").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_any_work() {
    let fixture = Fixture::new();
    let error = fixture.train(&fixture.recipe("train.csv/run", "")).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::InAFile { .. })), "{error}");
    assert!(error.to_string().contains("train.csv is a file"), "{error}");
    let before = names(&fixture.path(""));
    // A complaint beside it does not hide it, and nothing is left.
    let error = fixture.train(&fixture.recipe("train.csv/run", "validation = 'none.csv'")).unwrap_err().to_string();
    assert!(error.contains("train.csv is a file") && error.contains("none.csv"), "{error}");
    assert_eq!(names(&fixture.path("")), before);
}

/// The system makes no files there for anybody, not even for root.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_told_by_its_name() {
    let fixture = Fixture::new();
    let mut recipe = fixture.recipe("run", "");
    recipe.output = "/proc/graftling/run".into();
    let error = fixture.train(&recipe).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::NotWritable { .. })), "{error}");
    assert!(error.to_string().starts_with("/proc/graftling/run: nothing can be written in /proc: "), "{error}");
}

/// Starts other runs in the same folder while a run takes its steps.
struct Rivals<'a> {
    fixture: &'a Fixture,
    told: Vec<Error>,
}

impl Observer for Rivals<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Saved { step: 6, .. }) {
            for options in ["", "overwrite_output = true", "resume = true"] {
                let before = names(&self.fixture.path("run"));
                self.told.push(self.fixture.train(&self.fixture.recipe("run", options)).expect_err("a rival"));
                assert_eq!(names(&self.fixture.path("run")), before);
            }
        }
    }
}

#[test]
fn one_run_at_a_time_writes_to_a_folder() {
    let fixture = Fixture::new();
    // The number of a process that was killed holds nobody up.
    fs::create_dir(fixture.path("run")).unwrap();
    fs::write(fixture.path("run/.graftling.lock"), "1").unwrap();
    let mut rivals = Rivals { fixture: &fixture, told: Vec::new() };
    train(&fixture.recipe("run", ""), &fixture.model(), &mut rivals, &AtomicBool::new(false)).unwrap();
    assert_eq!(rivals.told.len(), 3);
    for error in &rivals.told {
        assert!(matches!(error, Error::Output(OutputError::InUse { .. })), "{error}");
        #[cfg(unix)]
        assert!(error.to_string().contains(&format!("another run writes here (process {})", std::process::id())), "{error}");
    }
    assert!(!cfg!(unix) || !names(&fixture.path("run")).iter().any(|name| name.contains("lock")));
    // When it has ended another may replace it.
    fixture.run("run", "overwrite_output = true\nepochs = 1");
}

/// Makes a whole run in the same folder while another one gets ready for it.
struct Faster<'a>(&'a Fixture);

impl Observer for Faster<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::TrainingStarted { .. }) {
            self.0.run("run", "epochs = 1");
        }
    }
}

#[test]
fn a_run_that_came_first_is_not_replaced_by_one_that_was_getting_ready() {
    let fixture = Fixture::new();
    let recipe = fixture.recipe("run", "");
    let error = train(&recipe, &fixture.model(), &mut Faster(&fixture), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, Error::Output(OutputError::NotEmpty { .. })), "{error}");
    assert!(fixture.path("run/all_results.json").exists() && fixture.path("run/checkpoint-6").exists());
}
