//! A question a row: `context`, `question` and `answers`, as the hub's copies of SQuAD have it.
//! Knows nothing of how answers are looked up.

use serde_json::{Map, Value};

use super::answers::{Context, answers};
use super::{AnswerNeed, QuestionColumns, QuestionExample};
use crate::columns::{Role, folded_position, named, one_of};
use crate::dataset::required_text;
use crate::problem::{Problem, Problems};
use crate::{Cell, Row, Table};

/// All questions of the table.
pub(super) fn examples(
    table: &Table,
    columns: &QuestionColumns,
    need: AnswerNeed,
    problems: &mut Problems,
) -> Vec<QuestionExample> {
    let mut position = |role: Role, asked: Option<&str>| {
        if let Some(name) = asked {
            return named(table, role, name, problems);
        }
        let found = role.names().iter().filter_map(|name| folded_position(table, name)).collect();
        one_of(table, role, found, role.names(), problems)
    };
    let (context, question) =
        (position(Role::Context, columns.context.as_deref()), position(Role::Question, columns.question.as_deref()));
    let (Some(context), Some(question)) = (context, question) else { return Vec::new() };
    let example = |row: &Row| example(table, row, (context, question), need, problems);
    table.rows.iter().filter_map(example).collect()
}

fn example(
    table: &Table,
    row: &Row,
    (context, question): (usize, usize),
    need: AnswerNeed,
    problems: &mut Problems,
) -> Option<QuestionExample> {
    let id = match table.position("id").map(|position| row.cells[position].written().trim().to_owned()) {
        Some(id) if !id.is_empty() => id,
        _ => row.line.to_string(),
    };
    let context = Context::new(&required_text(table, row, context, problems));
    let question = required_text(table, row, question, problems);
    let field = |name: &str| match &row.cells[table.position(name)?] {
        Cell::Absent => None,
        Cell::Json(value) => Some((name.to_owned(), value.clone())),
        // An empty field of a csv says as little as one that is not there.
        Cell::Text(text) if text.trim().is_empty() => None,
        Cell::Text(text) => Some((name.to_owned(), Value::String(text.clone()))),
    };
    let fields: Map<String, Value> = ["answers", "is_impossible"].into_iter().filter_map(field).collect();
    match answers(&fields, &context, need) {
        Ok(answers) => Some(QuestionExample { id, context: context.text, question, answers, line: Some(row.line) }),
        Err(found) => {
            for problem in found {
                problems.add(Problem::Question { line: Some(row.line), id: Some(id.clone()), problem });
            }
            None
        }
    }
}
