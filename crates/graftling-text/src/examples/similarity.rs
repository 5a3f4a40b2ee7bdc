//! Pairs of texts with a score of how alike they are, and triplets of which two are alike.
//! Knows nothing of files and formats.

use std::borrow::Borrow;

use super::{Examples, SameText};
use crate::columns::{Columns, Role, folded_position, named, one_of};
use crate::dataset::{numbered, required_text};
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Dataset, Table, TextError};

/// Two texts and how alike they are.
#[derive(Clone, Debug, PartialEq)]
pub struct SimilarityExample {
    /// The first text.
    pub first: String,
    /// The second text.
    pub second: String,
    /// How alike they are, on the scale of the file.
    pub score: f32,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

/// A text, one that is like it, and one that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TripletExample {
    /// The text to compare with.
    pub anchor: String,
    /// The text that is like it.
    pub positive: String,
    /// The text that is not.
    pub negative: String,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

/// The names of the columns of triplets; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TripletColumns {
    /// The column of the text to compare with.
    pub anchor: Option<String>,
    /// The column of the text that is like it.
    pub positive: Option<String>,
    /// The column of the text that is not.
    pub negative: Option<String>,
}

impl SameText for SimilarityExample {
    fn texts(&self) -> Vec<&str> {
        vec![self.first.trim(), self.second.trim()]
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

impl SameText for TripletExample {
    fn texts(&self) -> Vec<&str> {
        vec![self.anchor.trim(), self.positive.trim(), self.negative.trim()]
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

/// Pairs of texts that each have one number as their score. Everything that is wrong with the rows is told in one error. Takes the
/// table or a reference to it.
pub fn labelled_similarities(table: impl Borrow<Table>, columns: &Columns) -> Result<Examples<SimilarityExample>, TextError> {
    let table = table.borrow();
    let Dataset { source, examples, notices, .. } = numbered(table, columns)?;
    let mut problems = Problems::new(&source);
    let mut pairs = Vec::with_capacity(examples.len());
    for example in examples {
        match (example.text_pair, example.label.as_deref().unwrap_or_default()) {
            (Some(second), &[score]) => {
                pairs.push(SimilarityExample { first: example.text, second, score, line: example.line });
            }
            (None, _) => {
                problems.add(Problem::ColumnNotFound { role: Role::TextPair, columns: table.columns.clone(), near: None });
                break;
            }
            (Some(_), numbers) => problems.add(Problem::ManyScores { line: example.line, found: numbers.len() }),
        }
    }
    problems.check()?;
    Ok(Examples { source, examples: pairs, notices })
}

/// Triplets from the columns `anchor`, `positive` and `negative`. Everything that is wrong with the rows is told in one error.
pub fn triplets(table: impl Borrow<Table>, columns: &TripletColumns) -> Result<Examples<TripletExample>, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    let mut told = Vec::new();
    let mut position = |role: Role, asked: Option<&str>| match asked {
        Some(name) => named(table, role, name, &mut problems),
        None => {
            let found = role.names().iter().filter_map(|name| folded_position(table, name)).collect();
            let position = one_of(table, role, found, role.names(), &mut problems)?;
            told.push(format!("{role} from column {}", quoted(&table.columns[position])));
            Some(position)
        }
    };
    let anchor = position(Role::Anchor, columns.anchor.as_deref());
    let positive = position(Role::Positive, columns.positive.as_deref());
    let negative = position(Role::Negative, columns.negative.as_deref());
    let (Some(anchor), Some(positive), Some(negative)) = (anchor, positive, negative) else {
        return Err(TextError::Data(problems));
    };
    for (first, second, roles) in [
        (anchor, positive, (Role::Anchor, Role::Positive)),
        (anchor, negative, (Role::Anchor, Role::Negative)),
        (positive, negative, (Role::Positive, Role::Negative)),
    ] {
        if first == second {
            problems.add(Problem::ColumnTwice { name: table.columns[first].clone(), first: roles.0, second: roles.1 });
        }
    }
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut text = |position| required_text(table, row, position, &mut problems);
        let (anchor, positive, negative) = (text(anchor), text(positive), text(negative));
        examples.push(TripletExample { anchor, positive, negative, line: row.line });
    }
    problems.check()?;
    let mut notices = table.notices.clone();
    if !told.is_empty() {
        notices.push(format!("{}: {} (found by name)", table.source.display(), told.join(", ")));
    }
    Ok(Examples { source: table.source.clone(), examples, notices })
}
