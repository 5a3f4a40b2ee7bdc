//! One class an example.

use super::{AREAS, area_values, counting, names, sum, total};
use crate::metrics::Averages;
use crate::metrics::areas::{Areas, MOST_DRAWN};
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::counts::{Counts, matthews};
use crate::metrics::probabilities::{BINS, class_brier, class_confidence};

/// Answers of one class an example.
pub struct ClassificationSample {
    classes: usize,
    /// The true class of each example and the one that was said.
    pairs: Vec<(usize, usize)>,
    losses: Vec<f64>,
    briers: Vec<f64>,
    /// The bin of each example's confidence, and how far the confidence is above what came true.
    confidences: Vec<(usize, f64)>,
    /// Where there are not too many decisions for as many walks over them as there are drawings.
    areas: Option<Areas>,
}

impl ClassificationSample {
    /// Of `classes` classes: the true class of each example and the one that was said, the probabilities end to end, and the losses.
    ///
    /// # Panics
    /// If there are not as many probabilities as examples times classes, or not a loss an example.
    pub fn new(classes: usize, pairs: Vec<(usize, usize)>, probabilities: &[f32], losses: Vec<f64>) -> Self {
        assert_eq!(probabilities.len(), pairs.len() * classes, "sample of {} examples of {classes} classes", pairs.len());
        assert_eq!(losses.len(), pairs.len(), "sample: losses");
        let rows = || probabilities.chunks_exact(classes.max(1)).zip(&pairs);
        let briers = rows().map(|(row, (truth, _))| class_brier(row, *truth)).collect();
        let confidences = rows().map(|(row, (truth, _))| class_confidence(row, *truth)).collect();
        let truths: Vec<usize> = pairs.iter().map(|(truth, _)| *truth).collect();
        let areas = (probabilities.len() <= MOST_DRAWN).then(|| Areas::of_classes(classes, probabilities, &truths));
        Self { classes, pairs, losses, briers, confidences, areas }
    }
}

impl Resampled for ClassificationSample {
    fn examples(&self) -> usize {
        self.pairs.len()
    }

    fn names(&self) -> Vec<FigureName> {
        let mut all = vec![
            ("accuracy", "accuracy"),
            ("f1_macro", "macro F1"),
            ("f1_weighted", "weighted F1"),
            ("matthews", "Matthews"),
            ("brier", "Brier"),
            ("calibration_error", "calibration error"),
            ("loss", "loss"),
        ];
        if self.areas.is_some() {
            all.extend(AREAS);
        }
        names(&all)
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let mut counts = vec![Counts::default(); self.classes];
        let mut gaps = [0.0; BINS];
        for (place, weight) in counting(weights) {
            let ((truth, said), times) = (self.pairs[place], u64::from(weight));
            counts[truth].support += times;
            counts[said].predicted += times;
            counts[truth].right += if truth == said { times } else { 0 };
            let (bin, gap) = self.confidences[place];
            gaps[bin] += f64::from(weight) * gap;
        }
        let all = total(weights).max(1.0);
        let right: u64 = counts.iter().map(|counts| counts.right).sum();
        let present = counts.iter().filter(|counts| counts.is_present());
        let mut values = vec![
            right as f64 / all,
            Averages::mean(present.map(|counts| (1, counts.figures()))).f1,
            Averages::mean(counts.iter().map(|counts| (counts.support, counts.figures()))).f1,
            matthews(&counts),
            sum(&self.briers, weights) / all,
            gaps.iter().map(|gap| gap.abs()).sum::<f64>() / all,
            sum(&self.losses, weights) / all,
        ];
        values.extend(self.areas.iter().flat_map(|areas| area_values(&areas.mean(|place| u64::from(weights[place])))));
        values
    }

    fn right(&self) -> Option<Vec<bool>> {
        Some(self.pairs.iter().map(|(truth, said)| truth == said).collect())
    }
}
