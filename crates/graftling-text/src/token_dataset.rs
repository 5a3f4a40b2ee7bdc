//! Sentences whose words have tags (named entities, parts of speech), from CoNLL files and from tables, checked all at once.
//! Knows nothing of tokens and of what a model makes of words.

mod columns;
mod conll;
mod conll_file;
mod entities;
mod lists;
mod problem;
mod tags;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Borrow;
use std::path::Path;

use crate::columns::Role;
use crate::format::TokenLayout;
use crate::problem::{Problem, Problems};
use crate::{Cell, Examples, Format, SameText, Table, TextError, plain_text, readers};

pub use columns::TokenColumns;
pub use conll_file::ConllFile;
pub(crate) use problem::TokenProblem;
pub(crate) use words::is_han_or_kana;
pub use words::{Word, WordSpan, words_of};

use columns::TokenPositions;

/// How words and their tags are laid down in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// A word a line, its tag in the last column, a blank line after each sentence.
    Conll,
    /// Rows with a list of words and one of tags, or with a text and its entities; lists are found in jsonl only.
    Table(Format),
}

/// The words of a sentence, with their tags where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenExample {
    /// The words.
    pub words: Vec<String>,
    /// One tag for each word; always there in labelled data.
    pub tags: Option<Vec<String>>,
    /// Where the words were found.
    pub origin: WordOrigin,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

/// Where the words of an example were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordOrigin {
    /// Each on a line of its own: the number of each line, from 1.
    Lines(Vec<usize>),
    /// In a list, on one line.
    List,
    /// In a text.
    Text {
        /// The text.
        text: String,
        /// Where each word stands in it.
        spans: Vec<WordSpan>,
    },
}

/// The sentences of a file.
pub type TokenDataset = Examples<TokenExample>;

impl SameText for TokenExample {
    fn texts(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

/// Whether every word must have a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagNeed {
    Required,
    Optional,
}

impl TokenExample {
    /// The words of a plain text, to be predicted.
    pub fn from_text(text: &str, line: usize) -> TokenExample {
        let words = words_of(text);
        TokenExample {
            words: words.iter().map(|word| word.text.to_owned()).collect(),
            tags: None,
            origin: WordOrigin::Text { text: text.to_owned(), spans: words.into_iter().map(|word| word.span).collect() },
            line,
        }
    }
}

/// Reads sentences that all have tags: CoNLL (.conll, .bio, .iob, .iob2, .txt) or jsonl, plain or compressed by gzip. The format
/// comes from the file's name unless it is given. Everything that is wrong with the file is told in one error.
pub fn read_labelled_tokens(path: &Path, format: Option<TokenFormat>, columns: &TokenColumns) -> Result<TokenDataset, TextError> {
    // A wrong path is told before a wrong name: it is the likelier slip.
    let layout = match TokenLayout::of(path, format) {
        Err(unknown) => return Err(plain_text::read_bytes(path).err().unwrap_or(unknown)),
        Ok(layout) => layout,
    };
    let text = plain_text::read(path, layout.gzip)?;
    parse(path, &text, layout.format, columns, TagNeed::Required)
}

/// Sentences that all have tags, from a table that was read from jsonl: lists of words and of tags, or texts and their entities,
/// which become words with IOB2 tags (Tjong Kim Sang and Veenstra, 1999).
pub fn labelled_tokens(table: impl Borrow<Table>, columns: &TokenColumns) -> Result<TokenDataset, TextError> {
    from_table(table.borrow(), columns, TagNeed::Required)
}

/// Sentences to predict from any table: lists of words, or texts, which are cut by [`words_of`]. Tags are kept where there are any, and a
/// text without a word is told in a notice, so that every row gets its prediction.
pub fn unlabelled_tokens(table: impl Borrow<Table>, columns: &TokenColumns) -> Result<TokenDataset, TextError> {
    from_table(table.borrow(), columns, TagNeed::Optional)
}

/// Whether the words of a table stand in lists: in the column of this name, or in one that is named as such columns are.
pub fn holds_word_lists(table: &Table, column: Option<&str>) -> bool {
    match column {
        Some(name) => {
            let first = table.position(name).and_then(|position| table.rows.first().map(|row| &row.cells[position]));
            matches!(first, Some(Cell::Json(value)) if value.is_array())
        }
        None => columns::has(table, Role::Tokens),
    }
}

/// Reads text that is in memory already; `source` is what messages call it.
fn parse(
    source: &Path,
    text: &str,
    format: TokenFormat,
    columns: &TokenColumns,
    need: TagNeed,
) -> Result<TokenDataset, TextError> {
    match format {
        TokenFormat::Table(format) => from_table(&readers::parse(source, text, format)?, columns, need),
        TokenFormat::Conll => {
            let examples = conll::read(source, text, need)?;
            let notices = tags::notices(source, &examples).into_iter().collect();
            Ok(TokenDataset { source: source.to_owned(), examples, notices })
        }
    }
}

fn from_table(table: &Table, columns: &TokenColumns, need: TagNeed) -> Result<TokenDataset, TextError> {
    let mut problems = Problems::new(&table.source);
    let mut notices = table.notices.clone();
    let Some(positions) = columns::choose(table, columns, need, &mut problems, &mut notices) else {
        return Err(TextError::Data(problems));
    };
    let mut told = Vec::new();
    let examples = match positions {
        TokenPositions::Lists { tokens, tags } => lists::examples(table, (tokens, tags), need, &mut problems),
        TokenPositions::Text { text, entities } => {
            let (examples, split) = entities::examples(table, (text, entities), need, &mut problems);
            told.extend(split.notice(&table.source));
            examples
        }
    };
    problems.check()?;
    notices.extend(told);
    notices.extend(tags::wordless_notice(&table.source, &examples));
    notices.extend(tags::notices(&table.source, &examples));
    Ok(TokenDataset { source: table.source.clone(), examples, notices })
}

/// A problem of one line.
fn at(line: usize, problem: TokenProblem) -> Problem {
    Problem::Tokens { line: Some(line), problem }
}
