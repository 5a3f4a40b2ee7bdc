//! The examples of a split, whatever their task: read, told about, set aside, compared, turned into tokens.
//! Knows no model; what an example should be answered with, the tasks know.

use std::path::Path;

use graftling_text::{
    ChosenColumns, Columns, Dataset, Format, Stratum, Tokenizer, labelled, leakage_notice, multi_labelled, numbered, read_table,
    stratified_split,
};

use crate::features::{Tokenized, inputs, tokenize};
use crate::recipe::Task;
use crate::{Error, Event, Observer, SplitName};

/// The examples of a file, in the form that their task wants.
pub(crate) enum Data {
    /// Texts, or pairs of them, each with a label.
    Labelled(Dataset),
    /// Texts, or pairs of them, each with any number of labels.
    MultiLabelled(Dataset<Vec<String>>),
    /// Texts, or pairs of them, each with numbers.
    Numbered(Dataset<Vec<f32>>),
}

/// Does the same for the examples of every form.
macro_rules! each_form {
    ($data:expr, $dataset:ident => $body:expr) => {
        match $data {
            Data::Labelled($dataset) => $body,
            Data::MultiLabelled($dataset) => $body,
            Data::Numbered($dataset) => $body,
        }
    };
}

impl Data {
    /// Reads the labelled examples of a task.
    pub fn read(task: Task, path: &Path, format: Option<Format>, columns: &Columns) -> Result<Self, Error> {
        let table = read_table(path, format)?;
        Ok(match task {
            Task::SequenceClassification => Self::Labelled(labelled(table, columns)?),
            Task::MultiLabelClassification => Self::MultiLabelled(multi_labelled(table, columns)?),
            Task::SequenceRegression => Self::Numbered(numbered(table, columns)?),
        })
    }

    /// Tells what was found in the file.
    pub fn announce(&self, split: SplitName, observer: &mut dyn Observer) {
        each_form!(self, dataset => {
            let ChosenColumns { text, text_pair, label } = &dataset.columns;
            observer.observe(&Event::DataRead {
                split,
                source: &dataset.source,
                examples: dataset.examples.len(),
                text_column: text,
                text_pair_column: text_pair.as_deref(),
                label_column: label.as_deref(),
            });
            for notice in &dataset.notices {
                observer.observe(&Event::Notice(notice));
            }
        });
    }

    /// Sets a fraction of the examples aside: what is left to train on, and what to validate on.
    pub fn split(self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        Ok(match self {
            Self::Labelled(dataset) => divided(dataset, fraction, seed, Self::Labelled)?,
            Self::MultiLabelled(dataset) => divided(dataset, fraction, seed, Self::MultiLabelled)?,
            Self::Numbered(dataset) => divided(dataset, fraction, seed, Self::Numbered)?,
        })
    }

    /// What a person should know of examples that stand in another split, too; both are of one form.
    pub fn leakage_notice(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Labelled(training), Self::Labelled(evaluation)) => leakage_notice(training, evaluation),
            (Self::MultiLabelled(training), Self::MultiLabelled(evaluation)) => leakage_notice(training, evaluation),
            (Self::Numbered(training), Self::Numbered(evaluation)) => leakage_notice(training, evaluation),
            _ => None,
        }
    }

    /// What the model sees of the examples.
    pub fn tokenize(&self, tokenizer: &Tokenizer, max_length: usize) -> Result<Tokenized, Error> {
        each_form!(self, dataset => tokenize(tokenizer, &inputs(dataset), max_length))
    }
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
