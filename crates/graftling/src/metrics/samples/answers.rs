//! Answers to questions.

use super::{names, sum, total};
use crate::metrics::JudgedAnswer;
use crate::metrics::answers::{Scores, scores};
use crate::metrics::bootstrap::{FigureName, Resampled};

/// Answers to questions, each with its exact match and F1. The loss is a mean over windows, not over questions, and is not among the
/// figures.
pub struct AnswerSample {
    plain: Vec<Scores>,
    /// With each Chinese character and each kana a word of its own, where there are such.
    mixed: Option<Vec<Scores>>,
}

impl AnswerSample {
    /// By the rules of [`AnswerMetrics::new`](crate::metrics::AnswerMetrics::new).
    pub fn new(answers: &[JudgedAnswer<'_>]) -> Self {
        let (plain, mixed) = scores(answers);
        Self { plain, mixed }
    }
}

impl Resampled for AnswerSample {
    fn examples(&self) -> usize {
        self.plain.len()
    }

    fn names(&self) -> Vec<FigureName> {
        let mut all = vec![("exact_match", "exact match"), ("f1", "F1")];
        if self.mixed.is_some() {
            all.extend([("exact_match_mixed", "exact match mixed"), ("f1_mixed", "F1 mixed")]);
        }
        names(&all)
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let all = total(weights).max(1.0);
        let percent = |scores: &[Scores], place: usize| {
            let values: Vec<f64> = scores.iter().map(|scores| scores[place]).collect();
            100.0 * sum(&values, weights) / all
        };
        let scores = [Some(&self.plain), self.mixed.as_ref()];
        scores.into_iter().flatten().flat_map(|scores| [0, 1].map(|place| percent(scores, place))).collect()
    }

    fn right(&self) -> Option<Vec<bool>> {
        Some(self.plain.iter().map(|[exact, _]| *exact == 1.0).collect())
    }
}
