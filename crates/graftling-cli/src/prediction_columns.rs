//! Predictions as two columns behind those of the file they were made from. Knows nothing of how they were made.

use std::path::Path;

use graftling_text::{Cell, Format, NewColumn, Table, TextError, write_table};
use serde_json::{Number, Value};

use crate::failure::Failure;

const LABEL: &str = "predicted_label";
const PROBABILITY: &str = "probability";

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
    Format::of(output)?;
    match [LABEL, PROBABILITY].into_iter().find(|name| table.position(name).is_some()) {
        Some(name) => Err(TextError::ColumnTaken { path: output.to_owned(), name: name.to_owned() }.into()),
        None => Ok(()),
    }
}

/// Writes the table with the label and the probability of each row; the file appears whole or not at all.
pub fn write<'a>(output: &Path, table: &Table, predictions: impl Iterator<Item = (&'a str, f32)> + Clone) -> Result<(), Failure> {
    let labels = predictions.clone().map(|(label, _)| Cell::Text(label.to_owned())).collect();
    let probabilities = predictions.map(|(_, probability)| Cell::Json(rounded(probability))).collect();
    let columns =
        [NewColumn { name: LABEL.to_owned(), cells: labels }, NewColumn { name: PROBABILITY.to_owned(), cells: probabilities }];
    Ok(write_table(output, None, table, &columns)?)
}

/// As few digits as give the same single-precision number back.
fn rounded(probability: f32) -> Value {
    probability.to_string().parse::<Number>().map_or(Value::Null, Value::Number)
}
