//! What the logits of classes say of which one is true. Knows no task and no label.

/// The place of the largest logit, the first of equal ones, as in numpy's and torch's argmax.
pub(super) fn largest(logits: &[f32]) -> usize {
    (0..logits.len()).rev().max_by(|&left, &right| logits[left].total_cmp(&logits[right])).unwrap_or(0)
}

/// `exp(x_i / t) / sum exp(x / t)` at a temperature t, shifted by the largest value so that nothing overflows.
pub(crate) fn softmax_at(temperature: f64, logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| (f64::from(logit - largest) / temperature).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| (exponential / sum) as f32).collect()
}

/// The cross-entropy of logits with the class that is true, at a temperature.
pub(super) fn cross_entropy_at(temperature: f64, logits: &[f32], class: usize) -> f64 {
    let largest = logits[largest(logits)];
    let scaled = |logit: f32| f64::from(logit - largest) / temperature;
    logits.iter().map(|logit| scaled(*logit).exp()).sum::<f64>().ln() - scaled(logits[class])
}
