//! The figures of predicted numbers: squared and absolute errors, R2, and the correlations of Pearson and Spearman.
//! Knows numbers only; no model and no text.
//!
//! Several numbers an example are judged one by one, and the figures averaged (scikit-learn's `uniform_average`).

use serde_json::{Map, Value, json};

use super::tables::{aligned, figure};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionMetrics {
    /// Examples evaluated.
    pub examples: u64,
    /// Mean loss, by whatever the training minimised.
    pub loss: f64,
    /// The figures averaged over the outputs.
    pub mean: RegressionFigures,
    /// The figures of each output.
    pub outputs: Vec<RegressionFigures>,
}

/// The figures of one output, or averaged over several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionFigures {
    /// Mean squared error.
    pub mse: f64,
    /// The root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// The share of the variance that is explained (`sklearn.metrics.r2_score`); there is none of fewer than two examples.
    pub r2: Option<f64>,
    /// Pearson's correlation (`scipy.stats.pearsonr`); there is none where one side is constant, or of fewer than two examples.
    pub pearson: Option<f64>,
    /// Spearman's: Pearson's of the ranks, equal values sharing theirs (`scipy.stats.spearmanr`).
    pub spearman: Option<f64>,
}

impl RegressionMetrics {
    /// The figures of predictions against truths: `outputs` numbers an example, end to end. Without examples every error is 0.
    ///
    /// # Panics
    /// If there are not as many predictions as truths, or not `outputs` for every example.
    pub fn new(truths: &[f32], predictions: &[f32], outputs: usize, loss: f64) -> Self {
        assert_eq!(truths.len(), predictions.len(), "regression metrics: truths and predictions");
        assert!(
            outputs > 0 && truths.len().is_multiple_of(outputs),
            "regression metrics: {} values, {outputs} outputs",
            truths.len()
        );
        let column = |values: &[f32], output: usize| -> Vec<f64> {
            values.iter().skip(output).step_by(outputs).map(|value| f64::from(*value)).collect()
        };
        let each: Vec<RegressionFigures> =
            (0..outputs).map(|output| figures(&column(truths, output), &column(predictions, output))).collect();
        let mean = |of: fn(&RegressionFigures) -> f64| each.iter().map(of).sum::<f64>() / outputs as f64;
        let defined = |of: fn(&RegressionFigures) -> Option<f64>| {
            let all: Option<Vec<f64>> = each.iter().map(of).collect();
            all.map(|all| all.iter().sum::<f64>() / outputs as f64)
        };
        let mean = RegressionFigures {
            mse: mean(|it| it.mse),
            rmse: mean(|it| it.rmse),
            mae: mean(|it| it.mae),
            r2: defined(|it| it.r2),
            pearson: defined(|it| it.pearson),
            spearman: defined(|it| it.spearman),
        };
        Self { examples: (truths.len() / outputs) as u64, loss, mean, outputs: each }
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of a regression. What is not defined is not a number.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::Mse => Some(self.mean.mse),
            BestMetric::Mae => Some(self.mean.mae),
            BestMetric::R2 => Some(self.mean.r2.unwrap_or(f64::NAN)),
            BestMetric::Pearson => Some(self.mean.pearson.unwrap_or(f64::NAN)),
            BestMetric::Spearman => Some(self.mean.spearman.unwrap_or(f64::NAN)),
            BestMetric::Loss => Some(self.loss),
            _ => None,
        }
    }

    /// Every figure under the names that transformers' Trainer would write: `eval_mse`, `eval_pearson`. What is not defined is null.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        for (name, value) in self.mean.named() {
            put(name, json!(value));
        }
        put("examples", json!(self.examples));
        flat
    }

    /// The figures of each output, where there are several.
    pub fn table(&self) -> String {
        let mut rows = vec![vec!["output".to_owned()]];
        rows[0].extend(self.mean.named().map(|(name, _)| name.to_owned()));
        let named = self.outputs.iter().enumerate().map(|(output, figures)| (output.to_string(), figures));
        for (name, figures) in named.chain([("mean".to_owned(), &self.mean)]).skip(usize::from(self.outputs.len() == 1)) {
            let mut row = vec![name];
            row.extend(figures.named().map(|(_, value)| value.map_or("-".to_owned(), figure)));
            rows.push(row);
        }
        aligned(&rows, 1)
    }
}

impl RegressionFigures {
    /// Each figure with its name.
    pub fn named(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("mse", Some(self.mse)),
            ("rmse", Some(self.rmse)),
            ("mae", Some(self.mae)),
            ("r2", self.r2),
            ("pearson", self.pearson),
            ("spearman", self.spearman),
        ]
    }
}

fn figures(truths: &[f64], predictions: &[f64]) -> RegressionFigures {
    let count = truths.len().max(1) as f64;
    let squared: f64 = truths.iter().zip(predictions).map(|(truth, prediction)| (truth - prediction).powi(2)).sum();
    let absolute: f64 = truths.iter().zip(predictions).map(|(truth, prediction)| (truth - prediction).abs()).sum();
    let mean = truths.iter().sum::<f64>() / count;
    let spread: f64 = truths.iter().map(|truth| (truth - mean).powi(2)).sum();
    let r2 = match (truths.len(), squared == 0.0, spread == 0.0) {
        (0 | 1, _, _) => None,
        // As scikit-learn has it: nothing to explain is explained, or not at all.
        (_, true, true) => Some(1.0),
        (_, false, true) => Some(0.0),
        _ => Some(1.0 - squared / spread),
    };
    RegressionFigures {
        mse: squared / count,
        rmse: (squared / count).sqrt(),
        mae: absolute / count,
        r2,
        pearson: pearson(truths, predictions),
        spearman: pearson(&ranks(truths), &ranks(predictions)),
    }
}

/// The covariance of two series divided by both deviations.
pub(super) fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    let is_constant = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
    if left.len() < 2 || is_constant(left) || is_constant(right) {
        return None;
    }
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let (left, right) = (centred(left), centred(right));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (left_norm, right_norm) = (product(&left, &left).sqrt(), product(&right, &right).sqrt());
    let correlation = product(&left, &right) / left_norm / right_norm;
    Some(correlation.clamp(-1.0, 1.0))
}

/// The place of each value among all, from 1; equal values have the mean of their places (`scipy.stats.rankdata`).
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&left, &right| values[left] == values[right]) {
        let rank = start as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|&place| ranks[place] = rank);
        start += group.len();
    }
    ranks
}
