//! A folder with a tiny model and small files of examples, and recipes over them. Knows nothing of what is tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use graftling::recipe::RecipeFile;
use graftling::{Collected, Error, Recipe, TrainSummary, train};
use serde_json::Value;
use tempfile::TempDir;

/// Random models of 2 layers with 32 values a token, made by transformers (`tools/reference`).
pub const TINY_MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../graftling-models/tests/golden");

/// A run that is refused.
pub struct Refused {
    pub model: &'static str,
    /// The name and content of the file that it trains and validates on.
    pub file: (&'static str, &'static str),
    /// Lines of TOML.
    pub options: &'static str,
    /// What the error says.
    pub told: &'static str,
}

impl Refused {
    pub fn new(model: &'static str, file: (&'static str, &'static str), options: &'static str, told: &'static str) -> Self {
        Self { model, file, options, told }
    }

    /// Makes sure of it, for a task, and that nothing is left.
    pub fn check(&self, task: &str) {
        let Self { model, file: (name, content), options, told } = self;
        let fixture = Fixture::of_model(model);
        fixture.write(name, content.as_bytes());
        let path = fixture.path(name).display().to_string();
        let options = format!("task = '{task}'\ntrain = {path:?}\nvalidation = {path:?}\n{options}");
        let error = fixture.train(&fixture.recipe("run", &options)).expect_err(told).to_string();
        assert!(error.contains(told), "{model} {name} {options}: {error}");
        assert!(!fixture.path("run").exists(), "{name}");
    }
}

/// A temporary folder with all that a run reads.
pub struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// A copy of the tiny BERT, and files of examples that are easy to tell apart.
    pub fn new() -> Self {
        Self::of_model("tiny-bert")
    }

    /// The same with another tiny model.
    pub fn of_model(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fixture = Self { folder };
        fs::create_dir(fixture.model()).expect("a folder for the model");
        for entry in fs::read_dir(Path::new(TINY_MODELS).join(name).join("model")).expect("the tiny model") {
            let path = entry.expect("a file of the tiny model").path();
            fs::copy(&path, fixture.model().join(path.file_name().expect("a name"))).expect("a copy of the tiny model");
        }
        fixture.write("train.csv", examples(0..48).as_bytes());
        fixture.write("validation.csv", examples(48..64).as_bytes());
        fixture.write("test.csv", examples(64..80).as_bytes());
        fixture
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn model(&self) -> PathBuf {
        self.path("model")
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("a file of the fixture");
    }

    /// A recipe that writes to `output`; `options` are lines of TOML that go before the fixture's own.
    pub fn recipe(&self, output: &str, options: &str) -> Recipe {
        let given = RecipeFile::from_toml(options).expect("options in TOML");
        let quoted = |name: &str| format!("{:?}", self.path(name).display().to_string());
        let own = format!(
            "model = {}\ntrain = {}\nvalidation = {}\noutput = {}\nepochs = 2{}\nlearning_rate = 2e-3",
            quoted("model"),
            quoted("train.csv"),
            quoted("validation.csv"),
            quoted(output),
            if options.contains("batch_tokens") { "" } else { "\nbatch_size = 8" },
        );
        Recipe::check(RecipeFile::from_toml(&own).expect("a recipe in TOML").merge(given)).expect("a recipe")
    }

    /// Runs a recipe and collects what happened.
    pub fn train(&self, recipe: &Recipe) -> Result<(TrainSummary, Collected), Error> {
        let mut observer = Collected::default();
        let summary = train(recipe, &self.model(), &mut observer, &AtomicBool::new(false))?;
        Ok((summary, observer))
    }

    /// Runs a recipe with these options.
    pub fn run(&self, output: &str, options: &str) -> (TrainSummary, Collected) {
        self.train(&self.recipe(output, options)).expect("a run")
    }
}

/// Rows of a csv file whose label follows from one word, at lengths that differ.
pub fn examples(numbers: std::ops::Range<usize>) -> String {
    let mut text = "text,label\n".to_owned();
    for number in numbers {
        let (words, label) = if number % 2 == 0 { (["good", "great"], "positive") } else { (["bad", "dull"], "negative") };
        let filling = "the story and this film ".repeat(number % 4);
        let ending = if number % 3 == 0 { " again" } else { "" };
        text += &format!(
            "the movie was {}{filling} {}{ending},{label}\n",
            words[number / 2 % 2],
            ["very", "not", "that"][number % 3]
        );
    }
    text
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).expect("JSON")
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// The values of every weight in a folder, by name.
pub fn weights(folder: &Path) -> Vec<(String, Vec<f32>)> {
    let bytes = fs::read(folder.join("model.safetensors")).expect("weights");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let mut weights: Vec<(String, Vec<f32>)> = file
        .iter()
        .map(|(name, view)| {
            let values = view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            (name.to_owned(), values.collect())
        })
        .collect();
    weights.sort_by(|left, right| left.0.cmp(&right.0));
    weights
}
