//! The answers of an evaluation, example by example, as counts from which the figures of each kind can be computed for any drawing of
//! the examples. Knows no model and no text.

mod answers;
mod classification;
mod embeddings;
mod entities;
mod generation;
mod language;
mod multi_label;
mod regression;
#[cfg(test)]
mod tests;
mod written;

pub use answers::AnswerSample;
pub use classification::ClassificationSample;
pub use embeddings::EmbeddingSample;
pub use entities::EntitySample;
pub use generation::TextGenerationSample;
pub use language::LanguageSample;
pub use multi_label::MultiLabelSample;
pub use regression::RegressionSample;
pub use written::WrittenSample;

use super::areas::Area;
use super::bootstrap::FigureName;

/// The names of figures: in files, and in a line of text.
fn names(names: &[(&'static str, &'static str)]) -> Vec<FigureName> {
    names.iter().map(|&(key, name)| FigureName { key, name }).collect()
}

/// The names of the areas under curves, and their values: not a number where one is not defined.
const AREAS: [(&str, &str); 2] = [("roc_auc", "ROC-AUC"), ("average_precision", "average precision")];

fn area_values(area: &Area) -> [f64; 2] {
    [area.roc_auc, area.average_precision].map(|area| area.unwrap_or(f64::NAN))
}

/// The places that count, each with how often.
fn counting(weights: &[u32]) -> impl Iterator<Item = (usize, u32)> + '_ {
    weights.iter().copied().enumerate().filter(|(_, weight)| *weight > 0)
}

/// The sum of values, each as often as it counts.
fn sum(values: &[f64], weights: &[u32]) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum()
}

/// How many examples count, each as often as it does.
fn total(weights: &[u32]) -> f64 {
    weights.iter().map(|weight| f64::from(*weight)).sum()
}
