//! What generated texts are worth against references: BLEU, chrF, TER, ROUGE, and what outputs look like. Knows texts only; no model, no
//! tokenizer of a model, no files.

mod bleu;
mod chrf;
mod figures;
mod language;
mod metric;
mod ngrams;
mod perplexity;
mod rates;
mod rouge;
mod rules;
mod signature;
mod ter;
#[cfg(test)]
mod tests;
mod tokenizers;

use rayon::prelude::*;

pub use bleu::{Bleu, BleuScore, Smoothing};
pub use chrf::{Chrf, ChrfVariant};
pub use figures::TextGenerationMetrics;
pub use language::{NotALanguage, TargetLanguage};
pub use metric::TextMetric;
pub use perplexity::TokenLosses;
pub use rouge::{Rouge, RougeScore, RougeScores, RougeTokenizer};
pub use ter::{Ter, TerScore};
pub use tokenizers::{BleuTokenizer, LanguageTokenizer, UnknownTokenizer, is_without_blanks};

/// A text that was generated, and what it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedText<'a> {
    /// What was generated.
    pub output: &'a str,
    /// What would have been right, each by itself; one at least.
    pub references: &'a [String],
    /// What it was generated from, where that is known.
    pub source: Option<&'a str>,
}

/// The sums over texts of the numbers that each of them has.
fn summed(texts: &[JudgedText<'_>], width: usize, statistics: impl Fn(&JudgedText<'_>) -> Vec<f64> + Send + Sync) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    let each: Vec<Vec<f64>> = texts.par_iter().map(statistics).collect();
    for statistics in each {
        sums.iter_mut().zip(statistics).for_each(|(sum, value)| *sum += value);
    }
    sums
}
