//! Answers in the layout that SQuAD's scripts read, and questions as the rows of a table. Knows nothing of how answers were found.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Map, Value, json};

use super::QuestionExample;
use crate::format::QuestionLayout;
use crate::{Cell, Examples, QuestionFormat, Row, Table, TextError, disk};

/// Writes one JSON object with the answer to each question by its id, as SQuAD's scripts read it; compressed where the name ends in
/// `.gz`. The file appears whole or not at all.
pub fn write_answers<'a>(path: &Path, answers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), TextError> {
    let layout = QuestionLayout::of(path, Some(QuestionFormat::Squad))?;
    let answers: Map<String, Value> = answers.into_iter().map(|(id, answer)| (id.to_owned(), json!(answer))).collect();
    let text = format!("{:#}\n", Value::Object(answers));
    disk::write_whole(path, |file| -> io::Result<()> {
        if !layout.gzip {
            return file.write_all(text.as_bytes());
        }
        let mut compressed = GzBuilder::new().write(file, Compression::default());
        compressed.write_all(text.as_bytes())?;
        compressed.finish().map(|_| ())
    })
}

impl Examples<QuestionExample> {
    /// The questions as rows of `id`, `question`, `context` and `answers`, in their order.
    pub fn table(&self) -> Table {
        let row = |(place, example): (usize, &QuestionExample)| {
            let texts: Vec<&str> = example.answers.iter().map(|answer| answer.text.as_str()).collect();
            let starts: Vec<usize> = example.answers.iter().map(|answer| answer.characters.0).collect();
            let cells = vec![
                Cell::Text(example.id.clone()),
                Cell::Text(example.question.clone()),
                Cell::Text(example.context.to_string()),
                Cell::Json(json!({ "text": texts, "answer_start": starts })),
            ];
            Row { line: example.line.unwrap_or(place + 1), cells }
        };
        Table {
            source: self.source.clone(),
            columns: ["id", "question", "context", "answers"].map(str::to_owned).to_vec(),
            rows: self.examples.iter().enumerate().map(row).collect(),
            notices: Vec::new(),
        }
    }
}
