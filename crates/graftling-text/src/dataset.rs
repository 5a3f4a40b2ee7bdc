//! Examples to learn from, to evaluate on or to predict, made from the chosen columns of a table and checked all at once.
//! Knows nothing of files and formats.

mod label_lists;
mod label_values;
mod numbers;
mod repeats;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::path::PathBuf;

use serde_json::Value;

use crate::columns::{ChosenColumns, Columns, LabelNeed, Positions, choose};
use crate::problem::{Problem, Problems};
use crate::wording::counted;
use crate::{Cell, Row, Table, TextError};
use label_lists::LabelLists;
use label_values::LabelValues;
pub(crate) use numbers::LARGEST_NUMBER;
use numbers::Numbers;
pub(crate) use repeats::{TextRow, repeats_notices};

/// One text or pair of texts, with its label where there is one: the name of a class, or what another task has in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example<L = String> {
    /// The text, or the first text of a pair.
    pub text: String,
    /// The second text of a pair.
    pub text_pair: Option<String>,
    /// The name of the class (the names of several, or numbers); always there in labelled data.
    pub label: Option<L>,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

/// The examples of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<L = String> {
    /// The file.
    pub source: PathBuf,
    /// The examples, in the order of the file.
    pub examples: Vec<Example<L>>,
    /// The columns they were made from.
    pub columns: ChosenColumns,
    /// What a person should know about how the file was understood.
    pub notices: Vec<String>,
}

/// Examples that each have a text and one label. Everything that is wrong with the rows is told in one error.
///
/// Labels that are whole numbers are taken as class names, with a notice, as long as there are few; other numbers are refused.
/// Takes the table or a reference to it.
pub fn labelled(table: impl Borrow<Table>, columns: &Columns) -> Result<Dataset, TextError> {
    with_labels(table.borrow(), columns, &mut LabelValues::default())
}

/// Examples that each have a text and any number of labels, none included: a list of names, or names with `|` between them.
/// Everything that is wrong with the rows is told in one error. Takes the table or a reference to it.
pub fn multi_labelled(table: impl Borrow<Table>, columns: &Columns) -> Result<Dataset<Vec<String>>, TextError> {
    with_labels(table.borrow(), columns, &mut LabelLists::default())
}

/// Examples that each have a text and a number, or a list of numbers of the same length everywhere. Everything that is wrong with the
/// rows is told in one error. Takes the table or a reference to it.
pub fn numbered(table: impl Borrow<Table>, columns: &Columns) -> Result<Dataset<Vec<f32>>, TextError> {
    with_labels(table.borrow(), columns, &mut Numbers::default())
}

/// The list that a field of csv or tsv holds as JSON, which is how a table from jsonl is written there.
fn list_in(cell: &Cell) -> Option<Cell> {
    let Cell::Text(text) = cell else { return None };
    let list: Option<Value> = text.trim_start().starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
    list.filter(Value::is_array).map(Cell::Json)
}

/// How the cells of a label column are understood, row by row.
trait LabelReader {
    type Label: PartialEq;

    /// The label of one row.
    fn take(&mut self, row: &Row, position: usize, column: &str, problems: &mut Problems) -> Option<Self::Label>;

    /// Adds what is wrong with the labels as a whole.
    fn check(&self, column: &str, problems: &mut Problems);

    /// What a person should know about labels that are accepted.
    fn notices(&self) -> Vec<String>;
}

fn with_labels<R: LabelReader>(table: &Table, columns: &Columns, labels: &mut R) -> Result<Dataset<R::Label>, TextError> {
    let (positions, mut notices) = chosen(table, columns, LabelNeed::Required)?;
    let mut problems = Problems::new(&table.source);
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let text = required_text(table, row, positions.text, &mut problems);
        let text_pair = positions.text_pair.map(|position| required_text(table, row, position, &mut problems));
        let label = positions.label.and_then(|position| labels.take(row, position, &table.columns[position], &mut problems));
        examples.push(Example { text, text_pair, label, line: row.line });
    }
    if let Some(position) = positions.label {
        labels.check(&table.columns[position], &mut problems);
    }
    problems.check()?;
    let prefix = table.source.display();
    notices.extend(labels.notices().into_iter().map(|notice| format!("{prefix}: {notice}")));
    notices.extend(
        repeats_notices(examples.iter().map(Example::row), "label").into_iter().map(|notice| format!("{prefix}: {notice}")),
    );
    Ok(Dataset { source: table.source.clone(), examples, columns: positions.names(table), notices })
}

/// Examples to predict: labels are kept where there are any, and empty texts are told in a notice, so that every row gets its
/// prediction. Takes the table or a reference to it.
pub fn unlabelled(table: impl Borrow<Table>, columns: &Columns) -> Result<Dataset, TextError> {
    let table = table.borrow();
    let (positions, mut notices) = chosen(table, columns, LabelNeed::Optional)?;
    let mut problems = Problems::new(&table.source);
    let mut examples = Vec::with_capacity(table.rows.len());
    let mut empty_lines = Vec::new();
    for row in &table.rows {
        let text = text(table, row, positions.text, &mut problems);
        if text.trim().is_empty() {
            empty_lines.push(row.line);
        }
        let text_pair = positions.text_pair.map(|position| self::text(table, row, position, &mut problems));
        let label = positions.label.and_then(|position| label_values::optional(&row.cells[position]));
        examples.push(Example { text, text_pair, label, line: row.line });
    }
    problems.check()?;
    notices.extend(empty_notice(table, &empty_lines));
    Ok(Dataset { source: table.source.clone(), examples, columns: positions.names(table), notices })
}

/// What to tell of texts to be predicted that are empty.
pub(crate) fn empty_notice(table: &Table, lines: &[usize]) -> Option<String> {
    let line = lines.first()?;
    let texts = counted(lines.len(), "text is", "texts are");
    Some(format!("{}: {texts} empty (first on line {line}); the predictions for them say nothing", table.source.display()))
}

/// The chosen columns, and the notices so far.
fn chosen(table: &Table, columns: &Columns, need: LabelNeed) -> Result<(Positions, Vec<String>), TextError> {
    let mut problems = Problems::new(&table.source);
    let mut notices = table.notices.clone();
    let positions = choose(table, columns, need, &mut problems, &mut notices);
    match positions {
        Some(positions) => Ok((positions, notices)),
        None => Err(TextError::Data(problems)),
    }
}

pub(crate) fn required_text(table: &Table, row: &Row, position: usize, problems: &mut Problems) -> String {
    let before = problems.total;
    let text = text(table, row, position, problems);
    if problems.total == before && text.trim().is_empty() {
        problems.add(Problem::EmptyText { line: row.line, column: table.columns[position].clone() });
    }
    text
}

/// The text of a cell; a null is an empty one.
pub(crate) fn text(table: &Table, row: &Row, position: usize, problems: &mut Problems) -> String {
    let (line, column) = (row.line, || table.columns[position].clone());
    match &row.cells[position] {
        Cell::Text(text) | Cell::Json(Value::String(text)) => text.clone(),
        Cell::Json(Value::Null) => String::new(),
        Cell::Absent => {
            problems.add(Problem::NoValue { line, column: column() });
            String::new()
        }
        Cell::Json(value) => {
            problems.add(Problem::NotText { line, column: column(), found: described(value) });
            String::new()
        }
    }
}

/// A JSON value that is not a string, as a message names it.
pub(crate) fn described(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Number(number) => format!("the number {number}"),
        other => other.to_string(),
    }
}
