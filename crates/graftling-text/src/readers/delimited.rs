//! csv and tsv: the first line names the columns, every row has a field for each.
//! Knows nothing of files and encodings.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::quotes;
use crate::problem::{Problem, Problems};
use crate::{Cell, Row, Table, TextError};

/// What a double quote at the start of a field means.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    /// The field may hold separators and line breaks, up to the closing quote (RFC 4180).
    Enclose,
    /// Nothing: it is a character like any other.
    Plain,
}

/// Reads comma-separated values.
pub(super) fn read_csv(source: &Path, text: &str) -> Result<Table, TextError> {
    let mut problems = Problems::new(source);
    quotes::check(text, b',', &mut problems);
    let table = parse(source, text, b',', Quotes::Enclose, &mut problems);
    problems.check().map(|()| table)
}

/// Reads tab-separated values. Many such files (GLUE's, for one) hold bare quotes, since a tab needs no quoting: where quotes do
/// not pair, they are taken as plain characters, and a notice says so.
pub(super) fn read_tsv(source: &Path, text: &str) -> Result<Table, TextError> {
    let mut problems = Problems::new(source);
    let quoted = quotes::check(text, b'\t', &mut problems);
    let table = parse(source, text, b'\t', Quotes::Enclose, &mut problems);
    if problems.is_empty() || !quoted {
        return problems.check().map(|()| table);
    }
    let mut plain_problems = Problems::new(source);
    let mut plain = parse(source, text, b'\t', Quotes::Plain, &mut plain_problems);
    if !plain_problems.is_empty() {
        return problems.check().map(|()| table);
    }
    plain.notices.push(format!(
        "{}: double quotes are read as plain characters, because they do not enclose whole fields",
        source.display()
    ));
    Ok(plain)
}

fn parse(source: &Path, text: &str, delimiter: u8, quotes: Quotes, problems: &mut Problems) -> Table {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quotes == Quotes::Enclose)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut table = Table { source: source.to_owned(), columns: Vec::new(), rows: Vec::new(), notices: Vec::new() };
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 };
    let mut record = StringRecord::new();
    // Text in memory is valid UTF-8 and never fails to be read, and records may have any length: no other error remains.
    while reader.read_record(&mut record).unwrap_or(false) {
        let line = lines.line_at(record.position().map_or(0, |position| position.byte() as usize));
        if table.columns.is_empty() {
            table.columns = record.iter().map(str::to_owned).collect();
            continue;
        }
        if record.len() != table.columns.len() {
            problems.add(Problem::FieldCount { line, found: record.len(), expected: table.columns.len() });
        }
        table.rows.push(Row { line, cells: record.iter().map(|field| Cell::Text(field.to_owned())).collect() });
    }
    table
}

/// Counts lines up to places that only move forward. The reader's own count is late by one after CRLF and blank lines.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    /// The line of the first character at or after `place` that is no line break.
    fn line_at(&mut self, place: usize) -> usize {
        while let Some(&byte) = self.text.get(self.at) {
            if self.at >= place && !matches!(byte, b'\n' | b'\r') {
                break;
            }
            self.line += usize::from(byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}
