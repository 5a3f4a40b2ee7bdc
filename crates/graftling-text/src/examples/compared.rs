//! Texts that are compared with each other: pairs with or without a score, and triplets, whichever a table holds.
//! Knows nothing of files and formats.

use std::borrow::Borrow;

use super::{Examples, SameText, TripletColumns, labelled_similarities, triplets};
use crate::columns::{Columns, LabelNeed, Role, choose, folded_position};
use crate::dataset::{empty_notice, required_text, text};
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
    if columns.label.is_none() && position(table, Role::Negative).is_some() {
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
    let mut compared = match columns.label.is_some() || position(table, Role::Label).is_some() {
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

/// Whether a table has the columns of pairs or triplets under the names that triplets have, and none is named for its texts.
pub fn holds_comparisons(table: &Table, columns: &Columns) -> bool {
    columns.text.is_none() && columns.text_pair.is_none() && anchored(table).is_some()
}

/// Texts to be compared whose likeness is asked for: triplets where a table [has](holds_comparisons) a column of negatives, and otherwise
/// pairs. Empty texts are told in a notice, so that every row gets its prediction.
pub fn unlabelled_comparisons(table: impl Borrow<Table>) -> Result<Examples<ComparedTexts>, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    let Some([anchor, positive]) = anchored(table) else {
        problems.add(Problem::ColumnNotFound { role: Role::Anchor, columns: table.columns.clone(), near: None });
        return Err(TextError::Data(problems));
    };
    let pair = [(Role::Anchor, anchor), (Role::Positive, positive)];
    let used: Vec<(Role, usize)> =
        pair.into_iter().chain(position(table, Role::Negative).map(|negative| (Role::Negative, negative))).collect();
    let mut examples = Vec::with_capacity(table.rows.len());
    let mut empty_lines = Vec::new();
    for row in &table.rows {
        let texts: Vec<String> = used.iter().map(|(_, position)| text(table, row, *position, &mut problems)).collect();
        if texts.iter().any(|text| text.trim().is_empty()) {
            empty_lines.push(row.line);
        }
        examples.push(ComparedTexts { texts, score: None, line: row.line });
    }
    problems.check()?;
    let notices = table.notices.iter().cloned().chain([found(table, &used)]).chain(empty_notice(table, &empty_lines));
    Ok(Examples { source: table.source.clone(), examples, notices: notices.collect() })
}

/// The columns of a pair under the names that triplets have, where none are named; and what to tell of it.
fn with_anchor(table: &Table, columns: &Columns) -> (Columns, Option<String>) {
    match anchored(table) {
        Some([anchor, positive]) if columns.text.is_none() && columns.text_pair.is_none() => {
            let told = found(table, &[(Role::Anchor, anchor), (Role::Positive, positive)]);
            let name = |position: usize| Some(table.columns[position].clone());
            (Columns { text: name(anchor), text_pair: name(positive), label: columns.label.clone() }, Some(told))
        }
        _ => (columns.clone(), None),
    }
}

/// Where the columns of anchors and positives stand.
fn anchored(table: &Table) -> Option<[usize; 2]> {
    Some([position(table, Role::Anchor)?, position(table, Role::Positive)?])
}

fn position(table: &Table, role: Role) -> Option<usize> {
    role.names().iter().find_map(|name| folded_position(table, name))
}

/// What to tell of columns that were found by name.
fn found(table: &Table, used: &[(Role, usize)]) -> String {
    let each = used.iter().map(|(role, position)| format!("{role} from column {}", quoted(&table.columns[*position])));
    format!("{}: {} (found by name)", table.source.display(), each.collect::<Vec<_>>().join(", "))
}
