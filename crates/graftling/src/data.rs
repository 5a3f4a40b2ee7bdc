//! The examples of a split, whatever their task: read, told about, set aside, compared, turned into tokens.
//! Knows no model; what an example should be answered with, the tasks know.

use std::path::Path;

use graftling_text::{
    ChosenColumns, Columns, Dataset, Format, Tokenizer, labelled, leakage_notice, read_table, stratified_split,
};

use crate::features::{Tokenized, inputs, tokenize};
use crate::recipe::Task;
use crate::{Error, Event, Observer, SplitName};

/// The examples of a file, in the form that their task wants.
pub(crate) enum Data {
    /// Texts, or pairs of them, each with a label.
    Texts(Dataset),
}

impl Data {
    /// Reads the labelled examples of a task.
    pub fn read(task: Task, path: &Path, format: Option<Format>, columns: &Columns) -> Result<Self, Error> {
        match task {
            Task::SequenceClassification => Ok(Self::Texts(labelled(read_table(path, format)?, columns)?)),
        }
    }

    /// Tells what was found in the file.
    pub fn announce(&self, split: SplitName, observer: &mut dyn Observer) {
        let Self::Texts(dataset) = self;
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
    }

    /// Sets a fraction of the examples aside: what is left to train on, and what to validate on.
    pub fn split(self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        let Self::Texts(dataset) = self;
        let split = stratified_split(dataset, fraction, seed)?;
        Ok((Self::Texts(split.train), Self::Texts(split.validation)))
    }

    /// What a person should know of examples that stand in another split, too.
    pub fn leakage_notice(&self, other: &Self) -> Option<String> {
        let (Self::Texts(training), Self::Texts(evaluation)) = (self, other);
        leakage_notice(training, evaluation)
    }

    /// What the model sees of the examples.
    pub fn tokenize(&self, tokenizer: &Tokenizer, max_length: usize) -> Result<Tokenized, Error> {
        let Self::Texts(dataset) = self;
        tokenize(tokenizer, &inputs(dataset), max_length)
    }
}
