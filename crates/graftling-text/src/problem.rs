//! What can be wrong with the rows and columns of one file, gathered so that all of it is told at once.
//! Knows nothing of how the problems are found.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::path::{Path, PathBuf};

use crate::TextError;
use crate::columns::Role;
use crate::dataset::LARGEST_NUMBER;
use crate::examples::{MessageProblem, TranslationProblem};
use crate::questions::QuestionProblem;
use crate::token_dataset::TokenProblem;
use crate::wording::{counted, did_you_mean, plain_list, quoted, quoted_list, separated, shortened};

/// How many problems of one kind are told one by one; the others are counted.
const SHOWN: usize = 5;
/// Of how many others the lines are told.
const LINES: usize = 10;

/// One thing that is wrong with a file of examples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    /// A row has more or fewer fields than the header.
    FieldCount { line: usize, found: usize, expected: usize },
    /// A quoted field never ends.
    UnclosedQuote { line: usize },
    /// A quote inside a quoted field is not doubled.
    StrayQuote { line: usize },
    /// Two columns have one name.
    DuplicateColumn { name: String },
    /// A line is not JSON.
    NotJson { line: usize, column: usize, reason: String },
    /// An object has a key twice.
    RepeatedKey { line: usize, key: String },
    /// A line is JSON, but not an object.
    NotAnObject { line: usize, found: &'static str },
    /// A column that was asked for is not there.
    NoSuchColumn { role: Role, name: String, columns: Vec<String>, near: Option<String> },
    /// No column has one of the names that are looked for.
    ColumnNotFound { role: Role, columns: Vec<String>, near: Option<String> },
    /// Several columns have names that are looked for.
    ColumnUnclear { role: Role, found: Vec<String> },
    /// One column was asked for in two roles.
    ColumnTwice { name: String, first: Role, second: Role },
    /// A row has no value in a column that is needed.
    NoValue { line: usize, column: String },
    /// A text is empty or only white space.
    EmptyText { line: usize, column: String },
    /// A template makes an empty text of a row.
    NothingFilled { line: usize },
    /// A value is not a string where a text is needed.
    NotText { line: usize, column: String, found: String },
    /// A label is empty or only white space.
    EmptyLabel { line: usize, column: String },
    /// A label is a list.
    LabelList { line: usize, column: String, found: String },
    /// A label is no list of names.
    NoListOfNames { line: usize, column: String, found: String },
    /// No row has any label.
    NoLabelAnywhere { column: String, rows: usize },
    /// A label is no number and no list of numbers.
    NotNumbers { line: usize, column: String, found: String },
    /// A number is so large that its square is infinite.
    NumberTooLarge { line: usize, column: String, found: String },
    /// A list of numbers is shorter or longer than the first one.
    OtherCountOfNumbers { line: usize, column: String, found: usize, expected: usize, first_line: usize },
    /// A label is an object.
    LabelObject { line: usize, column: String },
    /// Labels are of different JSON types.
    MixedLabels { column: String, first: LabelKindAt, second: LabelKindAt },
    /// A label is a number that is not whole.
    FractionLabel { line: usize, column: String, label: String },
    /// The labels are whole numbers, but too many different ones to be classes.
    ManyNumbers { column: String, distinct: usize, rows: usize },
    /// All labels are the same.
    OneClass { label: String, rows: usize },
    /// A label is none of those that the model tells apart.
    UnknownLabel { line: usize, label: String, accepted: Vec<String>, near: Option<String> },
    /// A pair has several scores.
    ManyScores { line: usize, found: usize },
    /// A column of lists and one of texts were both asked for.
    TokenLayouts { list: String, text: String },
    /// Words, tags or entities are wrong.
    Tokens { line: Option<usize>, problem: TokenProblem },
    /// The messages of a conversation are wrong.
    Messages { line: usize, problem: MessageProblem },
    /// An object of translations is wrong.
    Translation { line: usize, problem: TranslationProblem },
    /// Nobody said which of the languages is translated into which.
    LanguagesUnclear { found: Vec<String> },
    /// No column is called as a language that was named.
    NoColumnOfLanguage { role: Role, language: String, columns: Vec<String> },
    /// A question or its answers are wrong.
    Question { line: Option<usize>, id: Option<String>, problem: QuestionProblem },
}

/// A label and its JSON type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelKindAt {
    /// The line of the file.
    pub line: usize,
    /// `a string`, `a number` or `true or false`.
    pub kind: &'static str,
    /// The label as it is written.
    pub label: String,
}

/// Everything that is wrong with one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Problems {
    /// The file.
    pub path: PathBuf,
    /// How many there are in all.
    pub total: usize,
    /// The first of each kind, in their order, each with the number of its kind.
    shown: Vec<(usize, Problem)>,
    kinds: Vec<Alike>,
}

/// What tells kinds of problems apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kind(Discriminant<Problem>, Option<Discriminant<TokenProblem>>, Option<Discriminant<QuestionProblem>>);

/// The problems of one kind.
#[derive(Clone, Debug, PartialEq)]
struct Alike {
    kind: Kind,
    count: usize,
    /// The lines of the first of those that are not shown.
    lines: Vec<usize>,
}

impl Problems {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), total: 0, shown: Vec::new(), kinds: Vec::new() }
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        self.add_with((problem.kind(), problem.line()), || problem);
    }

    /// Adds a problem of a kind and a line that takes time to describe: only those that are told are made.
    pub(crate) fn add_with(&mut self, (kind, line): (Kind, Option<usize>), problem: impl FnOnce() -> Problem) {
        self.total += 1;
        let place = self.kinds.iter().position(|alike| alike.kind == kind).unwrap_or_else(|| {
            self.kinds.push(Alike { kind, count: 0, lines: Vec::new() });
            self.kinds.len() - 1
        });
        let alike = &mut self.kinds[place];
        alike.count += 1;
        if alike.count <= SHOWN {
            self.shown.push((place, problem()));
        } else if alike.lines.len() < LINES {
            alike.lines.extend(line);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// An error that tells all of them, where there are any.
    pub(crate) fn check(self) -> Result<(), TextError> {
        if self.is_empty() { Ok(()) } else { Err(TextError::Data(self)) }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let place = |problem: &Problem| match problem.line() {
            Some(line) => format!("{path}:{line}"),
            None => path.to_string(),
        };
        if let (1, [(_, problem)]) = (self.total, self.shown.as_slice()) {
            return write!(formatter, "{}: {problem}", place(problem));
        }
        write!(formatter, "{} in {path}", counted(self.total, "problem", "problems"))?;
        let mut told = vec![0; self.kinds.len()];
        for (kind, problem) in &self.shown {
            write!(formatter, "\n  {}: {problem}", place(problem))?;
            told[*kind] += 1;
            if told[*kind] == SHOWN && self.kinds[*kind].count > SHOWN {
                write!(formatter, "\n  {}", self.kinds[*kind])?;
            }
        }
        Ok(())
    }
}

/// `and 3 more like it (lines 7, 8, 11)`.
impl fmt::Display for Alike {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = self.count - SHOWN;
        write!(formatter, "and {} more like it", separated(others))?;
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = self.lines.iter().map(usize::to_string).collect();
        let (word, more) = (if lines.len() == 1 { "line" } else { "lines" }, if others > lines.len() { ", ..." } else { "" });
        write!(formatter, " ({word} {}{more})", lines.join(", "))
    }
}

impl Kind {
    /// That of labels which a model does not tell apart.
    pub(crate) fn of_unknown_labels() -> Self {
        Problem::UnknownLabel { line: 0, label: String::new(), accepted: Vec::new(), near: None }.kind()
    }
}

impl Problem {
    fn kind(&self) -> Kind {
        let of_words = if let Self::Tokens { problem, .. } = self { Some(discriminant(problem)) } else { None };
        let of_questions = if let Self::Question { problem, .. } = self { Some(discriminant(problem)) } else { None };
        Kind(discriminant(self), of_words, of_questions)
    }

    /// The line of the file where the problem is, where it is in one.
    fn line(&self) -> Option<usize> {
        match self {
            Self::FieldCount { line, .. }
            | Self::UnclosedQuote { line }
            | Self::StrayQuote { line }
            | Self::NotJson { line, .. }
            | Self::RepeatedKey { line, .. }
            | Self::NotAnObject { line, .. }
            | Self::NoValue { line, .. }
            | Self::EmptyText { line, .. }
            | Self::NothingFilled { line }
            | Self::NotText { line, .. }
            | Self::EmptyLabel { line, .. }
            | Self::LabelList { line, .. }
            | Self::LabelObject { line, .. }
            | Self::NoListOfNames { line, .. }
            | Self::NotNumbers { line, .. }
            | Self::NumberTooLarge { line, .. }
            | Self::OtherCountOfNumbers { line, .. }
            | Self::FractionLabel { line, .. }
            | Self::ManyScores { line, .. }
            | Self::Messages { line, .. }
            | Self::Translation { line, .. }
            | Self::UnknownLabel { line, .. } => Some(*line),
            Self::Tokens { line, .. } | Self::Question { line, .. } => *line,
            Self::DuplicateColumn { .. }
            | Self::NoSuchColumn { .. }
            | Self::ColumnNotFound { .. }
            | Self::ColumnUnclear { .. }
            | Self::ColumnTwice { .. }
            | Self::MixedLabels { .. }
            | Self::NoLabelAnywhere { .. }
            | Self::ManyNumbers { .. }
            | Self::TokenLayouts { .. }
            | Self::LanguagesUnclear { .. }
            | Self::NoColumnOfLanguage { .. }
            | Self::OneClass { .. } => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldCount { found, expected, .. } => {
                let fields = counted(*found, "field", "fields");
                let advice = if found > expected { "; a field that holds a separator must stand in double quotes" } else { "" };
                write!(formatter, "{fields} where the header names {expected}{advice}")
            }
            Self::UnclosedQuote { .. } => {
                formatter.write_str("a quoted field begins here and never ends; close it with a double quote")
            }
            Self::StrayQuote { .. } => {
                formatter.write_str("text after a closing quote; a double quote inside a quoted field must be doubled")
            }
            Self::DuplicateColumn { name } => {
                write!(formatter, "the column {} is there twice; give each column its own name", quoted(name))
            }
            Self::NotJson { column, reason, .. } => {
                write!(formatter, "not JSON at column {column}: {reason}; each line must hold one whole object")
            }
            Self::RepeatedKey { key, .. } => {
                write!(formatter, "the key {} is there twice; each line must name a value once", quoted(key))
            }
            Self::NotAnObject { found, .. } => {
                write!(
                    formatter,
                    "the line holds {found} where an object is needed, a key for each column, such as {{\"text\": \"...\"}}"
                )
            }
            Self::NoSuchColumn { role, name, columns, near } => write!(
                formatter,
                "no column {} for the {role}; the columns are {}{}{}",
                quoted(name),
                quoted_list(columns),
                did_you_mean(near.as_deref()),
                separator_advice(columns)
            ),
            Self::ColumnNotFound { role, columns, near } => {
                let near = near.as_ref().map(|near| format!(", {} for instance", quoted(near))).unwrap_or_default();
                write!(
                    formatter,
                    "no column for the {role}; the columns are {}; looked for {}; name the column with {}{near}{}",
                    quoted_list(columns),
                    role.looked_for(),
                    role.setting(),
                    separator_advice(columns)
                )
            }
            Self::ColumnUnclear { role, found } => {
                write!(formatter, "several columns could be the {role}: {}; name one with {}", quoted_list(found), role.setting())
            }
            Self::ColumnTwice { name, first, second } => {
                write!(formatter, "the column {} cannot be both the {first} and the {second}", quoted(name))
            }
            Self::NoValue { column, .. } => write!(formatter, "no value for {}; fill it in or drop the row", quoted(column)),
            Self::EmptyText { column, .. } => {
                write!(formatter, "the text in {} is empty; fill it in or drop the row", quoted(column))
            }
            Self::NothingFilled { .. } => {
                formatter.write_str("the template makes an empty text of this row; fill in its columns or drop the row")
            }
            Self::NotText { column, found, .. } => {
                write!(formatter, "{} holds {found} where a text is needed; put it in double quotes", quoted(column))
            }
            Self::EmptyLabel { column, .. } => {
                write!(formatter, "the label in {} is empty; fill it in or drop the row", quoted(column))
            }
            Self::LabelList { column, found, .. } => write!(
                formatter,
                "{} holds a list of labels ({found}) where one label is needed; \
                 multi_label_classification takes lists",
                quoted(column)
            ),
            Self::NoListOfNames { column, found, .. } => write!(
                formatter,
                "{} holds {}; accepted: a list of label names, or names with | between them",
                quoted(column),
                shortened(found)
            ),
            Self::NoLabelAnywhere { column, rows } => {
                let rows = if *rows == 1 { "the only row has no".to_owned() } else { format!("none of the {rows} rows has a") };
                write!(formatter, "{rows} label in {}; at least one is needed", quoted(column))
            }
            Self::NotNumbers { column, found, .. } => {
                write!(formatter, "{} holds {}; accepted: a finite number, or a list of such", quoted(column), shortened(found))
            }
            Self::NumberTooLarge { column, found, .. } => write!(
                formatter,
                "{} holds {found}; accepted: numbers from -{LARGEST_NUMBER:e} to {LARGEST_NUMBER:e}, of which squares can be computed; divide all of them by the \
                 same number",
                quoted(column)
            ),
            Self::OtherCountOfNumbers { column, found, expected, first_line, .. } => write!(
                formatter,
                "{} holds {} where line {first_line} has {expected}; every row needs as many",
                quoted(column),
                counted(*found, "number", "numbers")
            ),
            Self::LabelObject { column, .. } => write!(
                formatter,
                "{} holds an object where one label is needed: a name, a whole number, true or false",
                quoted(column)
            ),
            Self::MixedLabels { column, first, second } => write!(
                formatter,
                "the labels in {} mix types: line {} has {} ({}), line {} has {} ({}); write all of them the same way",
                quoted(column),
                first.line,
                first.kind,
                first.label,
                second.line,
                second.kind,
                second.label
            ),
            Self::FractionLabel { column, label, .. } => write!(
                formatter,
                "the label {label} in {} is a number that is not whole, so this looks like regression (the task sequence_regression); \
                 classes must be names or whole numbers",
                quoted(column)
            ),
            Self::ManyNumbers { column, distinct, rows } => write!(
                formatter,
                "{} holds {distinct} different whole numbers in {rows} rows, so this looks like regression (the task sequence_regression); \
                 if they are classes, write them as names, such as \"class_7\"",
                quoted(column)
            ),
            Self::OneClass { label, rows } => write!(
                formatter,
                "{} the label {}; at least two different labels are needed to learn to tell them apart",
                if *rows == 1 { "the only row has".to_owned() } else { format!("all {rows} rows have") },
                quoted(label)
            ),
            Self::UnknownLabel { label, accepted, near, .. } => {
                write!(
                    formatter,
                    "label {} is not one of {}{}",
                    quoted(label),
                    plain_list(accepted),
                    did_you_mean(near.as_deref())
                )
            }
            Self::ManyScores { found, .. } => {
                write!(formatter, "{} where a pair of texts has one score", counted(*found, "number", "numbers"))
            }
            Self::TokenLayouts { list, text } => write!(
                formatter,
                "the columns {} and {} are of different layouts; name a list of words and a list of tags, or a text and its entities",
                quoted(list),
                quoted(text)
            ),
            Self::Tokens { problem, .. } => write!(formatter, "{problem}"),
            Self::Messages { problem, .. } => write!(formatter, "{problem}"),
            Self::Translation { problem, .. } => write!(formatter, "{problem}"),
            Self::LanguagesUnclear { found } => write!(
                formatter,
                "the column \"translation\" holds texts in {}; say which is the source and which the translation with source_language and \
                 target_language",
                plain_list(found)
            ),
            Self::NoColumnOfLanguage { role, language, columns } => write!(
                formatter,
                "no column of the language {} for the {role}; the columns are {}; a column is called as its language is given, or named with {}",
                quoted(language),
                quoted_list(columns),
                role.setting()
            ),
            Self::Question { id: Some(id), problem, .. } => write!(formatter, "question {}: {problem}", quoted(id)),
            Self::Question { id: None, problem, .. } => write!(formatter, "{problem}"),
        }
    }
}

/// What to say when a header was not cut into columns at all.
fn separator_advice(columns: &[String]) -> &'static str {
    match columns {
        [only] if only.contains('\t') => "; the header is separated by tabs: name the file .tsv or give the format tsv",
        [only] if only.contains(';') => "; the header is separated by semicolons: save the file with commas or tabs",
        [only] if only.contains(',') => "; the header is separated by commas: name the file .csv or give the format csv",
        _ => "",
    }
}
