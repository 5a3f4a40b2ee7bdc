//! From a file to a [`Table`]: one file here for each way of laying rows down.
//! Knows nothing of texts and labels.

mod delimited;
mod jsonl;
mod quotes;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::format::Layout;
use crate::problem::{Problem, Problems};
use crate::{Format, Table, TextError, plain_text};

/// Reads a csv, tsv or jsonl file, plain or compressed by gzip, in UTF-8. The format comes from the file's name unless it is
/// given.
pub fn read_table(path: &Path, format: Option<Format>) -> Result<Table, TextError> {
    // A wrong path is told before a wrong name: it is the likelier slip.
    let layout = match Layout::of(path, format) {
        Err(unknown) => return Err(plain_text::read_bytes(path).err().unwrap_or(unknown)),
        Ok(layout) => layout,
    };
    let text = plain_text::read(path, layout.gzip)?;
    parse(path, &text, layout.format)
}

/// Reads a table from text that is in memory already; `source` is what messages call it.
pub(crate) fn parse(source: &Path, text: &str, format: Format) -> Result<Table, TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty { path: source.to_owned() });
    }
    let table = match format {
        Format::Csv => delimited::read_csv(source, text)?,
        Format::Tsv => delimited::read_tsv(source, text)?,
        Format::Jsonl => jsonl::read(source, text)?,
    };
    let mut problems = Problems::new(source);
    for (index, name) in table.columns.iter().enumerate() {
        if table.columns[..index].contains(name) {
            problems.add(Problem::DuplicateColumn { name: name.clone() });
        }
    }
    problems.check()?;
    if table.rows.is_empty() {
        return Err(TextError::HeaderOnly { path: source.to_owned(), columns: table.columns });
    }
    Ok(table)
}
