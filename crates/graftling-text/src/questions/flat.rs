//! A question a row: `context`, `question` and `answers`, as the hub's copies of SQuAD have it.
//! Knows nothing of how answers are looked up.

use serde_json::{Map, Value};

use super::answers::{Context, answers};
use super::{AnswerNeed, QuestionColumns, QuestionExample};
use crate::columns::{Role, folded_position, named, one_of, refuse_double_use};
use crate::dataset::required_text;
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Cell, Row, Table};

/// All questions of the table, and what a person should know of its columns.
pub(super) fn examples(
    table: &Table,
    columns: &QuestionColumns,
    need: AnswerNeed,
    problems: &mut Problems,
) -> (Vec<QuestionExample>, Vec<String>) {
    let mut position = |role: Role, asked: Option<&str>| {
        if let Some(name) = asked {
            return named(table, role, name, problems);
        }
        let found = role.names().iter().filter_map(|name| folded_position(table, name)).collect();
        one_of(table, role, found, role.names(), problems)
    };
    let (context, question) =
        (position(Role::Context, columns.context.as_deref()), position(Role::Question, columns.question.as_deref()));
    // Rows may also say that there is no answer, or are yet to be answered.
    let needs_none = need == AnswerNeed::Optional || table.position("is_impossible").is_some();
    let answers = match columns.answers.as_deref() {
        None if needs_none => Some(folded_position(table, Role::Answers.names()[0])),
        asked => position(Role::Answers, asked).map(Some),
    };
    let (Some(context), Some(question), Some(answers)) = (context, question, answers) else { return Default::default() };
    let uses = [(Role::Question, Some(question)), (Role::Context, Some(context)), (Role::Answers, answers)];
    refuse_double_use(table, &uses, problems);
    let chosen = Chosen { context, question, answers };
    let told = [(Role::Question, &columns.question, Some(question)), (Role::Context, &columns.context, Some(context))];
    let told = told.into_iter().chain([(Role::Answers, &columns.answers, answers)]);
    let told: Vec<String> = told
        .filter(|(_, asked, _)| asked.is_none())
        .filter_map(|(role, _, position)| Some(format!("{} from column {}", role.plural(), quoted(&table.columns[position?]))))
        .collect();
    let found = format!("{}: {} (found by name)", table.source.display(), told.join(", "));
    let examples = table.rows.iter().filter_map(|row| example(table, row, &chosen, need, problems)).collect();
    (examples, if told.is_empty() { Vec::new() } else { vec![found] })
}

/// Where the columns stand.
struct Chosen {
    context: usize,
    question: usize,
    answers: Option<usize>,
}

/// What a field of a csv says: JSON, or true or false in any letters; anything else stays a string.
fn from_text(text: &str) -> Value {
    let folded = text.trim().to_lowercase();
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if folded == "true" || folded == "false" => Value::Bool(folded == "true"),
        Err(_) => Value::String(text.to_owned()),
    }
}

fn example(table: &Table, row: &Row, chosen: &Chosen, need: AnswerNeed, problems: &mut Problems) -> Option<QuestionExample> {
    let id = match table.position("id").map(|position| row.cells[position].written().trim().to_owned()) {
        Some(id) if !id.is_empty() => id,
        _ => row.line.to_string(),
    };
    let context = Context::new(&required_text(table, row, chosen.context, problems));
    let question = required_text(table, row, chosen.question, problems);
    let field = |(name, position): (&str, Option<usize>)| match &row.cells[position?] {
        Cell::Absent => None,
        Cell::Json(value) => Some((name.to_owned(), value.clone())),
        // An empty field of a csv says as little as one that is not there.
        Cell::Text(text) if text.trim().is_empty() => None,
        Cell::Text(text) => Some((name.to_owned(), from_text(text))),
    };
    let fields = [("answers", chosen.answers), ("is_impossible", table.position("is_impossible"))];
    let fields: Map<String, Value> = fields.into_iter().filter_map(field).collect();
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
