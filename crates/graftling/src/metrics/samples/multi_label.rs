//! Any number of labels an example.

use super::{AREAS, area_values, counting, names, sum, total};
use crate::metrics::Averages;
use crate::metrics::areas::{Areas, MOST_DRAWN};
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
    /// Where there are not too many decisions for as many walks over them as there are drawings.
    areas: Option<Areas>,
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
            areas: (truths.len() <= MOST_DRAWN).then(|| Areas::of_labels(labels, probabilities, truths)),
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
        let mut all = vec![
            ("f1_micro", "micro F1"),
            ("f1_macro", "macro F1"),
            ("f1_samples", "samples F1"),
            ("accuracy", "all labels right"),
            ("brier", "Brier"),
            ("calibration_error", "calibration error"),
            ("loss", "loss"),
        ];
        if self.areas.is_some() {
            all.extend(AREAS);
            all.extend([("roc_auc_micro", "pooled ROC-AUC"), ("average_precision_micro", "pooled average precision")]);
        }
        names(&all)
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
        let mut values = vec![
            Counts::pooled(&counts).figures().f1,
            Averages::mean(counts.iter().map(|counts| (1, counts.figures()))).f1,
            sum(&self.f1, weights) / all,
            whole / all,
            sum(&self.briers, weights) / decisions,
            gaps.iter().map(|gap| gap.abs()).sum::<f64>() / decisions,
            sum(&self.losses, weights) / decisions,
        ];
        let times = |place: usize| u64::from(weights[place]);
        let areas = self.areas.iter().flat_map(|areas| [Some(areas.mean(times)), areas.pooled(times)]);
        values.extend(areas.flatten().flat_map(|area| area_values(&area)));
        values
    }

    fn right(&self) -> Option<Vec<bool>> {
        Some(self.whole.clone())
    }
}
