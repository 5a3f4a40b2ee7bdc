//! Any number of labels an example.

use super::{counting, names, sum, total};
use crate::metrics::Averages;
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::counts::Counts;
use crate::metrics::probabilities::{BINS, label_brier, label_confidence};

/// Answers of any number of labels an example.
pub struct MultiLabelSample {
    labels: usize,
    /// Of each example the labels that it has or was said to have.
    decisions: Vec<Vec<(usize, Counts)>>,
    /// Whether all labels of an example are right.
    whole: Vec<bool>,
    /// F1 of an example's own labels.
    f1: Vec<f64>,
    /// The sums over an example's labels.
    losses: Vec<f64>,
    briers: Vec<f64>,
    /// Of each example by how much confidence is above what came true, in each bin that it has.
    gaps: Vec<Vec<(usize, f64)>>,
}

impl MultiLabelSample {
    /// Of `labels` labels: truths, decisions and probabilities, those of an example end to end; and the sum of each example's losses.
    ///
    /// # Panics
    /// If there are not as many decisions and probabilities as truths, or not a loss an example.
    pub fn new(labels: usize, truths: &[bool], said: &[bool], probabilities: &[f32], losses: Vec<f64>) -> Self {
        assert_eq!((truths.len(), truths.len()), (said.len(), probabilities.len()), "sample: truths, decisions, probabilities");
        assert_eq!(losses.len() * labels, truths.len(), "sample: losses");
        let rows = truths.chunks_exact(labels).zip(said.chunks_exact(labels)).zip(probabilities.chunks_exact(labels));
        let mut sample = Self {
            labels,
            decisions: Vec::new(),
            whole: Vec::new(),
            f1: Vec::new(),
            losses,
            briers: Vec::new(),
            gaps: Vec::new(),
        };
        for ((truths, said), probabilities) in rows {
            let each = truths.iter().zip(said).map(|(truth, said)| Counts::of(*truth, *said)).enumerate();
            let decisions: Vec<(usize, Counts)> = each.filter(|(_, counts)| counts.is_present()).collect();
            let pooled = Counts::pooled(&decisions.iter().map(|(_, counts)| *counts).collect::<Vec<_>>());
            sample.f1.push(pooled.figures().f1);
            sample.decisions.push(decisions);
            sample.whole.push(truths == said);
            sample.briers.push(truths.iter().zip(probabilities).map(|(truth, p)| label_brier(*p, *truth)).sum());
            let mut gaps: Vec<(usize, f64)> = Vec::new();
            for (bin, gap) in truths.iter().zip(probabilities).map(|(truth, p)| label_confidence(*p, *truth)) {
                match gaps.iter_mut().find(|(known, _)| *known == bin) {
                    Some((_, sum)) => *sum += gap,
                    None => gaps.push((bin, gap)),
                }
            }
            sample.gaps.push(gaps);
        }
        sample
    }
}

impl Resampled for MultiLabelSample {
    fn examples(&self) -> usize {
        self.whole.len()
    }

    fn names(&self) -> Vec<FigureName> {
        names(&[
            ("f1_micro", "micro F1"),
            ("f1_macro", "macro F1"),
            ("f1_samples", "samples F1"),
            ("accuracy", "all labels right"),
            ("brier", "Brier"),
            ("calibration_error", "calibration error"),
            ("loss", "loss"),
        ])
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let mut counts = vec![Counts::default(); self.labels];
        let mut gaps = [0.0; BINS];
        let mut whole = 0.0;
        for (place, weight) in counting(weights) {
            let decisions = &self.decisions[place];
            decisions.iter().for_each(|(label, decision)| counts[*label].add(*decision, u64::from(weight)));
            self.gaps[place].iter().for_each(|(bin, gap)| gaps[*bin] += f64::from(weight) * gap);
            whole += f64::from(weight) * f64::from(u8::from(self.whole[place]));
        }
        let all = total(weights).max(1.0);
        let decisions = all * self.labels as f64;
        vec![
            Counts::pooled(&counts).figures().f1,
            Averages::mean(counts.iter().map(|counts| (1, counts.figures()))).f1,
            sum(&self.f1, weights) / all,
            whole / all,
            sum(&self.briers, weights) / decisions,
            gaps.iter().map(|gap| gap.abs()).sum::<f64>() / decisions,
            sum(&self.losses, weights) / decisions,
        ]
    }

    fn right(&self) -> Option<Vec<bool>> {
        Some(self.whole.clone())
    }
}
