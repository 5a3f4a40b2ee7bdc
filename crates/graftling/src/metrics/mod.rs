//! What a model's answers are worth: confusion matrix, accuracy, precision, recall, F1, Matthews, loss, and their tables.
//! Knows class numbers and names only; no tensors, no texts, no files.

mod answer_words;
mod answers;
mod by_task;
mod classification;
mod confusion_matrix;
mod embeddings;
mod entities;
mod language;
mod multi_label;
mod probabilities;
mod regression;
mod scheme;
mod similarities;
mod tables;
#[cfg(test)]
mod tests;

pub use answers::{AnswerFigures, AnswerMetrics, AnswerParts, BestThreshold, JudgedAnswer};
pub use by_task::Metrics;
pub use classification::{Averages, ClassMetrics, ClassificationMetrics, ZeroDivisions};
pub use confusion_matrix::{Confusion, ConfusionMatrix};
pub use embeddings::{EmbeddingFigures, EmbeddingMetrics};
pub use entities::{EntityFigures, EntityMetrics};
pub use language::LanguageMetrics;
pub use multi_label::MultiLabelMetrics;
pub use probabilities::{Pooled, ProbabilityMetrics};
pub use regression::{RegressionFigures, RegressionMetrics};
pub use scheme::{Scheme, Span, tolerant_entities};
pub use similarities::{DecisionFigures, SearchFigures, likeness, place_of_first};
