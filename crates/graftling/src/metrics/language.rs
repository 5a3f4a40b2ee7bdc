//! The figures of guessed tokens: loss, perplexity, accuracy. Knows numbers only.

use serde_json::{Map, Value, json};

use super::tables::{aligned, figure};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanguageMetrics {
    /// Texts, or windows of texts, evaluated.
    pub examples: u64,
    /// Tokens that were guessed.
    pub tokens: u64,
    /// The mean negative logarithm of the probability of the true token.
    pub loss: f64,
    /// The share of tokens whose most probable guess was right.
    pub accuracy: f64,
}

impl LanguageMetrics {
    /// The figures of `tokens` guesses in `examples` texts, of which `right` were right. Without tokens the accuracy is 0.
    pub fn new(examples: u64, tokens: u64, right: u64, loss: f64) -> Self {
        Self { examples, tokens, loss, accuracy: right as f64 / tokens.max(1) as f64 }
    }

    /// `exp(loss)`: among how many equally probable tokens the choice would be as hard.
    pub fn perplexity(&self) -> f64 {
        self.loss.exp()
    }

    /// One figure, where the task has it.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::Loss => Some(self.loss),
            BestMetric::Accuracy => Some(self.accuracy),
            _ => None,
        }
    }

    /// Every figure under the names that transformers' Trainer would write: `eval_loss`, `eval_perplexity`.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let figures = [
            ("loss", json!(self.loss)),
            ("perplexity", json!(self.perplexity())),
            ("accuracy", json!(self.accuracy)),
            ("scored_tokens", json!(self.tokens)),
            ("examples", json!(self.examples)),
        ];
        figures.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)).collect()
    }

    /// The figures in a line under their names.
    pub fn table(&self) -> String {
        let names = ["tokens guessed", "loss", "perplexity", "accuracy"].map(str::to_owned).to_vec();
        let figures = vec![self.tokens.to_string(), figure(self.loss), figure(self.perplexity()), figure(self.accuracy)];
        aligned(&[names, figures], 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perplexity_and_accuracy_follow_from_loss_and_counts() {
        let metrics = LanguageMetrics::new(2, 8, 6, f64::ln(4.0));
        assert!((metrics.perplexity() - 4.0).abs() < 1e-12);
        assert_eq!(metrics.accuracy, 0.75);
        assert_eq!(LanguageMetrics::new(0, 0, 0, 0.0).accuracy, 0.0);
        assert_eq!(metrics.flat("eval")["eval_scored_tokens"], 8);
    }
}
