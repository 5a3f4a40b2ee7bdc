//! How a command ends: complete, interrupted, or with an error and its exit code. Knows nothing of what the commands do.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use graftling::figures::counted;
use graftling::recipe::{RecipeErrors, Task};
use graftling::{Error, GenerationError};
use graftling_hub::HubError;
use graftling_models::ModelError;
use graftling_text::TextError;

/// The exit code of an error.
const ERROR: u8 = 1;
/// The exit code of a command, flag or recipe that is not valid.
pub const USAGE: u8 = 2;
/// The exit code after Ctrl-C, as shells report it.
pub const INTERRUPTED: u8 = 130;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it was done.
    Complete,
    /// Training was stopped on request; what was trained is kept.
    Interrupted,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library says no.
    #[error(transparent)]
    Library(#[from] Error),
    /// The recipe is not one.
    #[error(transparent)]
    Recipe(#[from] RecipeErrors),
    /// The model could not be brought here.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A model folder cannot be inspected.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file of texts cannot be read or written.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Results cannot be written to stdout.
    #[error("standard output: cannot write: {0}")]
    Stdout(io::Error),
    /// Texts cannot be read from stdin.
    #[error("standard input: cannot read: {0}")]
    Stdin(io::Error),
    /// A text from stdin is not UTF-8.
    #[error("standard input:{line}: invalid UTF-8 at byte {offset} of the line; texts are read as UTF-8, one a line")]
    StdinEncoding {
        /// The line, from 1.
        line: usize,
        /// The first wrong byte, from 0.
        offset: usize,
    },
    /// As many second texts as first ones are needed.
    #[error("--text-pair is given {pairs} times but --text {texts} times; give one --text-pair for each --text, or none")]
    Unpaired {
        /// How many texts.
        texts: usize,
        /// How many second texts.
        pairs: usize,
    },
    /// Words are given to a model of texts.
    #[error("{}: the file holds sentences whose words are given, but the task of this model is {task}, which takes texts (a column of csv, tsv or jsonl; a line of .txt)", path.display())]
    WordsForTexts {
        /// The file.
        path: PathBuf,
        /// The task.
        task: Task,
    },
    /// A .txt may hold texts or words.
    #[error(
        "{}: to a model that tags words, .txt is CoNLL in training; say --format conll where it holds a word a line, or --format txt where it holds a \
         text a line",
        path.display()
    )]
    TextsOrWords {
        /// The file.
        path: PathBuf,
    },
    /// A file that holds no prompts.
    #[error("{}: the file holds sentences a word a line, or questions about texts; prompts stand in a column of csv, tsv or jsonl, or on lines of .txt", path.display())]
    NoPrompts {
        /// The file.
        path: PathBuf,
    },
    /// A file with pairs of texts, of which either may be the prompt.
    #[error("{}: the file holds pairs of texts; name the column of the prompts with --text-column", path.display())]
    PairOfPrompts {
        /// The file.
        path: PathBuf,
    },
    /// Nothing is read that these flags could be about.
    #[error("--format and the flags of columns say how the file of {file} is read; give {file}, or leave them out")]
    NoDataToRead {
        /// The flag of the file.
        file: &'static str,
    },
    /// Nothing is computed that a flag could be about.
    #[error("{flag} is about {metrics}, which --metric does not name; name it, or leave {flag} out")]
    FlagOfOtherMetric {
        /// The flag.
        flag: &'static str,
        /// The figures that it is about.
        metrics: String,
    },
    /// A language that nothing goes by.
    #[error(
        "--target-language settles the tokenizer of bleu and the preparation of ter, which --metric does not name or which flags of their own settle; \
         leave it out"
    )]
    LanguageOfNothing,
    /// What is copied cannot be told without that it is copied from.
    #[error("--metric copying compares outputs with their sources; give --sources FILE, or leave it out")]
    CopyingWithoutSources,
    /// A value of a smoothing that has none.
    #[error("--smooth-value is the value of --smooth floor and --smooth add-k; give one of them, or leave it out")]
    SmoothValueOfNothing,
    /// Support for Asian characters, of nothing.
    #[error("--ter-asian-support does nothing by itself; give --ter-normalized or --ter-no-punct with it, or leave it out")]
    AsianSupportAlone,
    /// Systems are compared by drawings.
    #[error("--baseline is compared with by drawings of the texts, which --resamples none leaves out; give --resamples N")]
    BaselineWithoutResamples,
    /// Files whose lines belong together have different numbers of them.
    #[error(
        "{}: {}, but {} has {}; each line holds one text, and lines with the same number belong together",
        path.display(), counted(*found as u64, "line"), hypotheses.display(), counted(*expected as u64, "line")
    )]
    OtherCountOfLines {
        /// The file.
        path: PathBuf,
        /// How many lines it has.
        found: usize,
        /// The file of the hypotheses.
        hypotheses: PathBuf,
        /// How many lines that has.
        expected: usize,
    },
    /// The folder of an output file is not there.
    #[error("{}: the folder {} does not exist; create it first, or choose another output", path.display(), folder.display())]
    NoOutputFolder {
        /// The output file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// A file would be written over itself.
    #[error("{}: the output would replace the file that is read; choose another output", path.display())]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
    /// The folder of the quickstart is there already.
    #[error(
        "{}: the folder of an earlier quickstart is still there; give --overwrite-output to replace it, or --output for another place",
        folder.display()
    )]
    QuickstartExists {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the quickstart's data is there with other contents.
    #[error("{}: a file with other contents stands where the quickstart's data goes; move it, or give --output for another place", path.display())]
    QuickstartData {
        /// The file.
        path: PathBuf,
    },
    /// Predictions of another task were to be written as answers.
    #[error("{}: a .json file holds answers to questions, which this model does not give; choose a csv, tsv or jsonl file", path.display())]
    NotAnswers {
        /// The output file.
        path: PathBuf,
    },
    /// A folder has no model file to import, or several.
    #[error(
        "{}: {}; name the file to import",
        folder.display(),
        match found.as_slice() {
            [] => "no model file to import here (.gguf, or .npz or .bin of Marian)".to_owned(),
            several => format!("several model files here ({})", several.join(", ")),
        }
    )]
    NotOneToImport {
        /// The folder.
        folder: PathBuf,
        /// The names of the model files in it.
        found: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Ctrl-C cannot be listened to.
    #[error("Ctrl-C cannot be listened to: {0}")]
    Interrupt(#[from] ctrlc::Error),
    /// The threads to compute with cannot be started.
    #[error("--threads: the threads to compute with ({threads}) cannot be started: {reason}")]
    Threads {
        /// How many, in words.
        threads: String,
        /// What the system said.
        reason: String,
    },
}

impl Ending {
    /// The exit code of the process.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Complete => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

impl Failure {
    /// What to tell the person; nothing where nobody reads stdout any more, as in `graftling models list | head -1`.
    pub fn text(&self) -> Option<String> {
        (!self.is_closed_output()).then(|| self.to_string())
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Library(Error::Generation(GenerationError::Options(_))) => ExitCode::from(USAGE),
            Self::Recipe(_) | Self::Unpaired { .. } | Self::NoDataToRead { .. } => ExitCode::from(USAGE),
            Self::FlagOfOtherMetric { .. } | Self::CopyingWithoutSources | Self::SmoothValueOfNothing => ExitCode::from(USAGE),
            Self::AsianSupportAlone | Self::BaselineWithoutResamples | Self::LanguageOfNothing => ExitCode::from(USAGE),
            Self::Library(Error::Interrupted) => ExitCode::from(INTERRUPTED),
            _ if self.is_closed_output() => ExitCode::SUCCESS,
            _ => ExitCode::from(ERROR),
        }
    }

    fn is_closed_output(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
