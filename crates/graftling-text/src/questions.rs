//! Questions about texts whose answers are passages of them, in the layouts of SQuAD (Rajpurkar et al., 2016 and 2018), with every
//! answer looked up in its text. Knows nothing of tokens.

mod answers;
mod flat;
mod leakage;
mod nested;
mod predictions;
mod problem;
mod repeats;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::columns::Role;
use crate::format::QuestionLayout;
use crate::problem::{Problem, Problems};
use crate::wording::counted;
use crate::{Examples, Format, SameText, TextError, plain_text, readers};

pub use leakage::shared_contexts_notice;
pub use predictions::write_answers;
pub(crate) use problem::QuestionProblem;

/// How questions are laid down in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionFormat {
    /// One JSON object: `data`, `paragraphs` with a `context`, and their `qas`.
    Squad,
    /// Rows with `context`, `question` and `answers`; in csv and tsv the answers are JSON in their field.
    Table(Format),
}

/// The names of the columns of a table of questions; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuestionColumns {
    /// The column of the text.
    pub context: Option<String>,
    /// The column of the question.
    pub question: Option<String>,
    /// The column of the answers.
    pub answers: Option<String>,
}

/// A question about a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionExample {
    /// What the file calls it, or else its line.
    pub id: String,
    /// The text; the questions of a paragraph share it.
    pub context: Arc<str>,
    /// The question.
    pub question: String,
    /// The passages that answer it: several where several people were asked, none where the text does not say.
    pub answers: Vec<Answer>,
    /// The line of the file where the example begins, from 1, where each has its own.
    pub line: Option<usize>,
}

/// A passage of a text. What it says is what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The passage.
    pub text: String,
    /// Its first character and the one after its last, counted in characters (Unicode scalar values, as Python counts).
    pub characters: (usize, usize),
    /// The same in bytes of UTF-8.
    pub bytes: (usize, usize),
}

impl SameText for QuestionExample {
    /// The context alone: a model that has seen one question of a text knows the text.
    fn texts(&self) -> Vec<&str> {
        vec![self.context.trim()]
    }

    fn line(&self) -> Option<usize> {
        self.line
    }
}

/// Whether every question must say what answers it, if only that nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerNeed {
    Required,
    Optional,
}

/// Reads questions with their answers: SQuAD's json, or rows with `context`, `question` and `answers` (`text` and
/// `answer_start`), plain or compressed by gzip. The format comes from the file's name unless it is given. An empty list of answers
/// says that the text has none, as `is_impossible` does. Everything that is wrong with the file is told in one error.
pub fn read_questions(
    path: &Path,
    format: Option<QuestionFormat>,
    columns: &QuestionColumns,
) -> Result<Examples<QuestionExample>, TextError> {
    read(path, format, columns, AnswerNeed::Required)
}

/// Reads questions to be answered, from the same files and from tables with `context` and `question`. Answers are kept, and checked,
/// where there are any.
pub fn read_unanswered_questions(
    path: &Path,
    format: Option<QuestionFormat>,
    columns: &QuestionColumns,
) -> Result<Examples<QuestionExample>, TextError> {
    read(path, format, columns, AnswerNeed::Optional)
}

fn read(
    path: &Path,
    format: Option<QuestionFormat>,
    columns: &QuestionColumns,
    need: AnswerNeed,
) -> Result<Examples<QuestionExample>, TextError> {
    // A wrong path is told before a wrong name: it is the likelier slip.
    let layout = match QuestionLayout::of(path, format) {
        Err(unknown) => return Err(plain_text::read_bytes(path).err().unwrap_or(unknown)),
        Ok(layout) => layout,
    };
    let text = plain_text::read(path, layout.gzip)?;
    parse(path, &text, layout.format, columns, need)
}

/// Reads text that is in memory already; `source` is what messages call it.
fn parse(
    source: &Path,
    text: &str,
    format: QuestionFormat,
    columns: &QuestionColumns,
    need: AnswerNeed,
) -> Result<Examples<QuestionExample>, TextError> {
    let mut problems = Problems::new(source);
    let (examples, mut notices) = match format {
        QuestionFormat::Squad if text.trim().is_empty() => return Err(TextError::Empty { path: source.to_owned() }),
        QuestionFormat::Squad => {
            refuse_columns(columns, &mut problems);
            let (examples, notices) = nested::examples(text, need, &mut problems);
            (examples, notices.into_iter().map(|notice| format!("{}: {notice}", source.display())).collect::<Vec<_>>())
        }
        QuestionFormat::Table(format) => {
            let table = readers::parse(source, text, format)?;
            let (examples, notices) = flat::examples(&table, columns, need, &mut problems);
            (examples, table.notices.into_iter().chain(notices).collect())
        }
    };
    refuse_repeated_ids(&examples, &mut problems);
    problems.check()?;
    if examples.is_empty() {
        return Err(TextError::Empty { path: source.to_owned() });
    }
    let unanswered = examples.iter().filter(|example| example.answers.is_empty()).count();
    if need == AnswerNeed::Required && unanswered > 0 {
        let told = counted(unanswered, "question has", "questions have");
        notices.push(format!("{}: {told} no answer in the text", source.display()));
    }
    notices.extend(repeats::notices(source, &examples));
    Ok(Examples { source: source.to_owned(), examples, notices })
}

/// SQuAD's json has no columns to be named.
fn refuse_columns(columns: &QuestionColumns, problems: &mut Problems) {
    let named = [(Role::Question, &columns.question), (Role::Context, &columns.context), (Role::Answers, &columns.answers)];
    for (role, name) in named.into_iter().filter_map(|(role, name)| Some((role, name.as_ref()?))) {
        let problem = QuestionProblem::NoColumns { setting: role.setting(), name: name.clone() };
        problems.add(Problem::Question { line: None, id: None, problem });
    }
}

/// Predictions are matched with answers by their ids.
fn refuse_repeated_ids(examples: &[QuestionExample], problems: &mut Problems) {
    let mut firsts: HashMap<&str, &QuestionExample> = HashMap::new();
    for example in examples {
        let first = *firsts.entry(&example.id).or_insert(example);
        if !std::ptr::eq(first, example) {
            let problem = QuestionProblem::RepeatedId { question: example.question.clone(), first: first.question.clone() };
            problems.add(Problem::Question { line: example.line, id: Some(example.id.clone()), problem });
        }
    }
}
