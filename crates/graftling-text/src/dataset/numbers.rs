//! From the cells of a label column to numbers. Knows nothing of texts.

use serde_json::Value;

use super::{LabelReader, list_in};
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Cell, Row};

/// The largest number that can be learnt. Losses are squares in single precision: those of a batch of larger ones would be infinite.
pub(crate) const LARGEST_NUMBER: f32 = 1e18;

/// What the label column holds, row by row.
#[derive(Default)]
pub(super) struct Numbers {
    /// How many numbers the first row has, and its line.
    first: Option<(usize, usize)>,
    /// The smallest and the largest first number, to see whether they differ at all.
    range: Option<(f32, f32)>,
    rows: usize,
}

impl LabelReader for Numbers {
    type Label = Vec<f32>;

    fn take(&mut self, row: &Row, position: usize, column: &str, problems: &mut Problems) -> Option<Vec<f32>> {
        let line = row.line;
        let list = list_in(&row.cells[position]);
        let cell = list.as_ref().unwrap_or(&row.cells[position]);
        let numbers = match cell {
            Cell::Absent | Cell::Json(Value::Null) => {
                problems.add(Problem::NoValue { line, column: column.to_owned() });
                return None;
            }
            Cell::Text(text) | Cell::Json(Value::String(text)) if text.trim().is_empty() => {
                problems.add(Problem::EmptyLabel { line, column: column.to_owned() });
                return None;
            }
            Cell::Text(text) | Cell::Json(Value::String(text)) => parsed(text).map(|number| vec![number]),
            Cell::Json(Value::Array(items)) => items.iter().map(number).collect(),
            Cell::Json(value) => number(value).map(|number| vec![number]),
        };
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
            let found = match cell {
                Cell::Json(value) => value.to_string(),
                other => quoted(other.text().unwrap_or_default()),
            };
            problems.add(Problem::NotNumbers { line, column: column.to_owned(), found });
            return None;
        };
        if let Some(too_large) = numbers.iter().find(|number| number.abs() > LARGEST_NUMBER) {
            problems.add(Problem::NumberTooLarge { line, column: column.to_owned(), found: written(*too_large) });
            return None;
        }
        let &mut (count, first_line) = self.first.get_or_insert((numbers.len(), line));
        if numbers.len() != count {
            let found = numbers.len();
            problems.add(Problem::OtherCountOfNumbers { line, column: column.to_owned(), found, expected: count, first_line });
            return None;
        }
        self.rows += 1;
        let (least, most) = self.range.get_or_insert((numbers[0], numbers[0]));
        (*least, *most) = (least.min(numbers[0]), most.max(numbers[0]));
        Some(numbers)
    }

    fn check(&self, _: &str, _: &mut Problems) {}

    fn notices(&self) -> Vec<String> {
        let (Some((count, _)), Some((least, most))) = (self.first, self.range) else { return Vec::new() };
        match count {
            1 => vec![format!("the labels are numbers from {least} to {most}")],
            _ => vec![format!("the labels are lists of {count} numbers; the first is from {least} to {most}")],
        }
    }
}

fn number(value: &Value) -> Option<f32> {
    match value {
        Value::Number(number) => number.as_f64().map(|number| number as f32),
        Value::String(text) => parsed(text),
        _ => None,
    }
}

/// A number as it is written in a table; not the words `inf` and `nan`. One beyond single precision is infinite.
fn parsed(text: &str) -> Option<f32> {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
    text.trim().parse::<f32>().ok().filter(|number| number.is_finite() || is_number)
}

/// A number that is too large, in a few digits.
fn written(number: f32) -> String {
    if number.is_finite() { format!("{number:e}") } else { format!("{}3.4e38 and more", if number < 0.0 { "-" } else { "" }) }
}
