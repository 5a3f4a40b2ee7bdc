//! Words and tags as two lists of strings in a row. Knows nothing of files and columns' names.

use serde_json::Value;

use super::problem::TokenProblem;
use super::{TagNeed, TokenExample, WordOrigin, at};
use crate::dataset::described;
use crate::problem::{Problem, Problems};
use crate::{Cell, Row, Table};

/// One example a row; `columns` are those of words and of tags.
pub(super) fn examples(
    table: &Table,
    columns: (usize, Option<usize>),
    need: TagNeed,
    problems: &mut Problems,
) -> Vec<TokenExample> {
    let example = |row: &Row| {
        let words = words(table, row, columns.0, need, problems);
        let tags = columns.1.and_then(|position| tags(table, row, position, need, problems));
        if let (Some(words), Some(tags)) = (&words, &tags)
            && words.len() != tags.len()
        {
            problems.add(at(row.line, TokenProblem::TagCount { words: words.len(), tags: tags.len() }));
        }
        TokenExample { words: words.unwrap_or_default(), tags, origin: WordOrigin::List, line: row.line }
    };
    table.rows.iter().map(example).collect()
}

fn words(table: &Table, row: &Row, position: usize, need: TagNeed, problems: &mut Problems) -> Option<Vec<String>> {
    let column = || table.columns[position].clone();
    let items = list(table, row, position, problems)?;
    if items.is_empty() && need == TagNeed::Required {
        problems.add(at(row.line, TokenProblem::NoWords { column: column() }));
    }
    let mut words = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::String(word) if word.trim().is_empty() => {
                problems.add(at(row.line, TokenProblem::EmptyWord { item: Some(index + 1) }));
            }
            Value::String(_) => {}
            other => {
                let found = described(other);
                problems.add(at(row.line, TokenProblem::NotAString { column: column(), item: index + 1, found }));
            }
        }
        words.push(item.as_str().unwrap_or_default().to_owned());
    }
    Some(words)
}

/// The tags of a row; none where there need be none and the cell is empty.
fn tags(table: &Table, row: &Row, position: usize, need: TagNeed, problems: &mut Problems) -> Option<Vec<String>> {
    let column = || table.columns[position].clone();
    if need == TagNeed::Optional && matches!(row.cells[position], Cell::Absent | Cell::Json(Value::Null)) {
        return None;
    }
    let items = list(table, row, position, problems)?;
    let mut tags = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let item_number = index + 1;
        match item {
            Value::String(tag) if tag.trim().is_empty() => {
                problems.add(at(row.line, TokenProblem::EmptyTag { item: Some(item_number) }));
            }
            Value::String(_) => {}
            Value::Number(_) => {
                let found = described(item);
                problems.add(at(row.line, TokenProblem::NumberTag { column: column(), item: item_number, found }));
                // The others of the list are numbers, too: once is enough.
                return None;
            }
            other => {
                let found = described(other);
                problems.add(at(row.line, TokenProblem::NotAString { column: column(), item: item_number, found }));
            }
        }
        tags.push(item.as_str().unwrap_or_default().trim().to_owned());
    }
    Some(tags)
}

fn list<'a>(table: &Table, row: &'a Row, position: usize, problems: &mut Problems) -> Option<&'a Vec<Value>> {
    let column = || table.columns[position].clone();
    let problem = match &row.cells[position] {
        Cell::Json(Value::Array(items)) => return Some(items),
        Cell::Absent | Cell::Json(Value::Null) => Problem::NoValue { line: row.line, column: column() },
        Cell::Text(_) => at(row.line, TokenProblem::NotAList { column: column(), found: "a string".to_owned() }),
        Cell::Json(other) => at(row.line, TokenProblem::NotAList { column: column(), found: described(other) }),
    };
    problems.add(problem);
    None
}
