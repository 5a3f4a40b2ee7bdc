//! Texts without labels, to learn a language from: a line a text, or a column of a table.
//! Knows nothing of labels.

use std::borrow::Borrow;
use std::path::Path;

use super::{Examples, SameText};
use crate::columns::{Role, folded_position, named, one_of};
use crate::format::PlainLayout;
use crate::problem::Problems;
use crate::wording::{counted, quoted};
use crate::{Cell, Format, Row, Table, TextError, dataset, plain_text, readers};

/// How texts without labels are laid down in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainFormat {
    /// A text a line.
    Lines,
    /// A column of a table.
    Table(Format),
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainExample {
    /// The text, which is not empty.
    pub text: String,
    /// The line of the file where it begins, from 1.
    pub line: usize,
}

impl SameText for PlainExample {
    fn texts(&self) -> Vec<&str> {
        vec![self.text.trim()]
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

/// Reads texts: a line a text (.txt), or the column of a table that holds the texts, plain or compressed by gzip. The format comes
/// from the file's name and the column is found by name, unless they are given. Empty texts are passed over, with a notice in tables.
pub fn read_plain_texts(
    path: &Path,
    format: Option<PlainFormat>,
    column: Option<&str>,
) -> Result<Examples<PlainExample>, TextError> {
    // A wrong path is told before a wrong name: it is the likelier slip.
    let layout = match PlainLayout::of(path, format) {
        Err(unknown) => return Err(plain_text::read_bytes(path).err().unwrap_or(unknown)),
        Ok(layout) => layout,
    };
    let text = plain_text::read(path, layout.gzip)?;
    match layout.format {
        PlainFormat::Table(format) => plain_texts(readers::parse(path, &text, format)?, column),
        PlainFormat::Lines => {
            let line =
                |(index, line): (usize, &str)| PlainExample { text: line.trim_end_matches('\r').to_owned(), line: index + 1 };
            let filled = text.split('\n').enumerate().map(line).filter(|example| !example.text.trim().is_empty());
            let examples: Vec<PlainExample> = filled.collect();
            if examples.is_empty() {
                return Err(TextError::Empty { path: path.to_owned() });
            }
            Ok(Examples { source: path.to_owned(), examples, notices: Vec::new() })
        }
    }
}

/// Reads the lines of a text file (.txt, .txt.gz) as the rows of a table with one column, `text`: empty lines too, so that every line has
/// its row.
pub fn read_lines(path: &Path) -> Result<Table, TextError> {
    let gzip = PlainLayout::of(path, Some(PlainFormat::Lines))?.gzip;
    let text = plain_text::read(path, gzip)?;
    let row = |(index, line): (usize, &str)| Row { line: index + 1, cells: vec![Cell::Text(line.to_owned())] };
    let rows: Vec<Row> = text.lines().enumerate().map(row).collect();
    if text.trim().is_empty() {
        return Err(TextError::Empty { path: path.to_owned() });
    }
    Ok(Table { source: path.to_owned(), columns: vec!["text".to_owned()], rows, notices: Vec::new() })
}

/// The texts of a table's column. Takes the table or a reference to it.
pub fn plain_texts(table: impl Borrow<Table>, column: Option<&str>) -> Result<Examples<PlainExample>, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    let mut notices = table.notices.clone();
    let position = match column {
        Some(name) => named(table, Role::Text, name, &mut problems),
        None => {
            let names = Role::Text.names();
            let found = names.iter().filter_map(|name| folded_position(table, name)).collect();
            one_of(table, Role::Text, found, names, &mut problems).inspect(|&position| {
                let told = quoted(&table.columns[position]);
                notices.push(format!("{}: text from column {told} (found by name)", table.source.display()));
            })
        }
    };
    let Some(position) = position else { return Err(TextError::Data(problems)) };
    let mut examples = Vec::with_capacity(table.rows.len());
    let mut empty_lines = Vec::new();
    for row in &table.rows {
        let before = problems.total;
        let text = dataset::text(table, row, position, &mut problems);
        if !text.trim().is_empty() {
            examples.push(PlainExample { text, line: row.line });
        } else if problems.total == before {
            empty_lines.push(row.line);
        }
    }
    problems.check()?;
    if examples.is_empty() {
        return Err(TextError::Empty { path: table.source.clone() });
    }
    if let Some(line) = empty_lines.first() {
        let texts = counted(empty_lines.len(), "text is", "texts are");
        notices.push(format!("{}: {texts} empty and left out (first on line {line})", table.source.display()));
    }
    Ok(Examples { source: table.source.clone(), examples, notices })
}
