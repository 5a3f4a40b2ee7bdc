//! The probability above which a label is taken to hold so that F1 is highest. Knows probabilities and truths only.

/// A label holds above this where nothing else was fitted or given.
pub const HALF: f64 = 0.5;

/// The threshold with the highest F1 over decisions: the probability of each, and whether the label holds. It lies midway between two
/// neighbouring probabilities; among equal F1 it is the one nearest to a half, and of two as near the higher.
///
/// `None` where the label never holds: then every threshold is as bad.
pub fn best_threshold(decisions: impl IntoIterator<Item = (f32, bool)>) -> Option<f64> {
    let mut sorted: Vec<(f32, bool)> = decisions.into_iter().collect();
    sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
    let support = sorted.iter().filter(|(_, holds)| *holds).count() as u64;
    let mut best: Option<Candidate> = None;
    let (mut right, mut predicted) = (0, 0);
    let mut levels = sorted.chunk_by(|one, other| one.0 == other.0).peekable();
    while let Some(level) = levels.next() {
        predicted += level.len() as u64;
        right += level.iter().filter(|(_, holds)| *holds).count() as u64;
        let below = levels.peek().map_or(0.0, |next| f64::from(next[0].0));
        let threshold = 0.5 * (f64::from(level[0].0) + below);
        let candidate = Candidate { right, of: predicted + support, threshold };
        // A probability of zero is above no threshold.
        if threshold > 0.0 && best.as_ref().is_none_or(|best| candidate.is_better_than(best)) {
            best = Some(candidate);
        }
    }
    best.filter(|_| support > 0).map(|best| best.threshold)
}

/// A threshold, with the parts of its F1: twice the right decisions over those that predict and those that hold.
struct Candidate {
    right: u64,
    of: u64,
    threshold: f64,
}

impl Candidate {
    fn is_better_than(&self, other: &Self) -> bool {
        let (one, two) = (u128::from(self.right) * u128::from(other.of), u128::from(other.right) * u128::from(self.of));
        one > two || one == two && (self.threshold - HALF).abs() < (other.threshold - HALF).abs()
    }
}
