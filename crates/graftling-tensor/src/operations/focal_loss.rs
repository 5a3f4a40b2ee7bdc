//! Focal loss: cross-entropy that an example adds less to, the surer it is told right (Lin and others, 2017).

use super::slopes::{at_logits, ln_softmax, softplus};
use super::smoothed_cross_entropy::check;
use crate::graph::{Graph, Var};

impl Graph<'_> {
    /// The sum over the rows of `-w_label (1 - p)^gamma log p`, divided by `normalizer`, where `p` is the softmax probability of the
    /// label: logits `[rows, classes]`; a scalar (Lin and others, 2017, equation 5). `gamma` is not negative; 0 is cross-entropy.
    ///
    /// # Panics
    /// If there is not one label for each row or one weight for each class, or a label is not a class.
    pub fn focal_loss(&self, logits: &Var, labels: &[usize], gamma: f32, weights: Option<&[f32]>, normalizer: f32) -> Var {
        check("focal_loss", logits, labels, weights);
        at_logits(self, logits, normalizer, |row, values, slopes| {
            let label = labels[row];
            let log_probabilities: Vec<f64> = ln_softmax(values).collect();
            // The probabilities of the others are added up: 1 - p would lose all digits where p is nearly 1.
            let others = log_probabilities.iter().enumerate().filter(|(class, _)| *class != label);
            let rest: f64 = others.map(|(_, log_probability)| log_probability.exp()).sum();
            let (loss, slope) = focused(log_probabilities[label], rest, f64::from(gamma));
            let weight = weights.map_or(1.0, |weights| f64::from(weights[label]));
            for (class, target) in slopes.iter_mut().enumerate() {
                let at_label = f64::from(u8::from(class == label));
                *target = (weight * slope * (at_label - log_probabilities[class].exp())) as f32;
            }
            weight * loss
        })
    }

    /// The sum over all logits `x` with targets `y` that hold or not of `-w (1 - p)^gamma log p`, divided by `normalizer`, where `p` is
    /// `sigmoid(x)` and `w` the label's positive weight if `y` holds, else `p` is `sigmoid(-x)` and `w` is 1: logits `[rows, labels]`;
    /// a scalar (Lin and others, 2017, equation 5, for each label).
    ///
    /// # Panics
    /// If there is not one target for each logit, or one weight for each label.
    pub fn binary_focal_loss(
        &self,
        logits: &Var,
        targets: &[bool],
        gamma: f32,
        positive_weights: Option<&[f32]>,
        normalizer: f32,
    ) -> Var {
        let labels = logits.tensor.columns();
        assert_eq!(logits.tensor.values().len(), targets.len(), "binary_focal_loss: targets for logits");
        assert!(positive_weights.is_none_or(|weights| weights.len() == labels), "binary_focal_loss: weights for {labels} labels");
        at_logits(self, logits, normalizer, |row, values, slopes| {
            let mut total = 0.0;
            for (label, (value, target)) in values.iter().zip(slopes).enumerate() {
                let holds = targets[row * labels + label];
                let towards = if holds { f64::from(*value) } else { -f64::from(*value) };
                let rest = 1.0 / (1.0 + towards.exp());
                let (loss, slope) = focused(-softplus(-towards), rest, f64::from(gamma));
                let weight = positive_weights.filter(|_| holds).map_or(1.0, |weights| f64::from(weights[label]));
                total += weight * loss;
                *target = (weight * slope * rest * if holds { 1.0 } else { -1.0 }) as f32;
            }
            total
        })
    }
}

/// The loss of a probability `p` given as its logarithm, with `rest = 1 - p`; and `p` times its slope by `p`.
fn focused(log_probability: f64, rest: f64, gamma: f64) -> (f64, f64) {
    let focus = rest.powf(gamma);
    // With gamma below 1 the power has no slope at rest = 0, where the logarithm is 0 and the product with it vanishes.
    let bend = if rest > 0.0 { gamma * focus / rest * log_probability.exp() * log_probability } else { 0.0 };
    (-focus * log_probability, bend - focus)
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Parameters};

    #[test]
    fn without_focus_it_is_cross_entropy() {
        let mut parameters = Parameters::new();
        let logits = parameters.add("logits", &[2, 3], vec![0.5, -1.25, 3.0, 80.0, -90.0, 2.0]);
        let graph = Graph::inference(&parameters);
        let logits = graph.parameter(logits);
        let plain = graph.cross_entropy(&logits, &[1, 0], 2.0).tensor().item();
        assert!((graph.focal_loss(&logits, &[1, 0], 0.0, None, 2.0).tensor().item() - plain).abs() < 1e-6);
        let targets = [true, false, false, true, true, false];
        let numbers = targets.map(|holds| f32::from(u8::from(holds)));
        let plain = graph.binary_cross_entropy(&logits, &numbers, None, 6.0).tensor().item();
        assert!((graph.binary_focal_loss(&logits, &targets, 0.0, None, 6.0).tensor().item() - plain).abs() < 1e-5);
    }

    #[test]
    fn certainty_gives_neither_loss_nor_slope_that_is_no_number() {
        for gamma in [0.0, 0.5, 1.0, 2.0] {
            let mut parameters = Parameters::new();
            let id = parameters.add("logits", &[2, 2], vec![500.0, -500.0, -500.0, 500.0]);
            let mut gradients = crate::Gradients::new(&parameters);
            let graph = Graph::training(&parameters, 1);
            let loss = graph.focal_loss(&graph.parameter(id), &[0, 0], gamma, None, 1.0);
            assert_eq!(loss.tensor().item(), 1000.0, "{gamma}");
            graph.backward(&loss, &mut gradients);
            assert_eq!(gradients.get(id).unwrap(), [0.0, 0.0, -1.0, 1.0], "{gamma}");
        }
    }
}
