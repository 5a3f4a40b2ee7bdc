//! SQuAD's own layout: one JSON object with `data`, `paragraphs` and `qas`. Knows nothing of how answers are looked up.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::answers::{Context, answers, described_value};
use super::problem::QuestionProblem;
use super::{AnswerNeed, QuestionExample};
use crate::problem::{Problem, Problems};

/// The version of SQuAD in which every question has an answer.
const ANSWERED: &str = "1.1";

/// All questions of the file, and what a person should know of it.
pub(super) fn examples(text: &str, need: AnswerNeed, problems: &mut Problems) -> (Vec<QuestionExample>, Vec<String>) {
    let mut reader = Reader { text, lines: OnceCell::new(), need, problems, examples: Vec::new() };
    let mut notices = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Err(error) => {
            let told = error.to_string();
            let reason = told.split(" at line ").next().unwrap_or(&told).to_owned();
            reader.add(None, QuestionProblem::NotJson { line: error.line(), column: error.column(), reason });
        }
        Ok(whole) => {
            for (article, place) in reader.items(whole.get("data"), "\"data\"") {
                for (paragraph, place) in reader.items(article.get("paragraphs"), &format!("{place}.paragraphs")) {
                    reader.paragraph(paragraph, &place);
                }
            }
            notices.extend(reader.version(whole.get("version")));
        }
    }
    (reader.examples, notices)
}

/// The line, from 1, on which each value of a key `id` stands in a text that is JSON; the first of those that are alike.
fn lines_of_ids(text: &str) -> HashMap<String, usize> {
    let (mut lines, mut line, mut told) = (HashMap::new(), 1, 0);
    // Within strings quotes have a backslash before them, so that this is a key, or a string that no colon follows.
    for (place, key) in text.match_indices("\"id\"") {
        let Some(value) = text[place + key.len()..].trim_start().strip_prefix(':') else { continue };
        line += text[told..place].matches('\n').count();
        told = place;
        let value = serde_json::Deserializer::from_str(value).into_iter::<Value>().next();
        let id = match value {
            Some(Ok(Value::String(id))) => id,
            Some(Ok(Value::Number(id))) => id.to_string(),
            _ => continue,
        };
        lines.entry(id).or_insert(line);
    }
    lines
}

struct Reader<'a> {
    text: &'a str,
    /// The line on which each question is named, looked for when one is to be told.
    lines: OnceCell<HashMap<String, usize>>,
    need: AnswerNeed,
    problems: &'a mut Problems,
    examples: Vec<QuestionExample>,
}

impl Reader<'_> {
    fn add(&mut self, id: Option<&str>, problem: QuestionProblem) {
        let lines = || self.lines.get_or_init(|| lines_of_ids(self.text));
        let line = id.and_then(|id| lines().get(id).copied());
        self.problems.add(Problem::Question { line, id: id.map(str::to_owned), problem });
    }

    /// What to tell of a version that does not go with the questions; any name of one is accepted, for many sets have their own.
    fn version(&mut self, version: Option<&Value>) -> Option<String> {
        let version = match version {
            None | Some(Value::Null) => return None,
            Some(Value::String(version)) => version.clone(),
            Some(Value::Number(version)) => version.to_string(),
            other => {
                let found = described_value(other);
                self.add(None, QuestionProblem::Part { place: "\"version\"".to_owned(), found, accepted: "a string" });
                return None;
            }
        };
        let unanswered = self.examples.iter().any(|example| example.answers.is_empty());
        (version == ANSWERED && unanswered && self.need == AnswerNeed::Required).then(|| {
            format!("the version is {ANSWERED}, in which every question has an answer; those without are read as in 2.0")
        })
    }

    /// The items of a list, each with its place in the file.
    fn items<'v>(&mut self, value: Option<&'v Value>, place: &str) -> Vec<(&'v Value, String)> {
        match value {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(index, item)| (item, format!("{}[{index}]", place.trim_matches('"')))).collect()
            }
            other => {
                let found = described_value(other);
                self.add(None, QuestionProblem::Part { place: place.to_owned(), found, accepted: "a list" });
                Vec::new()
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Value, place: &str) {
        let context = self.text(paragraph.get("context"), None, format!("{place}.context"));
        let questions = self.items(paragraph.get("qas"), &format!("{place}.qas"));
        let Some(context) = context.map(Context::new) else { return };
        for (question, place) in questions {
            match question {
                Value::Object(fields) => self.question(fields, &context, &place),
                other => {
                    let found = described_value(Some(other));
                    self.add(None, QuestionProblem::Part { place, found, accepted: "an object with id, question and answers" });
                }
            }
        }
    }

    fn question(&mut self, fields: &Map<String, Value>, context: &Context, place: &str) {
        let id = match fields.get("id") {
            Some(Value::String(id)) if !id.trim().is_empty() => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            None | Some(Value::Null) => place.to_owned(),
            other => {
                let found = if other.is_some_and(Value::is_string) { "empty".to_owned() } else { described_value(other) };
                return self.add(None, QuestionProblem::Part { place: format!("{place}.id"), found, accepted: "a string" });
            }
        };
        let question = self.text(fields.get("question"), Some(&id), format!("{place}.question"));
        match answers(fields, context, self.need) {
            Err(problems) => problems.into_iter().for_each(|problem| self.add(Some(&id), problem)),
            Ok(answers) => {
                let Some(question) = question else { return };
                let (context, question) = (context.text.clone(), question.to_owned());
                self.examples.push(QuestionExample { id, context, question, answers, line: None });
            }
        }
    }

    /// A string that is not blank.
    fn text<'v>(&mut self, value: Option<&'v Value>, id: Option<&str>, place: String) -> Option<&'v str> {
        let problem = match value {
            Some(Value::String(text)) if text.trim().is_empty() => QuestionProblem::Empty { place },
            Some(Value::String(text)) => return Some(text),
            other => QuestionProblem::Part { place, found: described_value(other), accepted: "a string" },
        };
        self.add(id, problem);
        None
    }
}
