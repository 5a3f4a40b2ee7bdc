//! Guessed tokens: whole texts, or windows of them, are drawn.

use super::{names, sum};
use crate::metrics::bootstrap::{FigureName, Resampled};

/// Guesses at the tokens of texts.
pub struct LanguageSample {
    tokens: Vec<f64>,
    right: Vec<f64>,
    losses: Vec<f64>,
}

impl LanguageSample {
    /// Of each text how many tokens were guessed, how many of them right, and the sum of their losses.
    ///
    /// # Panics
    /// If there are not as many sums as texts.
    pub fn new(counts: &[(usize, usize)], losses: Vec<f64>) -> Self {
        assert_eq!(counts.len(), losses.len(), "sample: losses");
        let (tokens, right) = counts.iter().map(|(tokens, right)| (*tokens as f64, *right as f64)).unzip();
        Self { tokens, right, losses }
    }
}

impl Resampled for LanguageSample {
    fn examples(&self) -> usize {
        self.tokens.len()
    }

    fn names(&self) -> Vec<FigureName> {
        names(&[("perplexity", "perplexity"), ("accuracy", "accuracy"), ("loss", "loss")])
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let tokens = sum(&self.tokens, weights).max(1.0);
        let loss = sum(&self.losses, weights) / tokens;
        vec![loss.exp(), sum(&self.right, weights) / tokens, loss]
    }
}
