//! The examples of a split, whatever their task: read, told about, set aside, compared, turned into tokens.
//! Knows no model; what an example should be answered with, the tasks know.

use std::path::Path;
use std::sync::Arc;

use graftling_text::{
    Cell, Columns, ComparedTexts, Dataset, Examples, FileFormat, Format, LanguageColumns, LanguageExample, PlainExample,
    PlainFormat, QuestionColumns, QuestionExample, SameText, SourceTarget, SourceTargetColumns, Stratum, TargetKind, Template,
    TextError, TextInput, TokenColumns, TokenDataset, TokenExample, TokenFormat, Tokenizer, compared_texts, labelled,
    labelled_tokens, leakage_notice, multi_labelled, numbered, random_split, read_labelled_tokens, read_language,
    read_plain_texts, read_questions, read_table, shared_contexts_notice, source_targets, stratified_split,
};

use crate::error::LanguageError;
use crate::features::{
    Tokenized, inputs, tokenize, tokenize_apart, tokenize_language, tokenize_questions, tokenize_source_targets,
    tokenize_with_words, tokenize_words,
};
use crate::languages::Languages;
use crate::reading::Reading;
use crate::recipe::Task;
use crate::report::Texts;
use crate::{Error, Event, Observer, SplitName};

/// Where the examples of a file stand in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// How the file is written; `None` goes by its name.
    pub format: Option<FileFormat>,
    /// Which columns hold what; those not given are detected.
    pub columns: Columns,
    /// What prompts are made by from columns.
    pub template: Option<Template>,
    /// The languages of sources and targets, where their columns or keys are called so.
    pub languages: Languages,
}

/// The examples of a file, in the form that their task wants.
pub(crate) enum Data {
    /// Texts, or pairs of them, each with a label.
    Labelled(Dataset),
    /// Texts, or pairs of them, each with any number of labels.
    MultiLabelled(Dataset<Vec<String>>),
    /// Texts, or pairs of them, each with numbers.
    Numbered(Dataset<Vec<f32>>),
    /// Sentences whose words have tags.
    Words(TokenDataset),
    /// Texts alone.
    Plain(Examples<PlainExample>),
    /// Texts, or prompts with their completions.
    Language(Examples<LanguageExample>),
    /// Texts with what is to be written from them.
    SourceTargets(Examples<SourceTarget>),
    /// Questions about texts.
    Questions(Examples<QuestionExample>),
    /// Texts that are compared with each other.
    Compared(Examples<ComparedTexts>),
}

/// Does the same for the examples of every form.
macro_rules! each_form {
    ($data:expr, $dataset:ident => $body:expr) => {
        match $data {
            Data::Words($dataset) => $body,
            Data::Plain($dataset) => $body,
            Data::Language($dataset) => $body,
            Data::SourceTargets($dataset) => $body,
            Data::Questions($dataset) => $body,
            Data::Compared($dataset) => $body,
            Data::Labelled($dataset) => $body,
            Data::MultiLabelled($dataset) => $body,
            Data::Numbered($dataset) => $body,
        }
    };
}

impl Data {
    /// Reads the labelled examples of a task.
    pub fn read(task: Task, path: &Path, layout: &Layout) -> Result<Self, Error> {
        let &Layout { format, ref columns, ref template, .. } = layout;
        if template.is_some() && task != Task::CausalLm && !task.writes() {
            return Err(LanguageError::TemplateOfOtherTask { task }.into());
        }
        let table = || Ok::<_, Error>(read_table(path, table_format(path, format)?)?);
        Ok(match task {
            Task::SequenceClassification => Self::Labelled(labelled(table()?, columns)?),
            Task::MultiLabelClassification => Self::MultiLabelled(multi_labelled(table()?, columns)?),
            Task::SequenceRegression => Self::Numbered(numbered(table()?, columns)?),
            Task::TokenClassification => Self::Words(words(path, format, columns)?),
            Task::QuestionAnswering => Self::Questions(questions(path, format, columns)?),
            Task::SentenceEmbedding => Self::Compared(compared_texts(table()?, columns)?),
            Task::MaskedLm => Self::Plain(plain_texts(path, format, columns)?),
            Task::Summarization => sources(path, layout, TargetKind::Summary)?,
            Task::Translation => sources(path, layout, TargetKind::Translation)?,
            Task::CausalLm => Self::Language(language(path, format, columns, template.clone())?),
        })
    }

    /// Tells what was found in the file.
    pub fn announce(&self, split: SplitName, observer: &mut dyn Observer) {
        let (source, examples) = each_form!(self, dataset => (&dataset.source, dataset.examples.len()));
        observer.observe(&Event::DataRead { split, source, examples });
        for notice in each_form!(self, dataset => &dataset.notices) {
            observer.observe(&Event::Notice(notice));
        }
    }

    /// Sets a fraction of the examples aside: what is left to train on, and what to validate on.
    pub fn split(self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        Ok(match self {
            Self::Labelled(dataset) => divided(dataset, fraction, seed, Self::Labelled)?,
            Self::MultiLabelled(dataset) => divided(dataset, fraction, seed, Self::MultiLabelled)?,
            Self::Numbered(dataset) => divided(dataset, fraction, seed, Self::Numbered)?,
            Self::Words(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::Words(split.train), Self::Words(split.validation))
            }
            Self::Plain(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::Plain(split.train), Self::Plain(split.validation))
            }
            Self::Language(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::Language(split.train), Self::Language(split.validation))
            }
            Self::SourceTargets(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::SourceTargets(split.train), Self::SourceTargets(split.validation))
            }
            Self::Questions(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::Questions(split.train), Self::Questions(split.validation))
            }
            Self::Compared(dataset) => {
                let split = random_split(dataset, fraction, seed)?;
                (Self::Compared(split.train), Self::Compared(split.validation))
            }
        })
    }

    /// What a person should know of examples that stand in another split, too; both are of one form.
    pub fn leakage_notice(&self, other: &Self) -> Option<String> {
        macro_rules! of_forms {
            ($( $form:ident )+) => {
                match (self, other) {
                    (Self::Questions(training), Self::Questions(evaluation)) => shared_contexts_notice(training, evaluation),
                    $( (Self::$form(training), Self::$form(evaluation)) => {
                        leakage_notice((&training.source, &training.examples), (&evaluation.source, &evaluation.examples))
                    } )+
                    _ => None,
                }
            };
        }
        of_forms!(Labelled MultiLabelled Numbered Words Plain Language SourceTargets Compared)
    }

    /// What the model sees of the examples.
    pub fn tokenize(&self, tokenizer: &Tokenizer, reading: &Reading) -> Result<Tokenized, Error> {
        self.tokens(tokenizer, reading).map_err(|error| self.placed(error))
    }

    /// An error of one of the examples with the place of the file where that stands.
    fn placed(&self, error: Error) -> Error {
        let example = match &error {
            Error::Text(TextError::WindowRoom { index, .. } | TextError::Tokenize { index, .. })
            | Error::NoTokens { index, .. } => Some(index - 1),
            Error::Language(LanguageError::Chat { .. } | LanguageError::NothingSaid { .. }) => None,
            _ => return error,
        };
        // Of examples with several texts those are counted.
        let example = example.filter(|example| *example < self.len() && !matches!(self, Self::Compared(_)));
        let line = example.and_then(|example| self.line(example));
        Error::InFile { path: self.source().to_owned(), line, error: Box::new(error) }
    }

    fn tokens(&self, tokenizer: &Tokenizer, reading: &Reading) -> Result<Tokenized, Error> {
        match self {
            Self::Labelled(dataset) => tokenize(tokenizer, &inputs(dataset), reading),
            Self::MultiLabelled(dataset) => tokenize(tokenizer, &inputs(dataset), reading),
            Self::Numbered(dataset) => tokenize(tokenizer, &inputs(dataset), reading),
            Self::Words(dataset) => tokenize_words(tokenizer, &dataset.examples, reading),
            Self::Questions(dataset) => {
                let questions = dataset.examples.iter().map(|example| (example.question.as_str(), Arc::clone(&example.context)));
                tokenize_questions(tokenizer, &questions.collect::<Vec<_>>(), reading)
            }
            Self::Compared(dataset) => {
                let examples = dataset.examples.iter().map(|example| example.texts.iter().map(String::as_str).collect());
                tokenize_apart(tokenizer, &examples.collect::<Vec<_>>(), reading)
            }
            Self::SourceTargets(dataset) => tokenize_source_targets(tokenizer, &dataset.examples, reading),
            Self::Language(dataset) => tokenize_language(tokenizer, &dataset.examples, reading),
            Self::Plain(dataset) => {
                let texts = dataset.examples.iter().map(|example| TextInput { text: &example.text, pair: None });
                tokenize_with_words(tokenizer, &texts.collect::<Vec<_>>(), reading)
            }
        }
    }

    /// The file.
    pub fn source(&self) -> &Path {
        each_form!(self, dataset => &dataset.source)
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        each_form!(self, dataset => dataset.examples.len())
    }

    /// The line of the file where an example begins, from 1, where each has its own.
    pub fn line(&self, example: usize) -> Option<usize> {
        each_form!(self, dataset => SameText::line(&dataset.examples[example]))
    }

    /// All that makes an example the same as another to a person, without the white space around it.
    pub fn texts_of(&self, example: usize) -> Vec<&str> {
        match self {
            // Two questions about one text are two examples.
            Self::Questions(dataset) => {
                let QuestionExample { question, context, .. } = &dataset.examples[example];
                vec![question.trim(), context.trim()]
            }
            other => each_form!(other, dataset => SameText::texts(&dataset.examples[example])),
        }
    }

    /// The texts of every example.
    pub fn texts(&self) -> Texts<'_> {
        Texts::new((0..self.len()).map(|example| self.texts_of(example)).collect())
    }

    /// The sentences, where the examples are such.
    pub fn sentences(&self) -> Option<&[TokenExample]> {
        match self {
            Self::Words(dataset) => Some(&dataset.examples),
            _ => None,
        }
    }
}

fn table_format(path: &Path, format: Option<FileFormat>) -> Result<Option<Format>, TextError> {
    format.map(|format| format.table(path)).transpose()
}

/// Questions, their contexts and answers: what the other tasks call a text, its second text and its label.
fn questions(path: &Path, format: Option<FileFormat>, columns: &Columns) -> Result<Examples<QuestionExample>, Error> {
    let Columns { text: question, text_pair: context, label: answers } = columns.clone();
    let format = format.map(|format| format.of_questions(path)).transpose()?;
    Ok(read_questions(path, format, &QuestionColumns { context, question, answers })?)
}

/// Texts without labels, from lines or from a column.
fn plain_texts(path: &Path, format: Option<FileFormat>, columns: &Columns) -> Result<Examples<PlainExample>, Error> {
    let format = format.map(|format| format.of_texts(path)).transpose()?;
    Columns { text: None, ..columns.clone() }.refuse(path, "masked_lm reads one text, without a label")?;
    if format.map_or_else(|| PlainFormat::of(path), Ok).is_ok_and(|format| format == PlainFormat::Lines) {
        columns.refuse(path, "a file of plain texts has no columns")?;
    }
    Ok(read_plain_texts(path, format, columns.text.as_deref())?)
}

/// Texts, or prompts with their completions: what the other tasks call a text and its label.
fn language(
    path: &Path,
    format: Option<FileFormat>,
    columns: &Columns,
    template: Option<Template>,
) -> Result<Examples<LanguageExample>, Error> {
    let format = format.map(|format| format.of_texts(path)).transpose()?;
    let Columns { text, label: completion, .. } = columns.clone();
    let of_pairs = "causal_lm reads a text, or a prompt (text_column) and its completion (label_column)";
    Columns { text: None, label: None, ..columns.clone() }.refuse(path, of_pairs)?;
    if template.is_some() {
        Columns { label: None, ..columns.clone() }.refuse(path, "the template names the columns of the prompt")?;
    }
    Ok(read_language(path, format, &LanguageColumns { text, completion, template })?)
}

/// Texts with what is to be written from them: what the other tasks call a text and its label.
fn sources(path: &Path, layout: &Layout, kind: TargetKind) -> Result<Data, Error> {
    let examples =
        source_targets(read_table(path, table_format(path, layout.format)?)?, kind, &source_target_columns(path, layout)?)?;
    Ok(Data::SourceTargets(examples))
}

/// The columns of texts from which others are to be written.
pub(crate) fn source_target_columns(path: &Path, layout: &Layout) -> Result<SourceTargetColumns, Error> {
    let Layout { columns: Columns { text: source, label: target, .. }, template, languages, .. } = layout.clone();
    let of_pairs = "one text (text_column) is written from, another (label_column) is to be written";
    Columns { text: None, label: None, ..layout.columns.clone() }.refuse(path, of_pairs)?;
    if template.is_some() {
        Columns { label: None, ..layout.columns.clone() }.refuse(path, "the template names the columns of the source")?;
    }
    let Languages { source: source_language, target: target_language } = languages;
    Ok(SourceTargetColumns { source, target, template, source_language, target_language })
}

/// A template that was given as a text.
pub(crate) fn parsed(template: &str) -> Result<Template, LanguageError> {
    template.parse().map_err(|problem| LanguageError::Template { template: template.to_owned(), problem })
}

/// Sentences from a CoNLL file, or from the lists or texts of a table. A column that is named holds lists where its first cell is one.
fn words(path: &Path, format: Option<FileFormat>, columns: &Columns) -> Result<TokenDataset, Error> {
    let Columns { text, label, .. } = columns.clone();
    let format = format.map(|format| format.of_words(path)).transpose()?;
    let layout = format.map_or_else(|| TokenFormat::of(path), Ok)?;
    Columns { text: None, label: None, ..columns.clone() }.refuse(path, "the words of one text are tagged")?;
    if layout == TokenFormat::Conll {
        columns.refuse(path, "the columns of a CoNLL file have no names")?;
    }
    let (TokenFormat::Table(format), Some(name)) = (layout, &text) else {
        return Ok(read_labelled_tokens(path, format, &TokenColumns { tags: label, ..Default::default() })?);
    };
    let table = read_table(path, Some(format))?;
    let first = table.position(name).and_then(|position| table.rows.first().map(|row| &row.cells[position]));
    let columns = match first {
        Some(Cell::Json(value)) if value.is_array() => TokenColumns { tokens: text, tags: label, ..Default::default() },
        _ => TokenColumns { text, entities: label, ..Default::default() },
    };
    Ok(labelled_tokens(table, &columns)?)
}

fn divided<L: Stratum>(
    dataset: Dataset<L>,
    fraction: f64,
    seed: u64,
    form: fn(Dataset<L>) -> Data,
) -> Result<(Data, Data), Error> {
    let split = stratified_split(dataset, fraction, seed)?;
    Ok((form(split.train), form(split.validation)))
}
