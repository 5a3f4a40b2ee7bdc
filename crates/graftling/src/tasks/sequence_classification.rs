//! One label for each text or pair of texts. Knows nothing of how texts become logits.

use graftling_models::Head;
use graftling_tensor::{Graph, Var};
use graftling_text::{Dataset, LabelSet};

use super::{Decoded, Objective, Target};
use crate::Error;

/// The labels to tell apart.
pub(super) struct SequenceClassification {
    labels: LabelSet,
}

impl SequenceClassification {
    /// The labels that occur in the training examples, in the order of their names.
    pub fn from_examples(dataset: &Dataset) -> Result<Self, Error> {
        Ok(Self { labels: LabelSet::for_training(dataset)? })
    }

    /// The labels of a model, in the order of its logits.
    pub fn from_labels(names: &[String]) -> Self {
        Self { labels: LabelSet::from_names(names) }
    }
}

impl Objective for SequenceClassification {
    fn targets(&self, dataset: &Dataset) -> Result<Vec<Target>, Error> {
        Ok(self.labels.ids(dataset)?.into_iter().map(Target::Class).collect())
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[Target], normalizer: f32) -> Var {
        let classes: Vec<usize> = targets.iter().map(|&Target::Class(class)| class).collect();
        graph.cross_entropy(logits, &classes, normalizer)
    }

    fn decode(&self, logits: &[f32]) -> Decoded {
        let probabilities = softmax(logits);
        // The first of equal logits, as in numpy's and torch's argmax.
        let class = (0..logits.len()).rev().max_by(|&left, &right| logits[left].total_cmp(&logits[right])).unwrap_or(0);
        Decoded::Class { class, probabilities }
    }

    fn head(&self) -> Head {
        Head::single_label(self.labels.names())
    }

    fn labels(&self) -> &[String] {
        self.labels.names()
    }
}

/// `exp(x_i) / sum exp(x)`, shifted by the largest value so that nothing overflows.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| (exponential / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective() -> SequenceClassification {
        SequenceClassification::from_labels(&["negative", "neutral", "positive"].map(str::to_owned))
    }

    #[test]
    fn decoding_gives_the_largest_logit_and_probabilities_that_sum_to_one() {
        let Decoded::Class { class, probabilities } = objective().decode(&[1.0, 2.0, 900.0]);
        assert_eq!(class, 2);
        assert_eq!(probabilities, [0.0, 0.0, 1.0]);
        let Decoded::Class { class, probabilities } = objective().decode(&[0.0, f32::ln(2.0), 0.0]);
        assert_eq!(class, 1);
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((probabilities[1] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn equal_logits_mean_the_first_label() {
        assert!(matches!(objective().decode(&[1.0, 3.0, 3.0]), Decoded::Class { class: 1, .. }));
    }
}
