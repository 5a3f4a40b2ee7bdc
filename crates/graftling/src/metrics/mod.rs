//! What a model's answers are worth: confusion matrix, accuracy, precision, recall, F1, Matthews, loss, figures of generated texts, and their tables.
//! Knows answers only; no tensors, no model, no files.

mod answer_words;
mod answers;
mod areas;
mod bootstrap;
mod by_task;
mod calibration;
mod classification;
mod confusion_matrix;
mod counts;
mod embeddings;
mod entities;
mod generation;
mod language;
mod mcnemar;
mod multi_label;
mod probabilities;
mod regression;
mod reliability;
mod samples;
mod scheme;
mod series;
mod similarities;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod thresholds;
mod written;

pub use answers::{AnswerFigures, AnswerMetrics, AnswerParts, BestThreshold, JudgedAnswer};
pub use bootstrap::{Difference, FigureName, Interval, Intervals, LEVEL, RESAMPLES, Resampled};
pub use by_task::Metrics;
pub use calibration::{temperature_of_classes, temperature_of_labels};
pub use classification::{Averages, ClassMetrics, ClassificationMetrics, ZeroDivisions};
pub use confusion_matrix::{Confusion, ConfusionMatrix};
pub use embeddings::{EmbeddingFigures, EmbeddingMetrics};
pub use entities::{EntityFigures, EntityMetrics, Units};
pub use generation::{
    Bleu, BleuScore, BleuTokenizer, Chrf, ChrfVariant, JudgedText, LanguageTokenizer, NotALanguage, Rouge, RougeScore,
    RougeScores, RougeTokenizer, Smoothing, TargetLanguage, Ter, TerScore, TextGenerationMetrics, TextMetric, TokenLosses,
    UnknownTokenizer, is_without_blanks,
};
pub use language::LanguageMetrics;
pub use mcnemar::McNemar;
pub use multi_label::MultiLabelMetrics;
pub use probabilities::{Pooled, ProbabilityMetrics};
pub use regression::{RegressionFigures, RegressionMetrics};
pub(crate) use reliability::CalibrationSums;
pub use reliability::{Calibration, CalibrationBin};
pub use samples::{
    AnswerSample, ClassificationSample, EmbeddingSample, EntitySample, LanguageSample, MultiLabelSample, RegressionSample,
    TextGenerationSample, WrittenSample,
};
pub use scheme::{Scheme, Span, tolerant_entities};
pub use similarities::{DecisionFigures, SearchFigures, likeness, place_of_first};
pub use thresholds::best_threshold;
pub use written::WrittenMetrics;
