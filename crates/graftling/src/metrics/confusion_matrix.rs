//! How often each class was taken for which. Knows class numbers only; cells that are zero take no memory, so thousands of classes are fine.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::counts::Counts;

/// Counts of (true class, predicted class).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    cells: BTreeMap<(usize, usize), u64>,
    /// Examples of each true class.
    truths: Vec<u64>,
    /// Predictions of each class.
    predictions: Vec<u64>,
}

/// A cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confusion {
    /// The true class.
    pub truth: usize,
    /// The predicted class.
    pub predicted: usize,
    /// How often.
    pub count: u64,
}

impl ConfusionMatrix {
    /// An empty matrix over so many classes.
    pub fn new(classes: usize) -> ConfusionMatrix {
        ConfusionMatrix { cells: BTreeMap::new(), truths: vec![0; classes], predictions: vec![0; classes] }
    }

    /// The matrix of pairs of (true class, predicted class).
    pub fn from_pairs(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(classes);
        for (truth, predicted) in pairs {
            matrix.add(truth, predicted);
        }
        matrix
    }

    /// Counts one example.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        let classes = self.classes();
        assert!(truth < classes && predicted < classes, "confusion matrix: ({truth}, {predicted}) but {classes} classes");
        *self.cells.entry((truth, predicted)).or_insert(0) += 1;
        self.truths[truth] += 1;
        self.predictions[predicted] += 1;
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.truths.len()
    }

    /// How often `truth` was taken for `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.cells.get(&(truth, predicted)).copied().unwrap_or(0)
    }

    /// Examples whose true class is this.
    pub fn support(&self, class: usize) -> u64 {
        self.truths[class]
    }

    /// Examples for which this class was predicted.
    pub fn predicted(&self, class: usize) -> u64 {
        self.predictions[class]
    }

    /// What was right, predicted and true of a class.
    pub(super) fn counts(&self, class: usize) -> Counts {
        Counts { right: self.count(class, class), predicted: self.predicted(class), support: self.support(class) }
    }

    /// All examples.
    pub fn examples(&self) -> u64 {
        self.truths.iter().sum()
    }

    /// Examples whose class was predicted.
    pub fn correct(&self) -> u64 {
        self.cells.iter().filter(|((truth, predicted), _)| truth == predicted).map(|(_, count)| count).sum()
    }

    /// Every cell that is not zero, row by row.
    pub fn cells(&self) -> impl Iterator<Item = Confusion> + '_ {
        self.cells.iter().map(|(&(truth, predicted), &count)| Confusion { truth, predicted, count })
    }

    /// Every cell that is not zero, with the names of its classes.
    pub(super) fn to_json<'n>(&self, name: impl Fn(usize) -> &'n String) -> Value {
        let cell = |cell: Confusion| json!({ "label": name(cell.truth), "predicted": name(cell.predicted), "count": cell.count });
        self.cells().map(cell).collect()
    }

    /// The most frequent mistakes, the most frequent first, equal ones in the order of the classes.
    pub fn top_confusions(&self, most: usize) -> Vec<Confusion> {
        let mut mistakes: Vec<Confusion> = self.cells().filter(|cell| cell.truth != cell.predicted).collect();
        mistakes.sort_by_key(|cell| std::cmp::Reverse(cell.count));
        mistakes.truncate(most);
        mistakes
    }
}
