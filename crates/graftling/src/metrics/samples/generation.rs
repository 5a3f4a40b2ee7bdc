//! Generated texts: whole texts are drawn, with their references.

use super::{counting, sum, total};
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::generation::{JudgedText, TextMetric, TokenLosses};

/// Generated texts, each with the counts that the figures follow from: n-grams for BLEU and chrF, edits for TER, scores for ROUGE.
pub struct TextGenerationSample {
    texts: usize,
    pub(in crate::metrics) metrics: Vec<CountedMetric>,
    /// The sum of the losses of each text's tokens, and how many tokens they are of.
    losses: Option<(Vec<f64>, Vec<f64>)>,
}

/// A kind of figures with what it has counted.
pub(in crate::metrics) struct CountedMetric {
    pub metric: TextMetric,
    pub signature: Option<String>,
    /// The numbers of each text, text after text.
    counts: Vec<f64>,
    /// What is added to their sums.
    constants: Vec<f64>,
}

impl CountedMetric {
    fn new(metric: TextMetric, texts: &[JudgedText<'_>]) -> Self {
        let (counts, constants) = metric.statistics(texts);
        Self { metric, signature: metric.signature(texts), counts, constants }
    }

    /// The sums where the text at each place counts `weights[place]` times.
    pub fn sums(&self, weights: &[u32]) -> Vec<f64> {
        let width = self.metric.width();
        let mut sums = self.constants.clone();
        for (place, weight) in counting(weights) {
            let of_text = &self.counts[place * width..(place + 1) * width];
            sums.iter_mut().zip(of_text).for_each(|(sum, value)| *sum += f64::from(weight) * value);
        }
        sums
    }
}

impl TextGenerationSample {
    /// Of texts by these kinds of figures, with the losses of the references' tokens where a model has told them.
    ///
    /// # Panics
    /// If a kind needs sources and a text has none, or there are losses but not of every text.
    pub fn new(metrics: &[TextMetric], texts: &[JudgedText<'_>], losses: Option<&[TokenLosses]>) -> Self {
        let losses = losses.map(|losses| {
            assert_eq!(losses.len(), texts.len(), "sample: losses");
            losses.iter().map(|losses| (losses.sum, losses.tokens as f64)).unzip()
        });
        let metrics = metrics.iter().map(|metric| CountedMetric::new(*metric, texts)).collect();
        Self { texts: texts.len(), metrics, losses }
    }

    /// The losses of all texts, where they are known.
    pub(in crate::metrics) fn losses(&self, weights: &[u32]) -> Option<TokenLosses> {
        let (sums, tokens) = self.losses.as_ref()?;
        Some(TokenLosses { sum: sum(sums, weights), tokens: sum(tokens, weights) as u64 })
    }
}

impl Resampled for TextGenerationSample {
    fn examples(&self) -> usize {
        self.texts
    }

    fn names(&self) -> Vec<FigureName> {
        let names = self.metrics.iter().flat_map(|counted| counted.metric.names());
        let of_losses = self.losses.iter().flat_map(|_| super::names(&[("perplexity", "perplexity"), ("loss", "loss")]));
        names.chain(of_losses).collect()
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let texts = total(weights);
        let values = self.metrics.iter().flat_map(|counted| counted.metric.values(&counted.sums(weights), texts));
        values.chain(self.losses(weights).iter().flat_map(|losses| [losses.perplexity(), losses.mean()])).collect()
    }

    fn right(&self) -> Option<Vec<bool>> {
        let exact = self.metrics.iter().find(|counted| counted.metric == TextMetric::ExactMatch)?;
        Some(exact.counts.iter().map(|exact| *exact == 1.0).collect())
    }
}
