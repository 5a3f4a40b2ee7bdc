//! Predictions as columns behind those of the file they were made from. Knows nothing of how they were made.

use std::path::Path;

use graftling::{Prediction, Said};
use graftling_text::{Format, Table, TextError, write_answers, write_table};

use crate::commands::is_squad;
use crate::failure::Failure;
use crate::said;

/// Says what would keep the predictions from being written, before any is made.
pub fn check(output: &Path, input: &Path, table: &Table) -> Result<(), Failure> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::NoOutputFolder { path: output.to_owned(), folder: folder.to_owned() });
    }
    if output.is_dir() {
        return Err(TextError::IsFolder { path: output.to_owned() }.into());
    }
    let same = output.canonicalize().is_ok_and(|output| input.canonicalize().is_ok_and(|input| output == input));
    if same {
        return Err(Failure::OutputIsInput { path: output.to_owned() });
    }
    if let (true, true) = (is_squad(output), is_squad(input)) {
        return Ok(());
    }
    Format::of(output)?;
    match said::COLUMNS.iter().find(|name| table.position(name).is_some()) {
        Some(name) => Err(TextError::ColumnTaken { path: output.to_owned(), name: (*name).to_owned() }.into()),
        None => Ok(()),
    }
}

/// Writes the table with what is said of each row, or answers alone in a .json file; the file appears whole or not at all.
pub fn write(output: &Path, table: &Table, predictions: &[Prediction]) -> Result<(), Failure> {
    if is_squad(output) {
        let id = table.position("id");
        let answers = table.rows.iter().zip(predictions).map(|(row, prediction)| match &prediction.said {
            Said::Answer { answer, .. } => Some((row.cells[id?].text()?, answer.as_str())),
            _ => None,
        });
        let answers = answers.collect::<Option<Vec<_>>>().ok_or_else(|| Failure::NotAnswers { path: output.to_owned() })?;
        return Ok(write_answers(output, answers)?);
    }
    Ok(write_table(output, None, table, &said::columns(predictions))?)
}
