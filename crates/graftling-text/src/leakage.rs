//! Texts that stand in two datasets, which make an evaluation look better than the model is.
//! Knows nothing of what the datasets are for.

use std::collections::HashMap;

use crate::Dataset;
use crate::wording::{counted, quoted};

/// An example of the second dataset whose text stands in the first, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedText<'a> {
    /// The text, or the first text of a pair.
    pub text: &'a str,
    /// Its first line in the first dataset.
    pub first_line: usize,
    /// Its line in the second dataset.
    pub second_line: usize,
}

/// The examples of the second dataset whose texts stand in the first, in the order of the second.
pub fn shared_texts<'a, L>(first: &'a Dataset<L>, second: &'a Dataset<L>) -> Vec<SharedText<'a>> {
    let mut lines: HashMap<(&str, &str), usize> = HashMap::new();
    for example in &first.examples {
        lines.entry(example.texts()).or_insert(example.line);
    }
    let shared = second.examples.iter().filter_map(|example| {
        let first_line = *lines.get(&example.texts())?;
        Some(SharedText { text: &example.text, first_line, second_line: example.line })
    });
    shared.collect()
}

/// What to tell a person about texts of `evaluation` that the model has seen in `training`.
pub fn leakage_notice<L>(training: &Dataset<L>, evaluation: &Dataset<L>) -> Option<String> {
    let shared = shared_texts(training, evaluation);
    let first = shared.first()?;
    Some(format!(
        "{}: {} of {} stand in {}, too (first: line {}, {}, is line {} there); figures on them say nothing about new texts",
        evaluation.source.display(),
        shared.len(),
        counted(evaluation.examples.len(), "text", "texts"),
        training.source.display(),
        first.second_line,
        quoted(first.text.trim()),
        first.first_line
    ))
}
