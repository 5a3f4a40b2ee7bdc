//! Numbers.

use super::{names, sum, total};
use crate::metrics::RegressionFigures;
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::series::Series;

/// Answers of numbers.
pub struct RegressionSample {
    examples: usize,
    outputs: Vec<Series>,
    losses: Vec<f64>,
}

impl RegressionSample {
    /// Of true and predicted numbers, `outputs` an example, end to end; and the sum of each example's losses.
    ///
    /// # Panics
    /// If there are not as many predictions as truths, or not a loss an example.
    pub fn new(truths: &[f32], predictions: &[f32], outputs: usize, losses: Vec<f64>) -> Self {
        assert_eq!(truths.len(), predictions.len(), "sample: truths and predictions");
        assert_eq!(losses.len() * outputs, truths.len(), "sample: losses");
        Self { examples: losses.len(), outputs: Series::of_outputs(truths, predictions, outputs), losses }
    }
}

impl Resampled for RegressionSample {
    fn examples(&self) -> usize {
        self.examples
    }

    fn names(&self) -> Vec<FigureName> {
        names(&[("pearson", "Pearson"), ("spearman", "Spearman"), ("mae", "MAE"), ("mse", "MSE"), ("r2", "R2"), ("loss", "loss")])
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let each: Vec<RegressionFigures> = self.outputs.iter().map(|series| series.figures(weights)).collect();
        let RegressionFigures { mse, mae, r2, pearson, spearman, .. } = RegressionFigures::mean(&each);
        let defined = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
        let loss = sum(&self.losses, weights) / (total(weights) * self.outputs.len() as f64).max(1.0);
        vec![defined(pearson), defined(spearman), mae, mse, defined(r2), loss]
    }
}
