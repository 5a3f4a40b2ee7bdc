//! Counts of what was right, predicted and true, class by class, and the averages they give. Knows numbers only.

use super::Averages;

/// How often a class is right where it is predicted, and where it is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub right: u64,
    pub predicted: u64,
    pub support: u64,
}

impl Counts {
    /// One decision: whether the class is the true one, and whether it is what was said.
    pub fn of(truth: bool, predicted: bool) -> Self {
        Self { right: u64::from(truth && predicted), predicted: u64::from(predicted), support: u64::from(truth) }
    }

    /// Counts the other `times` times.
    pub fn add(&mut self, other: Self, times: u64) {
        self.right += times * other.right;
        self.predicted += times * other.predicted;
        self.support += times * other.support;
    }

    /// Whether there is anything of the class.
    pub fn is_present(self) -> bool {
        self.support + self.predicted > 0
    }

    /// All classes pooled.
    pub fn pooled(classes: &[Self]) -> Self {
        let mut pooled = Self::default();
        classes.iter().for_each(|counts| pooled.add(*counts, 1));
        pooled
    }

    /// Precision, recall and F1; 0 of 0 is 0.
    pub fn figures(self) -> Averages {
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let Self { right, predicted, support } = self;
        Averages { precision: share(right, predicted), recall: share(right, support), f1: share(2 * right, support + predicted) }
    }
}

/// Gorodkin 2004, equation 8, written with the margins of the matrix as in scikit-learn's `matthews_corrcoef`; 0 where it is not
/// defined.
pub(super) fn matthews(classes: &[Counts]) -> f64 {
    let sum = |of: fn(&Counts) -> i128| -> i128 { classes.iter().map(of).sum() };
    let (examples, correct) = (sum(|it| i128::from(it.support)), sum(|it| i128::from(it.right)));
    let both = correct * examples - sum(|it| i128::from(it.support) * i128::from(it.predicted));
    let truth = examples * examples - sum(|it| i128::from(it.support) * i128::from(it.support));
    let predicted = examples * examples - sum(|it| i128::from(it.predicted) * i128::from(it.predicted));
    if truth == 0 || predicted == 0 { 0.0 } else { both as f64 / ((truth as f64).sqrt() * (predicted as f64).sqrt()) }
}
