//! Looks answers up in their texts. Knows nothing of how files hold them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::problem::QuestionProblem;
use super::{Answer, AnswerNeed};
use crate::dataset::described;

/// A text with the byte where each of its characters begins.
pub(super) struct Context {
    pub text: Arc<str>,
    starts: Vec<usize>,
}

impl Context {
    pub fn new(text: &str) -> Context {
        Context { text: text.into(), starts: text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect() }
    }

    fn characters(&self) -> usize {
        self.starts.len() - 1
    }

    /// The passage at this character, or what is wrong with it.
    fn answer(&self, text: &str, start: u64) -> Result<Answer, QuestionProblem> {
        let answer = || text.to_owned();
        let Some(from) = usize::try_from(start).ok().filter(|&from| from < self.characters()) else {
            let occurs = self.occurrences(text);
            return Err(QuestionProblem::Beyond { answer: answer(), start, characters: self.characters(), occurs });
        };
        let to = (from + text.chars().count()).min(self.characters());
        let bytes = (self.starts[from], self.starts[to]);
        let found = &self.text[bytes.0..bytes.1];
        if found != text {
            let occurs = self.occurrences(text);
            return Err(QuestionProblem::Misplaced { answer: answer(), start: from, found: found.to_owned(), occurs });
        }
        Ok(Answer { text: answer(), characters: (from, to), bytes })
    }

    /// The characters where a text begins.
    fn occurrences(&self, text: &str) -> Vec<usize> {
        let places = self.text.match_indices(text);
        places.map(|(byte, _)| self.starts.partition_point(|&start| start < byte)).collect()
    }
}

/// The answers that a question's fields give: the list of SQuAD, or the two lists of a flat row.
pub(super) fn answers(
    fields: &Map<String, Value>,
    context: &Context,
    need: AnswerNeed,
) -> Result<Vec<Answer>, Vec<QuestionProblem>> {
    let impossible = match fields.get("is_impossible") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(impossible)) => Some(*impossible),
        Some(other) => {
            let found = described_value(Some(other));
            return Err(vec![QuestionProblem::Part { place: "\"is_impossible\"".to_owned(), found, accepted: "true or false" }]);
        }
    };
    let written = match fields.get("answers") {
        None | Some(Value::Null) if impossible == Some(true) || need == AnswerNeed::Optional => return Ok(Vec::new()),
        value => written(value).map_err(|problem| vec![problem])?,
    };
    match impossible {
        Some(true) if !written.is_empty() => return Err(vec![QuestionProblem::Impossible { answers: written.len() }]),
        Some(false) if written.is_empty() && need == AnswerNeed::Required => return Err(vec![QuestionProblem::NoAnswer]),
        _ => {}
    }
    let mut found = Vec::with_capacity(written.len());
    let mut problems = Vec::new();
    for (index, (text, start)) in written.into_iter().enumerate() {
        match checked(index, text, start).and_then(|(text, start)| context.answer(text, start)) {
            Ok(answer) => found.push(answer),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// An answer's text and start as they are written.
type Written<'a> = (Option<&'a Value>, Option<&'a Value>);

fn written(value: Option<&Value>) -> Result<Vec<Written<'_>>, QuestionProblem> {
    let refuse = |place: &str, value: Option<&Value>, accepted| QuestionProblem::Part {
        place: place.to_owned(),
        found: described_value(value),
        accepted,
    };
    match value {
        Some(Value::Array(items)) => {
            let object = |(index, item): (usize, &'_ Value)| match item {
                Value::Object(_) => Ok(()),
                other => Err(refuse(
                    &format!("item {} of \"answers\"", index + 1),
                    Some(other),
                    "an object with text and answer_start",
                )),
            };
            items.iter().enumerate().try_for_each(object)?;
            Ok(items.iter().map(|item| (item.get("text"), item.get("answer_start"))).collect())
        }
        Some(Value::Object(lists)) => {
            let list = |key: &str| match lists.get(key) {
                Some(Value::Array(items)) => Ok(items),
                other => Err(refuse(&format!("\"{key}\" of \"answers\""), other, "a list")),
            };
            let (texts, starts) = (list("text")?, list("answer_start")?);
            if texts.len() != starts.len() {
                return Err(QuestionProblem::StartCount { texts: texts.len(), starts: starts.len() });
            }
            Ok(texts.iter().map(Some).zip(starts.iter().map(Some)).collect())
        }
        other => Err(refuse("\"answers\"", other, "a list of objects, or an object of the lists text and answer_start,")),
    }
}

fn checked<'a>(index: usize, text: Option<&'a Value>, start: Option<&Value>) -> Result<(&'a str, u64), QuestionProblem> {
    let place = |part: &str| format!("the {part} of answer {}", index + 1);
    let text = match text {
        Some(Value::String(text)) if text.is_empty() => return Err(QuestionProblem::Empty { place: place("text") }),
        Some(Value::String(text)) => text,
        other => {
            let found = described_value(other);
            return Err(QuestionProblem::Part { place: place("text"), found, accepted: "a string" });
        }
    };
    match start.and_then(Value::as_u64) {
        Some(start) => Ok((text, start)),
        None => {
            let found = described_value(start);
            Err(QuestionProblem::Part { place: place("answer_start"), found, accepted: "a whole number of characters, from 0," })
        }
    }
}

pub(super) fn described_value(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(Value::String(_)) => "a string".to_owned(),
        Some(other) => described(other),
    }
}
