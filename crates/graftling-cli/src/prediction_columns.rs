//! Predictions as columns behind those of the file they were made from. Knows nothing of how they were made.

use std::path::Path;

use graftling::{Prediction, Said};
use graftling_text::{TextError, holds_word_lists, write_answers};

use crate::commands::is_squad;
use crate::data_file::DataFile;
use crate::failure::Failure;
use crate::said;

/// Says what would keep a file from being written in the place of `output`, whatever it will hold.
pub fn check_place(output: &Path, input: &Path) -> Result<(), Failure> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::NoOutputFolder { path: output.to_owned(), folder: folder.to_owned() });
    }
    if output.is_dir() {
        return Err(TextError::IsFolder { path: output.to_owned() }.into());
    }
    let same = output.canonicalize().is_ok_and(|output| input.canonicalize().is_ok_and(|input| output == input));
    if same { Err(Failure::OutputIsInput { path: output.to_owned() }) } else { Ok(()) }
}

/// Says what would keep the predictions for the rows of a file from being written, before any is made.
pub fn check(output: &Path, file: &DataFile) -> Result<(), Failure> {
    file.check_output(output, said::COLUMNS)
}

/// Writes the file with what is said of each of its texts or sentences, or answers alone in a .json file; `text_column` is the one that
/// was named.
pub fn write(output: &Path, file: &DataFile, predictions: &[Prediction], text_column: Option<&str>) -> Result<(), Failure> {
    if let (DataFile::Questions(questions), true) = (file, is_squad(output)) {
        let answers = questions.examples.iter().zip(predictions).map(|(question, prediction)| match &prediction.said {
            Said::Answer { answer, .. } => Some((question.id.as_str(), answer.as_str())),
            _ => None,
        });
        let answers = answers.collect::<Option<Vec<_>>>().ok_or_else(|| Failure::NotAnswers { path: output.to_owned() })?;
        return Ok(write_answers(output, answers)?);
    }
    let words_given = match file {
        DataFile::Rows(table) => holds_word_lists(table, text_column),
        DataFile::Lines(_) | DataFile::Questions(_) => false,
        DataFile::Sentences(_) => true,
    };
    let tags: Vec<Vec<String>> = predictions.iter().map(|prediction| said::tags(&prediction.said)).collect();
    file.write(output, &said::columns(predictions, words_given), &tags)
}
