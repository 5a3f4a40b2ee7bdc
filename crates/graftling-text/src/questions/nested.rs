//! SQuAD's own layout: one JSON object with `data`, `paragraphs` and `qas`. Knows nothing of how answers are looked up.

use serde_json::{Map, Value};

use super::answers::{Context, answers, described_value};
use super::problem::QuestionProblem;
use super::{AnswerNeed, QuestionExample};
use crate::problem::{Problem, Problems};

/// All questions of the file.
pub(super) fn examples(text: &str, need: AnswerNeed, problems: &mut Problems) -> Vec<QuestionExample> {
    let mut reader = Reader { need, problems, examples: Vec::new() };
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
        }
    }
    reader.examples
}

struct Reader<'a> {
    need: AnswerNeed,
    problems: &'a mut Problems,
    examples: Vec<QuestionExample>,
}

impl Reader<'_> {
    fn add(&mut self, id: Option<&str>, problem: QuestionProblem) {
        self.problems.add(Problem::Question { line: None, id: id.map(str::to_owned), problem });
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
