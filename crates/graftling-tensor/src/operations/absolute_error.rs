//! Errors against real targets that grow no faster than the distance: absolute, and Huber's.

use super::slopes::at_logits;
use crate::graph::{Graph, Var};

impl Graph<'_> {
    /// The sum of `|prediction - target|`, divided by `normalizer`: predictions of any shape, one target a value; a scalar (torch's
    /// `l1_loss`). Where a prediction is its target, the slope is 0.
    ///
    /// # Panics
    /// If there is not one target for each prediction.
    pub fn mean_absolute_error(&self, predictions: &Var, targets: &[f32], normalizer: f32) -> Var {
        self.error(predictions, targets, normalizer, |distance| (distance.abs(), distance.signum() * f64::from(distance != 0.0)))
    }

    /// The sum of `d^2 / 2` where the distance `d` of prediction and target is at most `delta`, and of `delta (|d| - delta / 2)` where
    /// it is more, divided by `normalizer` (Huber 1964; torch's `huber_loss`).
    ///
    /// # Panics
    /// If there is not one target for each prediction.
    pub fn huber(&self, predictions: &Var, targets: &[f32], delta: f32, normalizer: f32) -> Var {
        let delta = f64::from(delta);
        self.error(predictions, targets, normalizer, |distance| {
            let size = distance.abs();
            let error = if size <= delta { 0.5 * size * size } else { delta * (size - 0.5 * delta) };
            (error, distance.clamp(-delta, delta))
        })
    }

    /// `error` gives the error of a distance and its slope.
    fn error(&self, predictions: &Var, targets: &[f32], normalizer: f32, error: impl Fn(f64) -> (f64, f64)) -> Var {
        let values = predictions.tensor.values();
        assert_eq!(values.len(), targets.len(), "error: targets for predictions");
        at_logits(self, predictions, normalizer, |row, values, slopes| {
            let mut total = 0.0;
            for (column, (value, target)) in values.iter().zip(slopes).enumerate() {
                let (error, slope) = error(f64::from(*value) - f64::from(targets[row * values.len() + column]));
                total += error;
                *target = slope as f32;
            }
            total
        })
    }
}
