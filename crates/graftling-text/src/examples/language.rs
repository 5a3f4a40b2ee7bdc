//! What a language model is trained on to go on with: texts, or prompts with their completions, whichever a file holds.
//! Knows no tokens.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::path::Path;

use serde_json::Value;

use super::conversations::{answered_messages, columns_of_conversations, holds_lists};
use super::plain::{plain_texts, read_plain_texts};
use super::{Examples, PlainExample, PlainFormat, SameText};
use crate::columns::{Role, TEXT, by_name, folded_position, named, refuse_double_use};
use crate::dataset::required_text;
use crate::format::PlainLayout;
use crate::problem::{Problem, Problems};
use crate::template::{Filling, Template};
use crate::wording::{counted, quoted};
use crate::{Cell, Columns, Table, TextError, readers};

/// Names of two columns that hold a prompt and its completion.
pub(crate) const COMPLETED: [(&str, &str); 14] = [
    ("prompt", "completion"),
    ("prompt", "response"),
    ("prompt", "output"),
    ("prompt", "answer"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("instruction", "completion"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("source", "target"),
    ("input", "output"),
    ("input", "target"),
];

/// The column that many files of instructions have beside the instruction.
const INPUT: &str = "input";

/// What a language model is trained on.
#[derive(Clone, Debug, PartialEq)]
pub enum LanguageExample {
    /// A text, all of which counts.
    Text(PlainExample),
    /// A text that is given, and how it goes on: that alone counts.
    Completed {
        /// What is given, which is not empty.
        prompt: String,
        /// What follows it, which is not empty.
        completion: String,
        /// The line of the file where the example begins, from 1.
        line: usize,
    },
    /// A conversation, of which what the assistant says counts.
    Chat {
        /// The messages: objects with a `role` and a `content`, and what else a chat template reads. One at least is the assistant's.
        messages: Vec<Value>,
        /// The line of the file where the example begins, from 1.
        line: usize,
    },
}

impl SameText for LanguageExample {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.texts(),
            Self::Completed { prompt, completion, .. } => vec![prompt.trim(), completion.trim()],
            Self::Chat { messages, .. } => {
                messages.iter().filter_map(|message| message["content"].as_str()).map(str::trim).collect()
            }
        }
    }

    fn line(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.line),
            Self::Completed { line, .. } | Self::Chat { line, .. } => Some(*line),
        }
    }
}

/// Which columns hold what; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguageColumns {
    /// The column of the texts or prompts.
    pub text: Option<String>,
    /// The column of the completions; naming it says that there are such.
    pub completion: Option<String>,
    /// What prompts are made by from any columns, instead of being one.
    pub template: Option<Template>,
}

/// Reads texts, or prompts with their completions: a text a line (.txt), or the columns of a table, plain or compressed by gzip. The format
/// comes from the file's name, unless it is given.
pub fn read_language(
    path: &Path,
    format: Option<PlainFormat>,
    columns: &LanguageColumns,
) -> Result<Examples<LanguageExample>, TextError> {
    if PlainLayout::of(path, format).is_ok_and(|layout| layout.format == PlainFormat::Lines) {
        let Examples { source, examples, notices } = read_plain_texts(path, format, None)?;
        let reason = "a file of plain texts has no columns";
        Columns { text: columns.text.clone(), text_pair: None, label: columns.completion.clone() }.refuse(path, reason)?;
        if let Some(template) = &columns.template {
            let name = template.columns().next().unwrap_or_default().to_owned();
            return Err(TextError::ColumnNotRead { path: path.to_owned(), setting: "template", name, reason });
        }
        return Ok(Examples { source, examples: examples.into_iter().map(LanguageExample::Text).collect(), notices });
    }
    let format = match format {
        Some(PlainFormat::Table(format)) => Some(format),
        _ => None,
    };
    language_examples(readers::read_table(path, format)?, columns)
}

/// The texts of a table, or its prompts with their completions. Everything that is wrong with the rows is told in one error. Takes the table
/// or a reference to it.
pub fn language_examples(table: impl Borrow<Table>, columns: &LanguageColumns) -> Result<Examples<LanguageExample>, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    match layout(table, columns, &mut problems) {
        None => Err(TextError::Data(problems)),
        Some(Layout::Texts) => {
            let Examples { source, examples, notices } = plain_texts(table, columns.text.as_deref())?;
            Ok(Examples { source, examples: examples.into_iter().map(LanguageExample::Text).collect(), notices })
        }
        Some(Layout::Chats(column)) => chats(table, column, columns.text.is_none(), problems),
        Some(Layout::Completed { prompt, completion }) => completed(table, columns, (prompt, completion), problems),
    }
}

/// What the columns of a table hold.
enum Layout<'a> {
    Texts,
    Chats(usize),
    Completed { prompt: Prompt<'a>, completion: usize },
}

/// Where prompts come from.
enum Prompt<'a> {
    Column(usize),
    Filled(Filling<'a>),
}

fn layout<'a>(table: &Table, columns: &'a LanguageColumns, problems: &mut Problems) -> Option<Layout<'a>> {
    let LanguageColumns { text, completion, template } = columns;
    if text.is_none() && completion.is_none() && template.is_none() {
        return found(table, problems);
    }
    if let (Some(name), None, None) = (text, completion, template) {
        let column = table.position(name).filter(|column| holds_lists(table, *column));
        return Some(column.map_or(Layout::Texts, Layout::Chats));
    }
    let taken: Vec<usize> = completion.as_deref().and_then(|name| table.position(name)).into_iter().collect();
    let prompt = match (template, text) {
        (Some(template), _) => template.over(table, problems).map(Prompt::Filled),
        (None, Some(name)) => named(table, Role::Prompt, name, problems).map(Prompt::Column),
        (None, None) => by_name(table, Role::Prompt, &taken, problems).map(Prompt::Column),
    };
    let used: Vec<usize> = template.iter().flat_map(Template::columns).filter_map(|name| table.position(name)).collect();
    let completion = match completion {
        Some(name) => named(table, Role::Completion, name, problems),
        None => by_name(table, Role::Completion, &used, problems),
    };
    Some(Layout::Completed { prompt: prompt?, completion: completion? })
}

/// The one layout that the names allow.
fn found<'a>(table: &Table, problems: &mut Problems) -> Option<Layout<'a>> {
    let position = |name: &&str| folded_position(table, name);
    let pairs: Vec<(usize, usize)> =
        COMPLETED.iter().filter_map(|(prompt, completion)| Some((position(prompt)?, position(completion)?))).collect();
    // Instructions often have an input beside them, which is no prompt then.
    let of_input = |pair: &(usize, usize)| table.columns[pair.0].trim().to_lowercase() == INPUT;
    let alone = pairs.iter().all(of_input);
    let pairs: Vec<(usize, usize)> = pairs.into_iter().filter(|pair| alone || !of_input(pair)).collect();
    let texts: Vec<usize> = TEXT.iter().filter_map(position).filter(|text| !pairs.iter().any(|pair| pair.0 == *text)).collect();
    let chats = columns_of_conversations(table);
    match (pairs.as_slice(), texts.as_slice()) {
        ([], []) if chats.len() == 1 => Some(Layout::Chats(chats[0])),
        ([], []) => {
            problems.add(Problem::ColumnNotFound { role: Role::LanguageText, columns: table.columns.clone(), near: None });
            None
        }
        ([], _) if chats.is_empty() => Some(Layout::Texts),
        (&[(prompt, completion)], []) if chats.is_empty() => {
            Some(Layout::Completed { prompt: Prompt::Column(prompt), completion })
        }
        _ => {
            let mut found: Vec<usize> = pairs.iter().flat_map(|pair| [pair.0, pair.1]).chain(texts).chain(chats).collect();
            found.sort_unstable();
            found.dedup();
            let found = found.into_iter().map(|position| table.columns[position].clone()).collect();
            problems.add(Problem::ColumnUnclear { role: Role::LanguageText, found });
            None
        }
    }
}

fn chats(table: &Table, column: usize, by_name: bool, mut problems: Problems) -> Result<Examples<LanguageExample>, TextError> {
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        match answered_messages(&table.columns[column], &row.cells[column]) {
            Ok(messages) => examples.push(LanguageExample::Chat { messages, line: row.line }),
            Err(problem) => problems.add(Problem::Messages { line: row.line, problem }),
        }
    }
    problems.check()?;
    let mut notices = table.notices.clone();
    if by_name {
        notices.push(format!(
            "{}: conversations from column {} (found by name)",
            table.source.display(),
            quoted(&table.columns[column])
        ));
    }
    Ok(Examples { source: table.source.clone(), examples, notices })
}

fn completed(
    table: &Table,
    columns: &LanguageColumns,
    (prompt, completion): (Prompt<'_>, usize),
    mut problems: Problems,
) -> Result<Examples<LanguageExample>, TextError> {
    let of_prompt = match prompt {
        Prompt::Column(position) => Some(position),
        Prompt::Filled(_) => None,
    };
    refuse_double_use(table, &[(Role::Prompt, of_prompt), (Role::Completion, Some(completion))], &mut problems);
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let prompt = match &prompt {
            Prompt::Column(position) => required_text(table, row, *position, &mut problems),
            Prompt::Filled(filling) => filling.text(table, row, &mut problems),
        };
        let completion = required_text(table, row, completion, &mut problems);
        examples.push(LanguageExample::Completed { prompt, completion, line: row.line });
    }
    problems.check()?;
    if examples.is_empty() {
        return Err(TextError::Empty { path: table.source.clone() });
    }
    let mut notices = table.notices.clone();
    let by_name = |position: usize, role: Role, given: &Option<String>| {
        given.is_none().then(|| format!("{role} from column {}", quoted(&table.columns[position])))
    };
    let told: Vec<String> = of_prompt
        .and_then(|position| by_name(position, Role::Prompt, &columns.text))
        .into_iter()
        .chain(by_name(completion, Role::Completion, &columns.completion))
        .collect();
    let source = table.source.display();
    if !told.is_empty() {
        notices.push(format!("{source}: {} (found by name)", told.join(", ")));
    }
    notices.extend(of_prompt.and_then(|prompt| unread_input(table, prompt)).map(|notice| format!("{source}: {notice}")));
    notices.extend(glued(&examples).map(|notice| format!("{source}: {notice}")));
    Ok(Examples { source: table.source.clone(), examples, notices })
}

/// What to tell of inputs that stand beside instructions.
fn unread_input(table: &Table, prompt: usize) -> Option<String> {
    let input = folded_position(table, INPUT).filter(|input| *input != prompt)?;
    let filled = |cell: &Cell| !cell.written().trim().is_empty();
    let rows = table.rows.iter().filter(|row| filled(&row.cells[input])).count();
    (rows > 0).then(|| {
        let (prompt, input) = (&table.columns[prompt], &table.columns[input]);
        format!(
            "the column {} of {} is not read; a template makes prompts of both, such as \"{{{prompt}}}\\n\\n{{{input}}}\\n\\n\"",
            quoted(input),
            counted(rows, "row", "rows")
        )
    })
}

/// What to tell where the words of prompt and completion run into each other.
fn glued(examples: &[LanguageExample]) -> Option<String> {
    let is_glued = |example: &&LanguageExample| match example {
        LanguageExample::Completed { prompt, completion, .. } => {
            let ends = [prompt.chars().next_back(), completion.chars().next()];
            ends.iter().all(|end| end.is_some_and(|end| end.is_ascii_graphic()))
        }
        LanguageExample::Text(_) | LanguageExample::Chat { .. } => false,
    };
    let count = examples.iter().filter(is_glued).count();
    (2 * count > examples.len()).then(|| {
        let examples = counted(count, "example", "examples");
        format!(
            "no white space stands between prompt and completion in {examples}; a template puts some there, such as \"{{prompt}}\\n\" with \
             the name of the column"
        )
    })
}
