//! From the cells of a label column to class names: types that mix, lists, and numbers that look like regression.
//! Knows nothing of texts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::LabelReader;
use crate::problem::{LabelKindAt, Problem, Problems};
use crate::wording::{counted, quoted, quoted_list};
use crate::{Cell, Row};

/// With more different whole numbers than this they are taken for measurements.
const MOST_NUMBER_CLASSES: usize = 100;
/// Up to this many different whole numbers may each occur once, as in a small test set.
const FEW_NUMBER_CLASSES: usize = 10;

/// What the label column holds, row by row.
#[derive(Default)]
pub(super) struct LabelValues {
    /// How often each label occurs, and the line where it first does.
    counts: BTreeMap<String, Count>,
    /// The first label of each JSON type.
    kinds: Vec<LabelKindAt>,
    trimmed_lines: Vec<usize>,
    rows: usize,
}

struct Count {
    rows: usize,
    first_line: usize,
}

/// The class name in a cell that need not hold one.
pub(super) fn optional(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Json(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        _ => cell.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned),
    }
}

impl LabelReader for LabelValues {
    type Label = String;

    /// The class name of one row.
    fn take(&mut self, row: &Row, position: usize, column: &str, problems: &mut Problems) -> Option<String> {
        let line = row.line;
        let (kind, label) = match &row.cells[position] {
            Cell::Text(text) | Cell::Json(Value::String(text)) if text.trim().is_empty() => {
                problems.add(Problem::EmptyLabel { line, column: column.to_owned() });
                return None;
            }
            Cell::Text(text) | Cell::Json(Value::String(text)) => {
                if text.trim().len() < text.len() {
                    self.trimmed_lines.push(line);
                }
                ("a string", text.trim().to_owned())
            }
            Cell::Json(value @ Value::Number(_)) => ("a number", value.to_string()),
            Cell::Json(value @ Value::Bool(_)) => ("true or false", value.to_string()),
            Cell::Absent | Cell::Json(Value::Null) => {
                problems.add(Problem::NoValue { line, column: column.to_owned() });
                return None;
            }
            Cell::Json(value @ Value::Array(_)) => {
                problems.add(Problem::LabelList { line, column: column.to_owned(), found: quoted_json(value) });
                return None;
            }
            Cell::Json(Value::Object(_)) => {
                problems.add(Problem::LabelObject { line, column: column.to_owned() });
                return None;
            }
        };
        if self.kinds.iter().all(|seen| seen.kind != kind) {
            let label = if kind == "a string" { quoted(&label) } else { label.clone() };
            self.kinds.push(LabelKindAt { line, kind, label });
        }
        self.rows += 1;
        self.counts.entry(label.clone()).or_insert(Count { rows: 0, first_line: line }).rows += 1;
        Some(label)
    }

    fn check(&self, column: &str, problems: &mut Problems) {
        if let [first, second, ..] = self.kinds.as_slice() {
            problems.add(Problem::MixedLabels { column: column.to_owned(), first: first.clone(), second: second.clone() });
        }
        if !self.all_numbers() {
            return;
        }
        let fraction = self.counts.iter().filter(|(label, _)| !is_whole(label)).min_by_key(|(_, count)| count.first_line);
        let distinct = self.counts.len();
        if let Some((label, count)) = fraction {
            problems.add(Problem::FractionLabel { line: count.first_line, column: column.to_owned(), label: label.clone() });
        } else if distinct > MOST_NUMBER_CLASSES || (distinct > FEW_NUMBER_CLASSES && self.rows < 2 * distinct) {
            problems.add(Problem::ManyNumbers { column: column.to_owned(), distinct, rows: self.rows });
        }
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let names: Vec<&String> = self.counts.keys().collect();
        let numbers: Vec<&String> = names.iter().copied().filter(|name| is_number(name)).collect();
        if self.all_numbers() {
            notices.push(format!(
                "the labels are whole numbers and are taken as the names of {}: {}",
                counted(names.len(), "class", "classes"),
                quoted_list(&numbers)
            ));
        } else if !numbers.is_empty() {
            notices.push(format!(
                "some labels are numbers and others are not; all are taken as names of classes: {}",
                quoted_list(&numbers)
            ));
        }
        if let Some(line) = self.trimmed_lines.first() {
            let labels = counted(self.trimmed_lines.len(), "label", "labels");
            notices.push(format!("white space around {labels} is dropped (first on line {line})"));
        }
        let mut folded: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for name in names {
            folded.entry(name.to_lowercase()).or_default().push(name);
        }
        let alike: BTreeSet<&String> = folded.into_values().filter(|alike| alike.len() > 1).flatten().collect();
        if !alike.is_empty() {
            let alike: Vec<&String> = alike.into_iter().collect();
            notices.push(format!(
                "these labels differ only in upper and lower case and count as different classes: {}",
                quoted_list(&alike)
            ));
        }
        notices
    }
}

impl LabelValues {
    fn all_numbers(&self) -> bool {
        !self.counts.is_empty() && self.counts.keys().all(|label| is_number(label))
    }
}

/// Digits, signs, a point or an exponent; not the words `inf` and `nan`, which may well be names.
fn is_number(label: &str) -> bool {
    label.bytes().any(|byte| byte.is_ascii_digit()) && label.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_whole(label: &str) -> bool {
    label.parse::<f64>().is_ok_and(|number| number.fract() == 0.0)
}

fn quoted_json(value: &Value) -> String {
    let written = value.to_string();
    match written.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &written[..end]),
        None => written,
    }
}
