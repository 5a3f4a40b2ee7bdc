//! `graftling quickstart`: a pretrained model, real movie reviews and the default recipe, from nothing to predictions.
//! Knows nothing that `train` and `predict` do not know, but the data that travels inside the program.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use graftling::recipe::{Recipe, RecipeFile};
use graftling::{Predictor, StopReason, TextInput};

use super::train;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::{report, said};

/// What the quickstart sets beside model, data and output; all else is the recipe's default.
const RECIPE: [(&str, &str); 4] =
    [("model", "all-MiniLM-L6-v2"), ("epochs", "2"), ("batch_size", "32"), ("learning_rate", "1e-4")];

/// The reviews of data/sentiment-movie, so that an installed program needs nothing beside itself.
const DATA: [(&str, &str, &[u8]); 3] = [
    ("train", "train.csv", include_bytes!("../../../../data/sentiment-movie/train.csv")),
    ("validation", "validation.csv", include_bytes!("../../../../data/sentiment-movie/validation.csv")),
    ("test", "test.csv", include_bytes!("../../../../data/sentiment-movie/test.csv")),
];

/// Texts that stand in no split.
const SENTENCES: [&str; 3] = [
    "A warm and funny film that I would gladly watch again.",
    "Two hours of clichés, and not one of them is any fun.",
    "The plot is thin, but the actors make every minute of it worthwhile.",
];

/// What may be typed after `quickstart`.
#[derive(Args)]
pub struct Arguments {
    /// The run folder to write; the reviews go beside it, into the folder of the same name with -data
    #[arg(long, value_name = "RUN", default_value = "graftling-quickstart")]
    output: PathBuf,
    /// Replace a run folder that is already there
    #[arg(long)]
    overwrite_output: bool,
}

/// Trains on the reviews, tells the results, predicts new sentences and says how to go on.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    let Arguments { output, overwrite_output } = arguments;
    if !overwrite_output && holds_something(&output)? {
        return Err(Failure::QuickstartExists { folder: output });
    }
    let data = data_folder(&output);
    let mut file = RecipeFile::default();
    for (name, value) in RECIPE {
        file.set(name, value);
    }
    file.set("output", &output.to_string_lossy());
    file.set("overwrite_output", &overwrite_output.to_string());
    for (split, name, _) in DATA {
        file.set(split, &data.join(name).to_string_lossy());
    }
    let recipe = Recipe::check(file)?;
    write_data(&data)?;

    let summary = train::train(&recipe, console)?;
    console.print(&report::training(&summary, console))?;
    if summary.stopped == Some(StopReason::Requested) {
        return Ok(train::ending(&summary));
    }
    console.print(&format!("\nthree new sentences:\n{}", predictions(&output)?))?;
    let (run, test) = (report::quoted(&output), report::quoted(&data.join("test.csv")));
    console.print(&report::next_commands(&[
        format!("predict --model {run} --text \"Your own sentence.\""),
        format!("evaluate --model {run} --data {test}"),
        format!("train --model {} --train your-texts.csv --output your-run", recipe.model),
    ]))?;
    Ok(Ending::Complete)
}

fn predictions(run: &Path) -> Result<String, Failure> {
    let predictor = Predictor::load(run)?;
    let inputs = SENTENCES.map(|text| TextInput { text, pair: None });
    let width = report::widest(predictor.labels(), usize::MAX);
    let predictions = predictor.predict(&inputs)?;
    let lines = predictions
        .iter()
        .zip(SENTENCES)
        .map(|(prediction, text)| format!("  {}  {text}\n", said::in_a_line(&prediction.said, width)));
    Ok(lines.collect())
}

/// The folder of the reviews: beside the run, so that the recipe of the run can be trained again.
fn data_folder(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push("-data");
    output.with_file_name(name)
}

fn write_data(folder: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, action| {
        let path = path.to_owned();
        move |source| Failure::File { path, action, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder, "create the folder"))?;
    for (_, name, bytes) in DATA {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(found) if found == bytes => continue,
            Ok(_) => return Err(Failure::QuickstartData { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Failure::File { path, action: "read", source }),
        }
        let partial = folder.join(format!("{name}.partial"));
        let mut file = fs::File::create(&partial).map_err(failed(&partial, "write"))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&partial, "write"))?;
        fs::rename(&partial, &path).map_err(failed(&path, "write"))?;
    }
    Ok(())
}

fn holds_something(folder: &Path) -> Result<bool, Failure> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Failure::File { path: folder.to_owned(), action: "read", source }),
    }
}
