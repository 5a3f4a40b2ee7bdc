//! Conversations in the cells of a table: lists of messages, each an object with a role and a content. Knows no template and no tokens.

use serde_json::Value;

use crate::columns::{Role, folded_position, named};
use crate::dataset::described;
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Cell, Table, TextError};

/// Names of a column that holds a conversation.
const NAMES: [&str; 2] = ["messages", "conversation"];
/// Whose messages are learnt and written.
const ASSISTANT: &str = "assistant";

/// What is wrong with the messages of a conversation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum MessageProblem {
    #[error("{} holds {found} where a list of messages is needed", quoted(column))]
    NotAList { column: String, found: String },
    #[error("message {message} is {found}; accepted: an object with the texts \"role\" and \"content\"")]
    NoObject { message: usize, found: String },
    #[error("message {message} has no text as its {key:?}")]
    NoText { message: usize, key: &'static str },
    #[error("no message has the role \"assistant\", so there is nothing to learn; fill one in or drop the row")]
    NobodyAnswers,
    #[error("the list has no message; fill one in or drop the row")]
    NobodySpeaks,
    #[error("the last message is the assistant's, so that nothing is to be answered; leave it out")]
    AnsweredAlready,
}

/// The conversations of a table that wait for an answer: those in the column of this name, or of a name that conversations usually have.
/// None where no such column holds lists.
///
/// # Errors
/// If the column that is named is not there, or a row holds something else, nothing, or a conversation that ends with an answer.
pub fn open_conversations(table: &Table, column: Option<&str>) -> Result<Option<Vec<Vec<Value>>>, TextError> {
    let mut problems = Problems::new(&table.source);
    let column = match column {
        Some(name) => named(table, Role::LanguageText, name, &mut problems).filter(|column| holds_lists(table, *column)),
        None => columns_of_conversations(table).first().copied(),
    };
    let Some(column) = column else { return problems.check().map(|()| None) };
    let mut conversations = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let open = messages(&table.columns[column], &row.cells[column]).and_then(|messages| match messages.last() {
            Some(last) if last["role"] == ASSISTANT => Err(MessageProblem::AnsweredAlready),
            Some(_) => Ok(messages),
            None => Err(MessageProblem::NobodySpeaks),
        });
        match open {
            Ok(messages) => conversations.push(messages),
            Err(problem) => problems.add(Problem::Messages { line: row.line, problem }),
        }
    }
    problems.check().map(|()| Some(conversations))
}

/// The columns with names that conversations usually have, which hold lists.
pub(super) fn columns_of_conversations(table: &Table) -> Vec<usize> {
    let columns = NAMES.iter().filter_map(|name| folded_position(table, name));
    columns.filter(|column| holds_lists(table, *column)).collect()
}

/// Whether the first cell of a column is a list.
pub(super) fn holds_lists(table: &Table, column: usize) -> bool {
    table.rows.first().is_some_and(|row| matches!(&row.cells[column], Cell::Json(value) if value.is_array()))
}

/// The messages in a cell, one of which at least is an answer.
pub(super) fn answered_messages(column: &str, cell: &Cell) -> Result<Vec<Value>, MessageProblem> {
    let messages = messages(column, cell)?;
    match messages.iter().any(|message| message["role"] == ASSISTANT) {
        true => Ok(messages),
        false => Err(MessageProblem::NobodyAnswers),
    }
}

/// The messages in a cell.
fn messages(column: &str, cell: &Cell) -> Result<Vec<Value>, MessageProblem> {
    let messages = match cell {
        Cell::Json(Value::Array(messages)) => messages,
        other => {
            let found = match other {
                Cell::Absent => "nothing".to_owned(),
                Cell::Text(_) => "a text".to_owned(),
                Cell::Json(value) => described(value),
            };
            return Err(MessageProblem::NotAList { column: column.to_owned(), found });
        }
    };
    for (message, place) in messages.iter().zip(1..) {
        if !message.is_object() {
            return Err(MessageProblem::NoObject { message: place, found: described(message) });
        }
        for key in ["role", "content"] {
            if !message[key].is_string() {
                return Err(MessageProblem::NoText { message: place, key });
            }
        }
    }
    Ok(messages.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::read_table;

    fn read(lines: &str, column: Option<&str>) -> Result<Option<Vec<Vec<Value>>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chats.jsonl");
        std::fs::write(&path, lines).unwrap();
        let table = read_table(&path, None).unwrap();
        open_conversations(&table, column).map_err(|error| error.to_string().replace(&*path.to_string_lossy(), "FILE"))
    }

    #[test]
    fn lists_of_messages_are_found_by_name_or_where_they_are_said_to_be() {
        let said = r#"[{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}]"#;
        let expected: Vec<Value> = serde_json::from_str(said).unwrap();
        for (key, column) in [("messages", None), ("Conversation", None), ("talk", Some("talk"))] {
            let found = read(&format!("{{\"{key}\": {said}}}\n"), column).unwrap();
            assert_eq!(found, Some(vec![expected.clone()]), "{key}");
        }
        assert_eq!(read("{\"messages\": \"a text\"}\n", None).unwrap(), None);
        assert_eq!(read("{\"prompt\": \"a text\"}\n", None).unwrap(), None);
        assert_eq!(read("{\"prompt\": \"a text\"}\n", Some("prompt")).unwrap(), None);
    }

    #[test]
    fn what_waits_for_no_answer_is_told_by_line() {
        let answered = r#"{"messages": [{"role": "assistant", "content": "Hello"}]}"#;
        let told = read(&format!("{answered}\n{{\"messages\": []}}\n{{\"messages\": [3]}}\n"), None).unwrap_err();
        assert!(told.contains("FILE:1: the last message is the assistant's"), "{told}");
        assert!(told.contains("FILE:2: the list has no message"), "{told}");
        assert!(told.contains("FILE:3: message 1 is"), "{told}");
        assert!(read("{\"messages\": []}\n", Some("nosuch")).unwrap_err().contains("nosuch"));
    }
}
