//! The flags that say how a data file is to be read, for the commands that read one outside a recipe.
//! Knows nothing of what is done with the data.

use std::path::Path;

use clap::Args;
use graftling::Columns;
use graftling_text::{FileFormat, QuestionFormat};

/// How a data file is written and which columns hold what.
#[derive(Args)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// How the file is written: csv, tsv, jsonl, conll (tagged words), txt (a text a line) or squad (questions, json) [default: by its name]
    #[arg(long, value_name = "WORD", value_parser = format)]
    pub format: Option<FileFormat>,
    /// The column that holds the text, the question, the prompt, or the source of a summary or translation [default: found by its name]
    #[arg(long, value_name = "COLUMN")]
    pub text_column: Option<String>,
    /// The column that holds the second text of a pair, or the context of a question [default: found by its name]
    #[arg(long, value_name = "COLUMN")]
    pub text_pair_column: Option<String>,
    /// The column that holds the label, the answers to a question, the completion of a prompt, or the summary or translation [default: found by
    /// its name]
    #[arg(long, value_name = "COLUMN")]
    pub label_column: Option<String>,
}

impl DataFlags {
    /// Whether a file has the layout of SQuAD, which has no columns.
    pub fn is_squad(&self, path: &Path) -> bool {
        self.format.map_or_else(|| is_squad(path), |format| format == FileFormat::Squad)
    }

    /// Whether any of them was typed.
    pub fn is_given(&self) -> bool {
        self.format.is_some() || self.columns() != Columns::default()
    }

    /// The columns that were named.
    pub fn columns(&self) -> Columns {
        Columns { text: self.text_column.clone(), text_pair: self.text_pair_column.clone(), label: self.label_column.clone() }
    }
}

/// Whether a name is that of a file in the layout of SQuAD.
pub fn is_squad(path: &Path) -> bool {
    QuestionFormat::of(path).is_ok_and(|format| format == QuestionFormat::Squad)
}

/// The format of this word, for a flag.
pub fn format(word: &str) -> Result<FileFormat, String> {
    FileFormat::from_word(word).ok_or_else(|| format!("accepted are {}", FileFormat::WORDS))
}
