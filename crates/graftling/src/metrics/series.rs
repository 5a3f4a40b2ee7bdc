//! True and predicted numbers side by side, whose errors and correlations are computed for any number of times that each pair counts.
//! Knows numbers only.

use super::RegressionFigures;

/// The numbers of one output.
pub(super) struct Series {
    truths: Vec<f64>,
    predictions: Vec<f64>,
    truth_order: Order,
    prediction_order: Order,
}

/// The places of values from the smallest to the largest, equal ones together.
struct Order(Vec<Vec<usize>>);

impl Series {
    /// One series for each of the `outputs` numbers that every example has, end to end.
    pub fn of_outputs(truths: &[f32], predictions: &[f32], outputs: usize) -> Vec<Self> {
        let column = |values: &[f32], output: usize| -> Vec<f64> {
            values.iter().skip(output).step_by(outputs).map(|value| f64::from(*value)).collect()
        };
        (0..outputs).map(|output| Self::new(column(truths, output), column(predictions, output))).collect()
    }

    /// Truths and predictions side by side.
    pub fn new(truths: Vec<f64>, predictions: Vec<f64>) -> Self {
        let (truth_order, prediction_order) = (Order::of(&truths), Order::of(&predictions));
        Self { truths, predictions, truth_order, prediction_order }
    }

    /// The figures where each pair counts so many times.
    pub fn figures(&self, weights: &[u32]) -> RegressionFigures {
        let Self { truths, predictions, .. } = self;
        let examples: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let count = examples.max(1) as f64;
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            let pairs = truths.iter().zip(predictions).zip(weights);
            pairs.map(|((truth, prediction), weight)| f64::from(*weight) * of(*truth, *prediction)).sum()
        };
        let squared = sum(&|truth, prediction| (truth - prediction).powi(2));
        let mean = sum(&|truth, _| truth) / count;
        let spread = if is_constant(truths, weights) { 0.0 } else { sum(&|truth, _| (truth - mean).powi(2)) };
        let r2 = match (examples, squared == 0.0, spread == 0.0) {
            (0 | 1, _, _) => None,
            // As scikit-learn has it: nothing to explain is explained, or not at all.
            (_, true, true) => Some(1.0),
            (_, false, true) => Some(0.0),
            _ => Some(1.0 - squared / spread),
        };
        let [pearson, spearman] = self.correlations(weights);
        RegressionFigures {
            mse: squared / count,
            rmse: (squared / count).sqrt(),
            mae: sum(&|truth, prediction| (truth - prediction).abs()) / count,
            r2,
            pearson,
            spearman,
        }
    }

    /// Pearson's and Spearman's correlation where each pair counts so many times; `None` where one side is constant.
    pub fn correlations(&self, weights: &[u32]) -> [Option<f64>; 2] {
        let ranks = [self.truth_order.ranks(weights), self.prediction_order.ranks(weights)];
        [pearson(&self.truths, &self.predictions, weights), pearson(&ranks[0], &ranks[1], weights)]
    }
}

impl Order {
    fn of(values: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
        Self(order.chunk_by(|&left, &right| values[left] == values[right]).map(<[usize]>::to_vec).collect())
    }

    /// The place of each value among all, from 1; equal values have the mean of their places (`scipy.stats.rankdata`).
    fn ranks(&self, weights: &[u32]) -> Vec<f64> {
        let mut ranks = vec![0.0; weights.len()];
        let mut start = 0.0;
        for equal in &self.0 {
            let count: f64 = equal.iter().map(|&place| f64::from(weights[place])).sum();
            equal.iter().for_each(|&place| ranks[place] = start + (count + 1.0) / 2.0);
            start += count;
        }
        ranks
    }
}

/// Whether all values that count are the same.
fn is_constant(values: &[f64], weights: &[u32]) -> bool {
    let mut counting = values.iter().zip(weights).filter(|(_, weight)| **weight > 0).map(|(value, _)| value);
    let first = counting.next();
    counting.all(|value| Some(value) == first)
}

/// The covariance of two series divided by both deviations; `None` where one of them is constant.
fn pearson(left: &[f64], right: &[f64], weights: &[u32]) -> Option<f64> {
    if is_constant(left, weights) || is_constant(right, weights) {
        return None;
    }
    let weighed = || weights.iter().map(|weight| f64::from(*weight));
    let count: f64 = weighed().sum();
    let mean = |values: &[f64]| values.iter().zip(weighed()).map(|(value, weight)| weight * value).sum::<f64>() / count;
    let means = (mean(left), mean(right));
    let (mut both, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for ((left, right), weight) in left.iter().zip(right).zip(weighed()) {
        let (left, right) = (left - means.0, right - means.1);
        both += weight * left * right;
        of_left += weight * left * left;
        of_right += weight * right * right;
    }
    Some((both / of_left.sqrt() / of_right.sqrt()).clamp(-1.0, 1.0))
}
