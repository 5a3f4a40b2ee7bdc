//! The figures of predicted numbers: squared and absolute errors, R2, and the correlations of Pearson and Spearman.
//! Knows numbers only; no model and no text.
//!
//! Several numbers an example are judged one by one, and the figures averaged (scikit-learn's `uniform_average`).

use serde_json::{Map, Value, json};

use super::series::Series;
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
        let once = vec![1; truths.len() / outputs];
        let each: Vec<RegressionFigures> =
            Series::of_outputs(truths, predictions, outputs).iter().map(|series| series.figures(&once)).collect();
        Self { examples: once.len() as u64, loss, mean: RegressionFigures::mean(&each), outputs: each }
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
    /// The mean of the figures of several outputs; what is not defined for one of them is not.
    pub(super) fn mean(each: &[Self]) -> Self {
        let count = each.len() as f64;
        let mean = |of: fn(&RegressionFigures) -> f64| each.iter().map(of).sum::<f64>() / count;
        let defined = |of: fn(&RegressionFigures) -> Option<f64>| {
            let all: Option<Vec<f64>> = each.iter().map(of).collect();
            all.map(|all| all.iter().sum::<f64>() / count)
        };
        Self {
            mse: mean(|it| it.mse),
            rmse: mean(|it| it.rmse),
            mae: mean(|it| it.mae),
            r2: defined(|it| it.r2),
            pearson: defined(|it| it.pearson),
            spearman: defined(|it| it.spearman),
        }
    }

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
