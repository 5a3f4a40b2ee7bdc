//! Writes a table back with new columns, in any of the formats, so that the file's name is only ever seen complete.
//! Knows nothing of what the columns mean.

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use csv::WriterBuilder;
use flate2::{Compression, GzBuilder};
use serde_json::Value;

use crate::format::Layout;
use crate::{Cell, Format, Table, TextError, disk};

/// A column to write after those of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct NewColumn {
    /// Its name, which no other column may have.
    pub name: String,
    /// One cell for each row of the table.
    pub cells: Vec<Cell>,
}

/// Writes all columns of the table and then the new ones; the format comes from the file's name unless it is given.
///
/// Numbers, lists and objects stay what they are in jsonl, and are written as JSON into the fields of csv and tsv.
pub fn write_table(path: &Path, format: Option<Format>, table: &Table, new: &[NewColumn]) -> Result<(), TextError> {
    let layout = Layout::of(path, format)?;
    for (index, column) in new.iter().enumerate() {
        assert_eq!(column.cells.len(), table.rows.len(), "column {:?}: cells against rows of the table", column.name);
        if table.columns.contains(&column.name) || new[..index].iter().any(|other| other.name == column.name) {
            return Err(TextError::ColumnTaken { path: path.to_owned(), name: column.name.clone() });
        }
    }
    whole(path, layout.gzip, |out| write(out, layout.format, table, new))
}

/// Writes a text as it is.
pub(crate) fn write_text(path: &Path, gzip: bool, text: &str) -> Result<(), TextError> {
    whole(path, gzip, |out| out.write_all(text.as_bytes()))
}

fn whole(path: &Path, gzip: bool, write: impl Fn(&mut dyn Write) -> io::Result<()>) -> Result<(), TextError> {
    disk::write_whole(path, |file| {
        if !gzip {
            return write(file);
        }
        // No file name and no time in the header: the same content gives the same bytes.
        let mut compressed = GzBuilder::new().write(file, Compression::default());
        write(&mut compressed)?;
        compressed.finish().map(|_| ())
    })
}

fn write(out: &mut dyn Write, format: Format, table: &Table, new: &[NewColumn]) -> io::Result<()> {
    match format {
        Format::Csv => write_delimited(out, b',', table, new),
        Format::Tsv => write_delimited(out, b'\t', table, new),
        Format::Jsonl => write_jsonl(out, table, new),
    }
}

fn write_delimited(out: &mut dyn Write, delimiter: u8, table: &Table, new: &[NewColumn]) -> io::Result<()> {
    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(out);
    writer.write_record(names(table, new))?;
    for index in 0..table.rows.len() {
        writer.write_record(cells(table, new, index).map(|cell| cell.written().into_owned()))?;
    }
    writer.flush()
}

fn write_jsonl(out: &mut dyn Write, table: &Table, new: &[NewColumn]) -> io::Result<()> {
    for index in 0..table.rows.len() {
        let mut separator = "{";
        for (name, cell) in names(table, new).zip(cells(table, new, index)) {
            let value = match cell {
                Cell::Absent => continue,
                Cell::Text(text) => serde_json::to_string(text)?,
                Cell::Json(value) => value.to_string(),
            };
            write!(out, "{separator}{}:{value}", Value::from(name))?;
            separator = ",";
        }
        out.write_all(if separator == "{" { b"{}\n" } else { b"}\n" })?;
    }
    Ok(())
}

fn names<'a>(table: &'a Table, new: &'a [NewColumn]) -> impl Iterator<Item = &'a str> {
    table.columns.iter().map(String::as_str).chain(new.iter().map(|column| column.name.as_str()))
}

fn cells<'a>(table: &'a Table, new: &'a [NewColumn], row: usize) -> impl Iterator<Item = &'a Cell> {
    table.rows[row].cells.iter().chain(new.iter().map(move |column| &column.cells[row]))
}
