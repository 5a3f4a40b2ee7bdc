//! What can be wrong with a question and its answers, and how it is said. Knows nothing of how it is found.

use std::fmt;

use crate::wording::{counted, quoted};

/// How many places of an answer are told.
const PLACES: usize = 5;

/// One thing that is wrong with a file of questions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum QuestionProblem {
    /// The file is not JSON.
    NotJson { line: usize, column: usize, reason: String },
    /// A part of the file is missing or of the wrong type.
    Part { place: String, found: String, accepted: &'static str },
    /// A column is named for a file that has none.
    NoColumns { setting: &'static str, name: String },
    /// A text or question is empty or only white space.
    Empty { place: String },
    /// There are more or fewer starts than texts.
    StartCount { texts: usize, starts: usize },
    /// An answer does not stand where it is said to.
    Misplaced { answer: String, start: usize, found: String, occurs: Vec<usize> },
    /// An answer begins behind the text.
    Beyond { answer: String, start: u64, characters: usize, occurs: Vec<usize> },
    /// There are answers, but the question is said to have none.
    Impossible { answers: usize },
    /// There is no answer, but the question is said to have one.
    NoAnswer,
    /// Two questions have one id.
    RepeatedId { question: String, first: String },
}

impl fmt::Display for QuestionProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { line, column, reason } => write!(
                formatter,
                "not JSON at line {line}, column {column}: {reason}; a file of one question a line must be named .jsonl"
            ),
            Self::Part { place, found, accepted } => write!(formatter, "{place} is {found} where {accepted} is needed"),
            Self::NoColumns { setting, name } => {
                write!(formatter, "{setting} names {}, but a file in SQuAD's layout has no columns; leave it out", quoted(name))
            }
            Self::Empty { place } => write!(formatter, "{place} is empty; fill it in or drop the question"),
            Self::StartCount { texts, starts } => {
                write!(formatter, "\"answers\" has {} but {starts} in answer_start", counted(*texts, "text", "texts"))
            }
            Self::Misplaced { answer, start, found, occurs } => write!(
                formatter,
                "the answer {} is not at character {start} of the context, where {} stands; {}",
                quoted(answer),
                quoted(found),
                Occurs(occurs)
            ),
            Self::Beyond { answer, start, characters, occurs } => write!(
                formatter,
                "the answer {} cannot be at character {start} of the context, which has {characters}; {}",
                quoted(answer),
                Occurs(occurs)
            ),
            Self::Impossible { answers } => write!(
                formatter,
                "is_impossible is true, but there {} {}; drop what is wrong",
                if *answers == 1 { "is" } else { "are" },
                counted(*answers, "answer", "answers")
            ),
            Self::NoAnswer => formatter
                .write_str("is_impossible is false, but there is no answer; add it or write true where the text has none"),
            Self::RepeatedId { question, first } => {
                write!(formatter, "{} has the id of {}; each question needs its own", quoted(question), quoted(first))
            }
        }
    }
}

/// Where an answer occurs in its text.
struct Occurs<'a>(&'a [usize]);

impl fmt::Display for Occurs<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.0.iter().take(PLACES).map(usize::to_string).collect();
        match self.0.len() {
            0 => formatter.write_str("it does not occur in it"),
            more if more > PLACES => write!(formatter, "it occurs at {} and {} more places", places.join(", "), more - PLACES),
            _ => write!(formatter, "it occurs at {}", places.join(", ")),
        }
    }
}
