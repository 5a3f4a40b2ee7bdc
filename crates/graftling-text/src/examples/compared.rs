//! Texts that are compared with each other: pairs with or without a score, and triplets, whichever a table holds.
//! Knows nothing of files and formats.

use std::borrow::Borrow;

use super::{Examples, SameText, TripletColumns, labelled_similarities, triplets};
use crate::columns::{Columns, LabelNeed, Role, choose, folded_position};
use crate::dataset::required_text;
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Table, TextError};

/// Texts that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedTexts {
    /// A text and one that it is compared with; in a triplet these two are alike, and the third is not like the first.
    pub texts: Vec<String>,
    /// How alike two texts are, on the scale of the file; without a score they are alike.
    pub score: Option<f32>,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

impl SameText for ComparedTexts {
    fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text.trim()).collect()
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

/// Triplets where there is a column of negatives, pairs with scores where there is a column of scores, and otherwise pairs of texts that
/// are alike. A column that is named as the label holds scores. The columns `anchor` and `positive` are a pair, too. Takes the table or
/// a reference to it.
pub fn compared_texts(table: impl Borrow<Table>, columns: &Columns) -> Result<Examples<ComparedTexts>, TextError> {
    let table = table.borrow();
    let found = |role: Role| role.names().iter().any(|name| folded_position(table, name).is_some());
    if columns.label.is_none() && found(Role::Negative) {
        let asked = TripletColumns { anchor: columns.text.clone(), positive: columns.text_pair.clone(), negative: None };
        let Examples { source, examples, notices } = triplets(table, &asked)?;
        let triplet = |triplet: super::TripletExample| ComparedTexts {
            texts: vec![triplet.anchor, triplet.positive, triplet.negative],
            score: None,
            line: triplet.line,
        };
        return Ok(Examples { source, examples: examples.into_iter().map(triplet).collect(), notices });
    }
    let (columns, told) = with_anchor(table, columns);
    let mut compared = match columns.label.is_some() || found(Role::Label) {
        true => scored(table, &columns)?,
        false => alike(table, &columns)?,
    };
    compared.notices.extend(told);
    Ok(compared)
}

fn scored(table: &Table, columns: &Columns) -> Result<Examples<ComparedTexts>, TextError> {
    let Examples { source, examples, notices } = labelled_similarities(table, columns)?;
    let pair = |pair: super::SimilarityExample| ComparedTexts {
        texts: vec![pair.first, pair.second],
        score: Some(pair.score),
        line: pair.line,
    };
    Ok(Examples { source, examples: examples.into_iter().map(pair).collect(), notices })
}

fn alike(table: &Table, columns: &Columns) -> Result<Examples<ComparedTexts>, TextError> {
    let mut problems = Problems::new(&table.source);
    let mut notices = table.notices.clone();
    let positions = choose(table, columns, LabelNeed::Optional, &mut problems, &mut notices);
    let Some(positions) = positions else { return Err(TextError::Data(problems)) };
    let Some(second) = positions.text_pair else {
        problems.add(Problem::ColumnNotFound { role: Role::TextPair, columns: table.columns.clone(), near: None });
        return Err(TextError::Data(problems));
    };
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let texts = [positions.text, second].map(|position| required_text(table, row, position, &mut problems));
        examples.push(ComparedTexts { texts: texts.to_vec(), score: None, line: row.line });
    }
    problems.check()?;
    Ok(Examples { source: table.source.clone(), examples, notices })
}

/// The columns of a pair under the names that triplets have, where none are named; and what to tell of it.
fn with_anchor(table: &Table, columns: &Columns) -> (Columns, Option<String>) {
    let name = |role: Role| {
        let position = role.names().iter().find_map(|name| folded_position(table, name))?;
        Some(table.columns[position].clone())
    };
    match (&columns.text, &columns.text_pair, name(Role::Anchor), name(Role::Positive)) {
        (None, None, Some(anchor), Some(positive)) => {
            let (from, and) = (quoted(&anchor), quoted(&positive));
            let told =
                format!("{}: anchor from column {from}, positive from column {and} (found by name)", table.source.display());
            (Columns { text: Some(anchor), text_pair: Some(positive), label: columns.label.clone() }, Some(told))
        }
        _ => (columns.clone(), None),
    }
}
