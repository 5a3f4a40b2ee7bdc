//! Cross-entropy of labels that each hold or not by themselves.

use super::slopes::{at_logits, softplus};
use crate::graph::{Graph, Var};

impl Graph<'_> {
    /// The sum over all logits `x` with targets `y` of `weight y softplus(-x) + (1 - y) softplus(x)`, divided by `normalizer`: logits
    /// `[rows, labels]`, one target from 0 to 1 a logit; a scalar. `positive_weights` has one weight a label, or none where each is 1.
    ///
    /// This is torch's `binary_cross_entropy_with_logits` with `pos_weight`; neither logarithm nor exponential can overflow.
    /// `normalizer` is the number of logits in the whole step, as in [`Graph::cross_entropy`].
    ///
    /// # Panics
    /// If there is not one target for each logit, or one weight for each label.
    pub fn binary_cross_entropy(&self, logits: &Var, targets: &[f32], positive_weights: Option<&[f32]>, normalizer: f32) -> Var {
        let (values, labels) = (logits.tensor.values(), logits.tensor.columns());
        assert_eq!(values.len(), targets.len(), "binary_cross_entropy: targets for logits");
        if let Some(weights) = positive_weights {
            assert_eq!(weights.len(), labels, "binary_cross_entropy: positive weights for labels");
        }
        at_logits(self, logits, normalizer, |row, values, slopes| {
            let mut total = 0.0;
            for (label, (value, slope)) in values.iter().zip(slopes).enumerate() {
                let (x, y) = (f64::from(*value), f64::from(targets[row * labels + label]));
                let positive = positive_weights.map_or(1.0, |weights| f64::from(weights[label])) * y;
                total += positive * softplus(-x) + (1.0 - y) * softplus(x);
                let probability = 1.0 / (1.0 + (-x).exp());
                *slope = ((1.0 - y) * probability - positive * (1.0 - probability)) as f32;
            }
            total
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Parameters};

    /// The values are those of torch 2.15.
    #[test]
    fn values_are_those_of_torch_and_large_logits_do_not_overflow() {
        let mut parameters = Parameters::new();
        let logits = parameters.add("logits", &[2, 2], vec![0.5, -1.25, 300.0, -400.0]);
        let graph = Graph::inference(&parameters);
        let loss = |targets: &[f32], weights: Option<&[f32]>| {
            graph.binary_cross_entropy(&graph.parameter(logits), targets, weights, 4.0).tensor().item()
        };
        assert!((loss(&[1.0, 0.0, 1.0, 0.0], None) - 0.181_501_52).abs() < 1e-6);
        assert!((loss(&[0.0, 1.0, 0.0, 1.0], Some(&[2.0, 3.0])) - 376.369_97).abs() < 1e-3);
    }
}
