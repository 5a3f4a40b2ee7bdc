//! Softmax cross-entropy of classes that weigh differently, against labels that are not wholly trusted.

use super::slopes::{at_logits, ln_softmax};
use crate::graph::{Graph, Var};

impl Graph<'_> {
    /// The sum over the rows of `-sum_c q_c log softmax(logits)_c`, divided by `normalizer`: logits `[rows, classes]`; a scalar. With
    /// smoothing `e`, `C` classes and weights `w`, `q_c` is `(1 - e) w_label` at the label, and `e w_c / C` is added at every class.
    ///
    /// This is torch's `cross_entropy` with `weight` and `label_smoothing` (Szegedy and others, 2016, section 7), where the normalizer
    /// of a mean is the sum of the labels' weights. Without weights each is 1.
    ///
    /// # Panics
    /// If there is not one label for each row or one weight for each class, or a label is not a class.
    pub fn smoothed_cross_entropy(
        &self,
        logits: &Var,
        labels: &[usize],
        smoothing: f32,
        weights: Option<&[f32]>,
        normalizer: f32,
    ) -> Var {
        let classes = logits.tensor.columns();
        check("smoothed_cross_entropy", logits, labels, weights);
        let weight = |class: usize| weights.map_or(1.0, |weights| f64::from(weights[class]));
        let smoothing = f64::from(smoothing);
        let share: Vec<f64> = (0..classes).map(|class| smoothing * weight(class) / classes as f64).collect();
        let shares: f64 = share.iter().sum();
        at_logits(self, logits, normalizer, |row, values, slopes| {
            let label = labels[row];
            let own = (1.0 - smoothing) * weight(label);
            let mut loss = 0.0;
            for (class, (log_probability, slope)) in ln_softmax(values).zip(slopes).enumerate() {
                let wanted = share[class] + if class == label { own } else { 0.0 };
                loss -= wanted * log_probability;
                *slope = (log_probability.exp() * (shares + own) - wanted) as f32;
            }
            loss
        })
    }
}

/// One label a row, each of them a class, and one weight a class.
pub(super) fn check(operation: &str, logits: &Var, labels: &[usize], weights: Option<&[f32]>) {
    let classes = logits.tensor.columns();
    assert_eq!(logits.tensor.rows(), labels.len(), "{operation}: labels for logits of shape {:?}", logits.tensor.shape());
    assert!(labels.iter().all(|label| *label < classes), "{operation}: a label beyond {classes} classes");
    assert!(weights.is_none_or(|weights| weights.len() == classes), "{operation}: weights for {classes} classes");
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Parameters};

    /// The values are those of torch 2.15 in double precision.
    #[test]
    fn values_are_those_of_torch() {
        let mut parameters = Parameters::new();
        let logits = parameters.add("logits", &[2, 3], vec![0.5, -1.25, 2.0, 3.0, 0.25, -0.75]);
        let graph = Graph::inference(&parameters);
        let logits = graph.parameter(logits);
        let weights = Some(&[0.5, 2.0, 3.0][..]);
        let targets = [true, false, false, true, true, false];
        let cases = [
            ("smoothed", graph.smoothed_cross_entropy(&logits, &[1, 0], 0.1, None, 2.0), 1.808_226_7),
            ("smoothed, weighted", graph.smoothed_cross_entropy(&logits, &[1, 0], 0.2, weights, 1.0), 7.321_760_7),
            ("focal", graph.focal_loss(&logits, &[1, 0], 2.0, None, 1.0), 3.272_432_9),
            ("focal, weighted", graph.focal_loss(&logits, &[1, 0], 1.5, weights, 1.0), 6.647_65),
            ("binary focal", graph.binary_focal_loss(&logits, &targets, 2.0, None, 1.0), 1.880_476_2),
            ("binary focal, weighted", graph.binary_focal_loss(&logits, &targets, 2.0, weights, 1.0), 1.957_036_3),
        ];
        for (name, loss, expected) in cases {
            assert!((loss.tensor().item() - expected).abs() < 2e-6, "{name}: {} for {expected}", loss.tensor().item());
        }
    }
}
