//! A temporary folder to run the program in, with a tiny model and a few labelled texts.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Enough examples for a split, in two classes.
const EXAMPLES: usize = 24;

pub struct Scratch {
    folder: TempDir,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Scratch {
    /// A folder that holds `train.csv` and the folder `tiny` with a model.
    pub fn new() -> Self {
        let scratch = Self { folder: TempDir::new().unwrap() };
        scratch.write("train.csv", labelled(EXAMPLES));
        scratch.copy_model("tiny");
        scratch
    }

    /// A folder that also holds the run folder `run`.
    pub fn with_run() -> Self {
        let scratch = Self::new();
        let said = scratch.run(&["train", "--model", "tiny", "--train", "train.csv", "--output", "run", "--epochs", "1"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Every name in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The tiny checkpoint under a name of its own, to be used or spoilt.
    pub fn copy_model(&self, name: &str) {
        self.copy_model_of("tiny-bert", name);
    }

    /// The same with another of the tiny checkpoints.
    pub fn copy_model_of(&self, tiny: &str, name: &str) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling-models/tests/golden").join(tiny);
        fs::create_dir(self.path(name)).unwrap();
        for entry in fs::read_dir(golden.join("model")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.path(name).join(entry.file_name())).unwrap();
        }
    }

    /// The program in this folder, with no network, no colours and a home of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_graftling"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("GRAFTLING_HOME", self.path(".home")).env("HF_HOME", self.path(".hub")).env("HF_HUB_OFFLINE", "1");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().unwrap())
    }

    /// As `run`, with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The program may end before it has read all of it; what it says is what counts.
        match child.stdin.take().unwrap().write_all(input) {
            Ok(()) | Err(_) => {}
        }
        said(child.wait_with_output().unwrap())
    }

    /// That training on a file is refused with these words, and that no run folder is left.
    pub fn refuses_to_train(&self, [model, data]: [&str; 2], task: &str, more: &[&str], told: &str) {
        let start = ["train", "--task", task, "--model", model, "--train", data, "--validation", data, "--output", "run"];
        let said = self.run(&[&start, more].concat());
        assert!(said.code != Some(0) && said.stderr.contains(told), "{more:?}: {said:?}");
        assert!(!self.exists("run"), "{more:?}");
    }

    /// As `run`, where all must go well; what was printed is one JSON value.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        assert_eq!(said.stdout.lines().count(), 1, "{arguments:?}: {}", said.stdout);
        serde_json::from_str(&said.stdout).unwrap()
    }
}

/// So many rows whose label is plain from the text.
pub fn labelled(rows: usize) -> String {
    let row = |index: usize| match index % 2 {
        0 => format!("\"a good film, number {index}\",positive\n"),
        _ => format!("\"a bad film, number {index}\",negative\n"),
    };
    format!("text,label\n{}", (0..rows).map(row).collect::<String>())
}

fn said(output: Output) -> Said {
    Said {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}
