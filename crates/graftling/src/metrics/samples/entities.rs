//! Tags of the words of sentences, and the entities they spell: whole sentences are drawn.

use super::{names, sum};
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::counts::Counts;
use crate::metrics::entities::{SpanCounts, right_words};
use crate::metrics::{Averages, Scheme, Units};

/// Answers of a tag for each word of a sentence.
pub struct EntitySample {
    units: Units,
    default: SpanCounts,
    strict: Option<SpanCounts>,
    words: Vec<f64>,
    right: Vec<f64>,
    losses: Vec<f64>,
    /// How many words have a part in the loss of each sentence.
    terms: Vec<f64>,
}

impl EntitySample {
    /// Of true tags and those that were said, sentence by sentence; in the strict mode by the letter of a scheme, where there is one. With the
    /// sum of each sentence's losses, and of how many words it is the sum.
    ///
    /// # Panics
    /// If there are not as many predicted sentences and words as true ones, or not a loss a sentence.
    pub fn with_scheme<T: AsRef<str>>(
        scheme: Option<Scheme>,
        truths: &[Vec<T>],
        predictions: &[Vec<T>],
        losses: Vec<f64>,
        terms: &[usize],
    ) -> Self {
        let default = SpanCounts::tolerant(truths, predictions);
        let strict = scheme.and_then(|scheme| SpanCounts::strict(scheme, truths, predictions));
        Self { units: Units::Entities, default, strict, ..Self::of_words(truths, predictions, losses, terms) }
    }

    /// Of tags that spell no entities: each is a class of words.
    ///
    /// # Panics
    /// As [`with_scheme`](Self::with_scheme).
    pub fn of_words<T: AsRef<str>>(truths: &[Vec<T>], predictions: &[Vec<T>], losses: Vec<f64>, terms: &[usize]) -> Self {
        assert_eq!(truths.len(), predictions.len(), "sample: sentences");
        assert_eq!((truths.len(), truths.len()), (losses.len(), terms.len()), "sample: losses");
        let right = truths.iter().zip(predictions).map(|(truth, said)| right_words(truth, said) as f64);
        Self {
            units: Units::Words,
            default: SpanCounts::of_words(truths, predictions),
            strict: None,
            words: truths.iter().map(|truth| truth.len() as f64).collect(),
            right: right.collect(),
            losses,
            terms: terms.iter().map(|terms| *terms as f64).collect(),
        }
    }
}

impl Resampled for EntitySample {
    fn examples(&self) -> usize {
        self.words.len()
    }

    fn names(&self) -> Vec<FigureName> {
        let mut all = match self.units {
            Units::Entities => vec![("f1", "entity F1"), ("f1_macro", "entity macro F1")],
            Units::Words => vec![("f1_macro", "macro F1")],
        };
        if self.strict.is_some() {
            all.push(("strict_f1", "strict F1"));
        }
        all.extend([("accuracy", "tag accuracy"), ("loss", "loss")]);
        names(&all)
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let counts = |spans: &SpanCounts| spans.counts(|place| u64::from(weights[place]));
        let default = counts(&self.default);
        let present = default.iter().filter(|counts| counts.is_present());
        let mut values = match self.units {
            Units::Entities => vec![Counts::pooled(&default).figures().f1],
            Units::Words => Vec::new(),
        };
        values.push(Averages::mean(present.map(|counts| (1, counts.figures()))).f1);
        values.extend(self.strict.iter().map(|strict| Counts::pooled(&counts(strict)).figures().f1));
        let share = |of: &[f64], all: &[f64]| sum(of, weights) / sum(all, weights).max(1.0);
        values.extend([share(&self.right, &self.words), share(&self.losses, &self.terms)]);
        values
    }

    fn right(&self) -> Option<Vec<bool>> {
        Some(self.right.iter().zip(&self.words).map(|(right, words)| right == words).collect())
    }
}
