//! Rows and named columns as a file holds them, every cell kept so that the file can be written back.
//! Knows nothing of texts and labels.

use std::borrow::Cow;
use std::path::PathBuf;

use serde_json::Value;

/// What a file of examples holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file.
    pub source: PathBuf,
    /// The names of the columns, in the order of the file.
    pub columns: Vec<String>,
    /// The rows, in the order of the file; each has a cell for each column.
    pub rows: Vec<Row>,
    /// What a person should know about how the file was read.
    pub notices: Vec<String>,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line of the file where the row begins, from 1.
    pub line: usize,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The object of this line has no such key.
    Absent,
    /// A string; every cell of a csv or tsv file is one.
    Text(String),
    /// Any other value of a jsonl file: null, a number, true or false, a list, an object.
    Json(Value),
}

impl Cell {
    /// The string in the cell, where it holds one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The value as a csv file holds it.
    pub fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Absent | Self::Json(Value::Null) => Cow::Borrowed(""),
            Self::Text(text) | Self::Json(Value::String(text)) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.to_string()),
        }
    }
}

impl Table {
    /// Where a column of exactly this name stands.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}
