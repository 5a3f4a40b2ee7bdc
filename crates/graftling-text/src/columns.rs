//! Which columns hold the text, the second text and the label: as asked for, or found by the names the field uses.
//! Knows nothing of what the cells hold.

use std::fmt;
use std::path::Path;

use crate::examples::COMPLETED;
use crate::nearest::nearest;
use crate::problem::{Problem, Problems};
use crate::wording::quoted;
use crate::{Table, TextError};

/// Names of a column that holds the only text. The first goes before the others where several are there.
pub(crate) const TEXT: [&str; 7] = ["text", "sentence", "review", "content", "文本", "内容", "评论"];

/// Names of two columns that hold a pair of texts.
const PAIRS: [(&str, &str); 13] = [
    ("text", "text_pair"),
    ("sentence1", "sentence2"),
    ("text_a", "text_b"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "answer"),
    ("question", "context"),
    ("question", "passage"),
    ("question", "paragraph"),
    ("query", "context"),
    ("query", "passage"),
    ("query", "paragraph"),
];

/// Names of a column that holds the label. The first goes before the others where several are there.
const LABEL: [&str; 9] = ["label", "labels", "class", "category", "sentiment", "score", "similarity", "标签", "类别"];

/// Names of a column that holds the list of words of a sentence.
const TOKENS: [&str; 2] = ["tokens", "words"];

/// Names of a column that holds the tags of these words.
const TAGS: [&str; 4] = ["ner_tags", "tags", "labels", "pos_tags"];

/// Names of a column that holds the entities of a text.
const ENTITIES: [&str; 1] = ["entities"];

/// Names of the columns of triplets.
const ANCHOR: [&str; 2] = ["anchor", "query"];
const POSITIVE: [&str; 2] = ["positive", "pos"];
const NEGATIVE: [&str; 2] = ["negative", "neg"];

/// Names of the columns of questions about texts.
const CONTEXT: [&str; 3] = ["context", "passage", "paragraph"];
const QUESTION: [&str; 2] = ["question", "query"];
const ANSWERS: [&str; 1] = ["answers"];

/// Names of the columns of texts and of their summaries.
const DOCUMENT: [&str; 7] = ["document", "article", "dialogue", "text", "content", "原文", "文本"];
const SUMMARY: [&str; 6] = ["summary", "highlights", "abstract", "target", "摘要", "标题"];

/// Names of the columns of texts and of their translations.
const SOURCE: [&str; 4] = ["source", "src", "text", "原文"];
const TRANSLATION: [&str; 4] = ["target", "tgt", "translation", "译文"];

/// Names of the columns of prompts and of how they go on.
const PROMPT: [&str; 9] = ["prompt", "instruction", "question", "query", "input", "source", "document", "article", "text"];
const COMPLETION: [&str; 8] = ["completion", "response", "output", "answer", "target", "summary", "synopsis", "highlights"];

/// The names of the columns to use; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The column of the text, or of the first text of a pair.
    pub text: Option<String>,
    /// The column of the second text of a pair. Looked for only where `text` is not given either.
    pub text_pair: Option<String>,
    /// The column of the label.
    pub label: Option<String>,
}

impl Columns {
    /// Refuses any column that is named here, for a file of which none is read.
    ///
    /// # Errors
    /// [`TextError::ColumnNotRead`] with the first column that is named.
    pub fn refuse(&self, path: &Path, reason: &'static str) -> Result<(), TextError> {
        let named = [("text_column", &self.text), ("text_pair_column", &self.text_pair), ("label_column", &self.label)];
        match named.into_iter().find_map(|(setting, name)| Some((setting, name.clone()?))) {
            Some((setting, name)) => Err(TextError::ColumnNotRead { path: path.to_owned(), setting, name, reason }),
            None => Ok(()),
        }
    }
}

/// The columns that are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenColumns {
    /// The column of the text, or of the first text of a pair.
    pub text: String,
    /// The column of the second text of a pair.
    pub text_pair: Option<String>,
    /// The column of the label; always there in labelled data.
    pub label: Option<String>,
}

/// What a column is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    TextPair,
    Label,
    Tokens,
    Tags,
    Entities,
    Anchor,
    Positive,
    Negative,
    Context,
    Question,
    Answers,
    /// Texts, or prompts with their completions.
    LanguageText,
    Prompt,
    Completion,
    TemplateColumn,
    /// A text that is summarized.
    Document,
    Summary,
    /// A text that is translated.
    Source,
    Translation,
}

/// Whether a label column must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelNeed {
    Required,
    Optional,
}

/// Where the chosen columns stand in each row.
pub(crate) struct Positions {
    pub text: usize,
    pub text_pair: Option<usize>,
    pub label: Option<usize>,
}

impl Positions {
    pub fn names(&self, table: &Table) -> ChosenColumns {
        let name = |position: usize| table.columns[position].clone();
        ChosenColumns { text: name(self.text), text_pair: self.text_pair.map(name), label: self.label.map(name) }
    }
}

impl Role {
    /// The names that are looked for, as a message lists them.
    pub fn looked_for(self) -> String {
        match self {
            Self::Text => {
                let pairs: Vec<String> = PAIRS.iter().map(|(first, second)| format!("{first} + {second}")).collect();
                format!("{}, or {}", TEXT.join(", "), pairs.join(", "))
            }
            Self::TextPair => PAIRS.map(|(_, second)| second).join(", "),
            Self::LanguageText => {
                let pairs = COMPLETED.map(|(prompt, completion)| format!("{prompt} + {completion}"));
                format!("{}, or {}", TEXT.join(", "), pairs.join(", "))
            }
            _ => self.names().join(", "),
        }
    }

    /// The names of such a column where it stands alone; a second text has none without its first.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::LanguageText => &TEXT,
            Self::TextPair | Self::TemplateColumn => &[],
            Self::Label => &LABEL,
            Self::Tokens => &TOKENS,
            Self::Tags => &TAGS,
            Self::Entities => &ENTITIES,
            Self::Anchor => &ANCHOR,
            Self::Positive => &POSITIVE,
            Self::Negative => &NEGATIVE,
            Self::Context => &CONTEXT,
            Self::Question => &QUESTION,
            Self::Answers => &ANSWERS,
            Self::Prompt => &PROMPT,
            Self::Completion => &COMPLETION,
            Self::Document => &DOCUMENT,
            Self::Summary => &SUMMARY,
            Self::Source => &SOURCE,
            Self::Translation => &TRANSLATION,
        }
    }

    /// What such a column holds.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Text | Self::LanguageText => "texts",
            Self::TextPair => "second texts",
            Self::Label => "labels",
            Self::Tokens => "words",
            Self::Tags => "tags",
            Self::Entities => "entities",
            Self::Anchor => "anchors",
            Self::Positive => "positives",
            Self::Negative => "negatives",
            Self::Context => "contexts",
            Self::Question => "questions",
            Self::Answers => "answers",
            Self::Prompt => "prompts",
            Self::Completion => "completions",
            Self::TemplateColumn => "values",
            Self::Document => "texts",
            Self::Summary => "summaries",
            Self::Source => "sources",
            Self::Translation => "translations",
        }
    }

    /// The setting that names such a column.
    pub fn setting(self) -> &'static str {
        match self {
            // Lists of words and of tags or entities are to a recipe what texts and labels are.
            Self::Text | Self::Tokens | Self::LanguageText | Self::Prompt => "text_column",
            Self::TextPair => "text_pair_column",
            // A completion is what its prompt is labelled with.
            Self::Label | Self::Tags | Self::Entities | Self::Completion => "label_column",
            Self::TemplateColumn => "template",
            // An anchor and its positive are a pair of texts. No recipe names a negative: that there is one makes triplets of them.
            Self::Anchor => "text_column",
            Self::Positive => "text_pair_column",
            Self::Negative => "negative_column",
            // A question and its context are a pair of texts, too, and the answers what it is labelled with.
            Self::Context => "text_pair_column",
            Self::Question => "text_column",
            Self::Answers => "label_column",
            // What is to be written stands where labels do.
            Self::Document | Self::Source => "text_column",
            Self::Summary | Self::Translation => "label_column",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text | Self::LanguageText => "text",
            Self::TextPair => "second text",
            Self::Label => "label",
            Self::Tokens => "list of words",
            Self::Tags => "list of tags",
            Self::Entities => "list of entities",
            Self::Anchor => "anchor",
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Context => "context",
            Self::Question => "question",
            Self::Answers => "list of answers",
            Self::Prompt => "prompt",
            Self::Completion => "completion",
            Self::TemplateColumn => "template",
            Self::Document => "text",
            Self::Summary => "summary",
            Self::Source => "source",
            Self::Translation => "translation",
        })
    }
}

/// Chooses the columns; what is not there or not clear is added to the problems, what was found by name to the notices.
pub(crate) fn choose(
    table: &Table,
    asked: &Columns,
    need: LabelNeed,
    problems: &mut Problems,
    notices: &mut Vec<String>,
) -> Option<Positions> {
    let before = problems.total;
    let asked_label = asked.label.as_deref().map(|name| named(table, Role::Label, name, problems));
    let taken: Vec<usize> = asked_label.flatten().into_iter().collect();
    let texts = texts(table, asked, &taken, problems);
    let label = match asked_label {
        Some(position) => position,
        None => found_label(table, texts, need, problems),
    };
    let (text, text_pair) = texts?;
    if problems.total > before {
        return None;
    }
    let positions = Positions { text, text_pair, label };
    let uses = [(Role::Text, Some(positions.text)), (Role::TextPair, positions.text_pair), (Role::Label, positions.label)];
    refuse_double_use(table, &uses, problems);
    let mut told = Vec::new();
    let quoted_name = |position: usize| quoted(&table.columns[position]);
    if asked.text.is_none() {
        told.push(format!("text from column {}", quoted_name(text)));
    }
    if let (None, Some(pair)) = (&asked.text_pair, text_pair) {
        told.push(format!("second text from column {}", quoted_name(pair)));
    }
    if let (None, Some(label)) = (&asked.label, label) {
        told.push(format!("labels from column {}", quoted_name(label)));
    }
    if !told.is_empty() {
        notices.push(format!("{}: {} (found by name)", table.source.display(), told.join(", ")));
    }
    (problems.total == before).then_some(positions)
}

type Texts = (usize, Option<usize>);

fn texts(table: &Table, asked: &Columns, taken: &[usize], problems: &mut Problems) -> Option<Texts> {
    let pair = asked.text_pair.as_deref().map(|name| named(table, Role::TextPair, name, problems));
    match (&asked.text, pair) {
        (Some(text), None) => named(table, Role::Text, text, problems).map(|text| (text, None)),
        (Some(text), Some(pair)) => {
            let text = named(table, Role::Text, text, problems)?;
            Some((text, Some(pair?)))
        }
        (None, None) => found_texts(table, taken, problems),
        (None, Some(pair)) => {
            let pair = pair?;
            let single = |position: &usize| *position != pair && !taken.contains(position);
            let found: Vec<usize> = TEXT.iter().filter_map(|name| folded_position(table, name)).filter(single).collect();
            one_of(table, Role::Text, found, &TEXT, problems).map(|text| (text, Some(pair)))
        }
    }
}

/// Every pair and every single text that the names allow; exactly one must remain.
fn found_texts(table: &Table, taken: &[usize], problems: &mut Problems) -> Option<Texts> {
    let free = |name: &&str| folded_position(table, name).filter(|position| !taken.contains(position));
    let pairs: Vec<Texts> = PAIRS.iter().filter_map(|(first, second)| Some((free(first)?, Some(free(second)?)))).collect();
    let in_pairs = |position: usize| pairs.iter().any(|&(first, second)| first == position || second == Some(position));
    let singles: Vec<usize> = TEXT.iter().filter_map(free).filter(|&position| !in_pairs(position)).collect();
    match (pairs.as_slice(), singles.as_slice()) {
        ([pair], []) => Some(*pair),
        ([], _) => one_of(table, Role::Text, singles, &TEXT, problems).map(|text| (text, None)),
        _ => {
            let mut positions: Vec<usize> = pairs.iter().flat_map(|&(first, second)| [Some(first), second]).flatten().collect();
            positions.extend(&singles);
            positions.sort_unstable();
            positions.dedup();
            let found = positions.into_iter().map(|position| table.columns[position].clone()).collect();
            problems.add(Problem::ColumnUnclear { role: Role::Text, found });
            None
        }
    }
}

fn found_label(table: &Table, texts: Option<Texts>, need: LabelNeed, problems: &mut Problems) -> Option<usize> {
    let used = |position: &usize| texts.is_some_and(|(text, pair)| text == *position || pair == Some(*position));
    let found: Vec<usize> =
        LABEL.iter().filter_map(|name| folded_position(table, name)).filter(|position| !used(position)).collect();
    match need {
        LabelNeed::Required => one_of(table, Role::Label, found, &LABEL, problems),
        LabelNeed::Optional => first_or_only(table, &found, LABEL[0]),
    }
}

/// The column of the field's first name, or the only one there is.
pub(crate) fn one_of(table: &Table, role: Role, found: Vec<usize>, names: &[&str], problems: &mut Problems) -> Option<usize> {
    if let Some(position) = first_or_only(table, &found, names[0]) {
        return Some(position);
    }
    problems.add(if found.is_empty() {
        let near = table.columns.iter().find(|column| nearest(column, names).is_some()).cloned();
        Problem::ColumnNotFound { role, columns: table.columns.clone(), near }
    } else {
        Problem::ColumnUnclear { role, found: found.into_iter().map(|position| table.columns[position].clone()).collect() }
    });
    None
}

/// The one column with a name of the role, those that are taken left out.
pub(crate) fn by_name(table: &Table, role: Role, taken: &[usize], problems: &mut Problems) -> Option<usize> {
    let places = role.names().iter().filter_map(|name| folded_position(table, name));
    let found = places.filter(|position| !taken.contains(position)).collect();
    one_of(table, role, found, role.names(), problems)
}

fn first_or_only(table: &Table, found: &[usize], first: &str) -> Option<usize> {
    match found {
        [only] => Some(*only),
        several => several.iter().copied().find(|&position| folded(&table.columns[position]) == first),
    }
}

/// The column of exactly this name.
pub(crate) fn named(table: &Table, role: Role, name: &str, problems: &mut Problems) -> Option<usize> {
    let position = table.position(name);
    if position.is_none() {
        let near = nearest(name, &table.columns).map(str::to_owned);
        problems.add(Problem::NoSuchColumn { role, name: name.to_owned(), columns: table.columns.clone(), near });
    }
    position
}

/// Refuses to take one column for two roles.
pub(crate) fn refuse_double_use(table: &Table, uses: &[(Role, Option<usize>)], problems: &mut Problems) {
    for (index, (first, position)) in uses.iter().enumerate() {
        for (second, other) in &uses[index + 1..] {
            if let (true, Some(position)) = (position == other, position) {
                problems.add(Problem::ColumnTwice { name: table.columns[*position].clone(), first: *first, second: *second });
            }
        }
    }
}

pub(crate) fn folded_position(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| folded(column) == name)
}

fn folded(column: &str) -> String {
    column.trim().to_lowercase()
}
