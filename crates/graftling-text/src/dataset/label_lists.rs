//! From the cells of a label column to the names of any number of labels. Knows nothing of texts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{LabelReader, list_in};
use crate::problem::{Problem, Problems};
use crate::wording::counted;
use crate::{Cell, Row};

/// Between the labels of a cell that is no list.
const BETWEEN: char = '|';

/// What the label column holds, row by row.
#[derive(Default)]
pub(super) struct LabelLists {
    /// How often each label occurs.
    counts: BTreeMap<String, usize>,
    without: usize,
    rows: usize,
    repeated_lines: Vec<usize>,
}

impl LabelReader for LabelLists {
    type Label = Vec<String>;

    fn take(&mut self, row: &Row, position: usize, column: &str, problems: &mut Problems) -> Option<Vec<String>> {
        let line = row.line;
        // A name may have brackets: [1] is one.
        let are_names = |cell: &Cell| matches!(cell, Cell::Json(Value::Array(items)) if items.iter().all(Value::is_string));
        let list = list_in(&row.cells[position]).filter(are_names);
        let names: Vec<String> = match list.as_ref().unwrap_or(&row.cells[position]) {
            Cell::Text(text) | Cell::Json(Value::String(text)) if text.trim().is_empty() => Vec::new(),
            Cell::Text(text) | Cell::Json(Value::String(text)) => {
                let names: Vec<String> = text.split(BETWEEN).map(|name| name.trim().to_owned()).collect();
                if names.iter().any(String::is_empty) {
                    problems.add(Problem::EmptyLabel { line, column: column.to_owned() });
                    return None;
                }
                names
            }
            Cell::Json(Value::Array(items)) => {
                let name = |item: &Value| item.as_str().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
                match items.iter().map(name).collect::<Option<Vec<String>>>() {
                    Some(names) => names,
                    None => {
                        let found = Value::Array(items.clone()).to_string();
                        problems.add(Problem::NoListOfNames { line, column: column.to_owned(), found });
                        return None;
                    }
                }
            }
            Cell::Absent | Cell::Json(Value::Null) => {
                problems.add(Problem::NoValue { line, column: column.to_owned() });
                return None;
            }
            Cell::Json(value) => {
                problems.add(Problem::NoListOfNames { line, column: column.to_owned(), found: value.to_string() });
                return None;
            }
        };
        let mut distinct: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            if !distinct.contains(&name) {
                distinct.push(name);
            } else if self.repeated_lines.last() != Some(&line) {
                self.repeated_lines.push(line);
            }
        }
        self.rows += 1;
        self.without += usize::from(distinct.is_empty());
        for name in &distinct {
            *self.counts.entry(name.clone()).or_default() += 1;
        }
        Some(distinct)
    }

    fn check(&self, column: &str, problems: &mut Problems) {
        if self.counts.is_empty() && self.rows > 0 {
            problems.add(Problem::NoLabelAnywhere { column: column.to_owned(), rows: self.rows });
        }
    }

    fn notices(&self) -> Vec<String> {
        let given: usize = self.counts.values().sum();
        let mut notices = vec![format!(
            "{}, {:.2} a text; {} without any",
            counted(self.counts.len(), "label", "labels"),
            given as f64 / self.rows.max(1) as f64,
            counted(self.without, "text", "texts")
        )];
        if let Some(line) = self.repeated_lines.first() {
            let rows = counted(self.repeated_lines.len(), "row names", "rows name");
            notices.push(format!("{rows} a label twice, which counts once (first: line {line})"));
        }
        notices
    }
}
