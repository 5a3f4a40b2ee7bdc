//! Examples that are no text with its label: what they all are, and how some of them are set aside.
//! Knows nothing of files and formats.

mod compared;
mod conversations;
mod language;
mod plain;
mod similarity;
mod source_target;
mod split;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use compared::{ComparedTexts, compared_texts, holds_comparisons, unlabelled_comparisons};
pub(crate) use conversations::MessageProblem;
pub use conversations::open_conversations;
pub(crate) use language::COMPLETED;
pub use language::{LanguageColumns, LanguageExample, language_examples, read_language};
pub use plain::{PlainExample, PlainFormat, plain_texts, read_lines, read_plain_texts};
pub use similarity::{SimilarityExample, TripletColumns, TripletExample, labelled_similarities, triplets};
pub(crate) use source_target::TranslationProblem;
pub use source_target::{MadeOf, SourceTarget, SourceTargetColumns, TargetKind, source_targets, unwritten_sources};
pub use split::{ExampleSplit, random_split};

/// The examples of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples<E> {
    /// The file.
    pub source: PathBuf,
    /// The examples, in the order of the file.
    pub examples: Vec<E>,
    /// What a person should know about how the file was understood.
    pub notices: Vec<String>,
}

/// What makes two examples the same to a model, so that they stay on one side of a split.
pub trait SameText {
    /// The texts that count.
    fn texts(&self) -> Vec<&str>;

    /// The line of the file where the example begins, from 1, where each has its own.
    fn line(&self) -> Option<usize>;
}
