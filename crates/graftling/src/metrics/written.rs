//! The figures of texts that are written from others: of their tokens, each foreseen from those before it, and of what a model writes by
//! itself, where it was asked to. Knows numbers only.

use serde_json::{Map, Value, json};

use super::generation::TextGenerationMetrics;
use super::language::LanguageMetrics;
use super::tables::{aligned, figure};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenMetrics {
    /// Of the tokens of the targets.
    pub tokens: LanguageMetrics,
    /// Of what was written, where something was.
    pub texts: Option<TextGenerationMetrics>,
    /// How many tokens were written for a text on the mean, the end token included.
    pub generated_length: Option<f64>,
}

impl WrittenMetrics {
    /// Of the tokens of targets, and of texts that were written with their mean length in tokens.
    pub fn new(tokens: LanguageMetrics, texts: Option<(TextGenerationMetrics, f64)>) -> Self {
        let (texts, generated_length) = texts.unzip();
        Self { tokens, texts, generated_length }
    }

    /// One figure, where there is one.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        self.tokens.value(metric).or_else(|| self.texts.as_ref()?.get(metric.word()))
    }

    /// The figures that matter most: how well what was written agrees with the references, and the figures of tokens.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let of_texts = self.texts.iter().flat_map(TextGenerationMetrics::headline);
        let of_tokens =
            [("perplexity", self.tokens.perplexity()), ("accuracy", self.tokens.accuracy), ("loss", self.tokens.loss)];
        of_texts.chain(of_tokens).collect()
    }

    /// Every figure under the names that transformers' example scripts and sacrebleu give it: `eval_loss`, `eval_rougeL`, `eval_gen_len`.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = self.texts.as_ref().map_or_else(Map::new, |texts| texts.flat(prefix));
        flat.extend(self.generated_length.map(|length| (format!("{prefix}_gen_len"), json!(length))));
        flat.extend(self.tokens.flat(prefix));
        flat
    }

    /// The figures as text.
    pub fn table(&self) -> String {
        let tokens = self.tokens.table();
        let length = self.generated_length.map(|length| aligned(&[vec!["tokens written, mean".to_owned(), figure(length)]], 1));
        match &self.texts {
            Some(texts) => format!("{}{}\n{tokens}", texts.table(), length.unwrap_or_default()),
            None => tokens,
        }
    }
}
