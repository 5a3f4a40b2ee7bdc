//! CoNLL files: a word a line, its tag in the last column, a blank line after each sentence.
//! Knows nothing of files' encodings and of what tags mean.

use std::path::Path;

use super::problem::TokenProblem;
use super::{TagNeed, TokenExample, WordOrigin};
use crate::TextError;
use crate::problem::{Problem, Problems};

/// What separates the columns.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Tab,
    Blanks,
}

/// The columns of the first line, which every other line must have, too.
#[derive(Clone, Copy)]
struct Shape {
    columns: usize,
    separator: Separator,
    line: usize,
}

/// Reads sentences. A line that begins with `-DOCSTART-` separates sentences like a blank one; a line that begins with `#` and
/// has no other column is a comment (in a file of words only: one that begins with `#` and a blank).
pub(super) fn read(source: &Path, text: &str, need: TagNeed) -> Result<Vec<TokenExample>, TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty { path: source.to_owned() });
    }
    let mut problems = Problems::new(source);
    let mut examples = Vec::new();
    let shape = shape(text);
    match shape {
        None => problems.add(Problem::Tokens { line: None, problem: TokenProblem::NoSentence }),
        Some(shape) => {
            let mut sentence = Sentence::default();
            for (index, line) in text.split('\n').enumerate() {
                let line = line.trim_end_matches(BLANKS);
                if line.is_empty() || is_document_start(line) {
                    examples.extend(std::mem::take(&mut sentence).ended(shape));
                } else if !is_comment(line, shape) {
                    sentence.take(line, index + 1, shape, &mut problems);
                }
            }
            examples.extend(sentence.ended(shape));
            refuse_shape(shape, &examples, need, &mut problems);
        }
    }
    problems.check().map(|()| examples)
}

/// Blanks that separate columns. Other white space, such as a no-break space, may be a word.
pub(super) const BLANKS: [char; 3] = [' ', '\t', '\r'];

#[derive(Default)]
struct Sentence {
    words: Vec<String>,
    tags: Vec<String>,
    lines: Vec<usize>,
}

impl Sentence {
    fn take(&mut self, written: &str, line: usize, shape: Shape, problems: &mut Problems) {
        let columns = columns(written, shape.separator);
        let mut add = |problem| problems.add(Problem::Tokens { line: Some(line), problem });
        if columns.len() != shape.columns {
            let separator = match shape.separator {
                Separator::Tab => "tabs",
                Separator::Blanks => "blanks",
            };
            add(TokenProblem::Ragged { found: columns.len(), expected: shape.columns, first_line: shape.line, separator });
        }
        let (word, tag) = (columns.first().copied().unwrap_or_default(), columns.last().copied().unwrap_or_default());
        if word.is_empty() {
            add(TokenProblem::EmptyWord { item: None });
        } else if tag.is_empty() {
            add(TokenProblem::EmptyTag { item: None });
        }
        self.words.push(word.to_owned());
        self.tags.push(tag.to_owned());
        self.lines.push(line);
    }

    fn ended(self, shape: Shape) -> Option<TokenExample> {
        let line = *self.lines.first()?;
        let tags = (shape.columns > 1).then_some(self.tags);
        Some(TokenExample { words: self.words, tags, origin: WordOrigin::Lines(self.lines), line })
    }
}

/// The shape that the first line with a word gives the file.
fn shape(text: &str) -> Option<Shape> {
    let separators = |line: &str| if line.contains('\t') { Separator::Tab } else { Separator::Blanks };
    let mut lines = text.split('\n').map(|line| line.trim_end_matches(BLANKS)).enumerate();
    let of = |(index, line): (usize, &str)| {
        let separator = separators(line);
        Shape { columns: columns(line, separator).len(), separator, line: index + 1 }
    };
    let counts = |line: &str| !line.is_empty() && !is_document_start(line);
    // A line that begins with # is no measure for the others: it may be a comment of any number of words.
    let mut marked = None;
    for (index, line) in lines.by_ref().filter(|(_, line)| counts(line)) {
        if !line.starts_with('#') {
            return Some(of((index, line)));
        }
        if marked.is_none() && !line.starts_with("# ") {
            marked = Some((index, line));
        }
    }
    marked.map(of).filter(|shape| shape.columns > 1)
}

fn is_document_start(line: &str) -> bool {
    line.starts_with("-DOCSTART-")
}

fn is_comment(line: &str, shape: Shape) -> bool {
    line.starts_with('#') && if shape.columns == 1 { line.starts_with("# ") } else { columns(line, shape.separator).len() == 1 }
}

fn columns(line: &str, separator: Separator) -> Vec<&str> {
    match separator {
        Separator::Tab => line.split('\t').map(|column| column.trim_matches(BLANKS)).collect(),
        Separator::Blanks => line.split(BLANKS).filter(|column| !column.is_empty()).collect(),
    }
}

/// Shapes that cannot be what is meant, whatever the lines hold.
fn refuse_shape(shape: Shape, examples: &[TokenExample], need: TagNeed, problems: &mut Problems) {
    let first_word = examples.first().and_then(|example| example.words.first()).cloned().unwrap_or_default();
    let numbered =
        |example: &TokenExample| example.words.iter().enumerate().all(|(index, word)| *word == (index + 1).to_string());
    if shape.columns == 10 && examples.iter().all(numbered) {
        problems.add(Problem::Tokens { line: Some(shape.line), problem: TokenProblem::NumberedWords });
    } else if shape.columns == 1 && need == TagNeed::Required {
        problems.add(Problem::Tokens { line: Some(shape.line), problem: TokenProblem::OnlyWords { word: first_word } });
    }
}
