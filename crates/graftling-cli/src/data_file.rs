//! A file that predictions go beside: rows of a table, lines of text, sentences of CoNLL, or questions. Knows nothing of what is predicted.

use std::path::Path;

use graftling_text::{
    ConllFile, Examples, FileFormat, Format, NewColumn, PlainFormat, QuestionColumns, QuestionExample, QuestionFormat, Table,
    TextError, TokenFormat, read_lines, read_table, read_unanswered_questions, write_table,
};

use crate::commands::is_squad;
use crate::failure::Failure;

/// A file, by what it holds.
pub enum DataFile {
    /// Rows with columns: csv, tsv, jsonl.
    Rows(Table),
    /// A text a line, as a table of one column.
    Lines(Table),
    /// Sentences a word a line.
    Sentences(ConllFile),
    /// Questions in the layout of SQuAD.
    Questions(Examples<QuestionExample>),
}

impl DataFile {
    /// Reads a file as its name tells, unless its format is given. A .txt holds a text a line.
    pub fn read(path: &Path, format: Option<FileFormat>) -> Result<Self, Failure> {
        let questions = |format| read_unanswered_questions(path, format, &QuestionColumns::default());
        match format {
            Some(FileFormat::Table(format)) => return Ok(Self::Rows(read_table(path, Some(format))?)),
            Some(FileFormat::Conll) => return Ok(Self::Sentences(ConllFile::read(path)?)),
            Some(FileFormat::Lines) => return Ok(Self::Lines(read_lines(path)?)),
            Some(FileFormat::Squad) => return Ok(Self::Questions(questions(Some(QuestionFormat::Squad))?)),
            None if is_squad(path) => return Ok(Self::Questions(questions(None)?)),
            None => {}
        }
        if matches!(PlainFormat::of(path), Ok(PlainFormat::Lines)) {
            return Ok(Self::Lines(read_lines(path)?));
        }
        match TokenFormat::of(path) {
            Ok(TokenFormat::Conll) => Ok(Self::Sentences(ConllFile::read(path)?)),
            Ok(TokenFormat::Table(format)) => Ok(Self::Rows(read_table(path, Some(format))?)),
            // A wrong path is told before a wrong name.
            Err(_) if !path.exists() => Ok(Self::Rows(read_table(path, None)?)),
            Err(unknown) => Err(unknown.into()),
        }
    }

    /// Says what would keep new columns with one of these names from being written to a file of this name.
    pub fn check_output(&self, output: &Path, names: &[&str]) -> Result<(), Failure> {
        let table = match self {
            Self::Rows(table) | Self::Lines(table) => table,
            Self::Sentences(_) => return Ok(TokenFormat::of(output).map(|_| ())?),
            Self::Questions(_) if is_squad(output) => return Ok(()),
            Self::Questions(_) => return Ok(Format::of(output).map(|_| ())?),
        };
        Format::of(output)?;
        match names.iter().find(|name| table.position(name).is_some()) {
            Some(name) => Err(TextError::ColumnTaken { path: output.to_owned(), name: (*name).to_owned() }.into()),
            None => Ok(()),
        }
    }

    /// Writes the file again with more: new columns, or a tag for each word of CoNLL. It appears whole or not at all.
    pub fn write(&self, output: &Path, new: &[NewColumn], tags: &[Vec<String>]) -> Result<(), Failure> {
        match self {
            Self::Rows(table) | Self::Lines(table) => write_table(output, None, table, new)?,
            Self::Sentences(file) => file.write(output, tags, new)?,
            Self::Questions(questions) => write_table(output, None, &questions.table(), new)?,
        }
        Ok(())
    }
}
