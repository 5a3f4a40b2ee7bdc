//! How far confidence and accuracy are apart, bin by bin (Guo and others, 2017): the reliability diagram and its one figure.
//! Knows numbers only.

use serde::{Deserialize, Serialize};

/// Confidences are sorted into so many bins of equal width.
pub(super) const BINS: usize = 15;

/// Decisions sorted by confidence, and how many of each sort were right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins that hold a decision, by rising confidence.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error (equation 3): how far confidence and accuracy are apart, in the mean over the decisions.
    pub error: f64,
}

/// Decisions of about one confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The mean confidence of the decisions.
    pub confidence: f64,
    /// The share of them that was right.
    pub accuracy: f64,
    /// How many they are.
    pub count: u64,
}

/// Sums over decisions, bin by bin.
#[derive(Clone, Debug, Default)]
pub(crate) struct CalibrationSums {
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    confidence: f64,
    right: u64,
    count: u64,
    /// The sum of confidence less right, decision by decision.
    gap: f64,
}

impl CalibrationSums {
    /// Adds a decision. A bin holds what is above its lower end and at most its upper one.
    pub fn add(&mut self, confidence: f64, right: bool) {
        let bin = &mut self.bins[((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1];
        bin.confidence += confidence;
        bin.right += u64::from(right);
        bin.count += 1;
        bin.gap += confidence - f64::from(u8::from(right));
    }

    /// Expected calibration error; 0 without decisions.
    pub fn error(&self) -> f64 {
        let count: u64 = self.bins.iter().map(|bin| bin.count).sum();
        self.bins.iter().map(|bin| bin.gap.abs()).sum::<f64>() / count.max(1) as f64
    }

    /// The bins that hold decisions; none where there are no decisions.
    pub fn finish(&self) -> Option<Calibration> {
        let filled = self.bins.iter().filter(|bin| bin.count > 0);
        let bins: Vec<CalibrationBin> = filled
            .map(|bin| CalibrationBin {
                confidence: bin.confidence / bin.count as f64,
                accuracy: bin.right as f64 / bin.count as f64,
                count: bin.count,
            })
            .collect();
        (!bins.is_empty()).then(|| Calibration { bins, error: self.error() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_their_decisions_and_their_gaps_make_the_error() {
        let mut sums = CalibrationSums::default();
        assert_eq!(sums.finish(), None);
        for (confidence, right) in [(0.9, true), (0.92, false), (0.4, true), (1.0, true)] {
            sums.add(confidence, right);
        }
        let calibration = sums.finish().expect("bins");
        assert_eq!(calibration.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(calibration.bins[1].accuracy, 0.5);
        assert!((calibration.error - (0.6 + 0.82) / 4.0).abs() < 1e-12, "{calibration:?}");
    }
}
