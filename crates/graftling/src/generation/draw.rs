//! Tokens drawn by their probabilities, from random numbers that follow from a seed and a place alone. Knows no model and no text.

use super::processors::softmax;
use crate::random::{key, unit};

/// How many scores are looked at together when the highest are searched.
const CHUNK: usize = 256;

/// Which random numbers a choice is made by: those of a seed, a prompt, one of its continuations, and a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice {
    pub seed: u64,
    pub prompt: usize,
    pub continuation: usize,
    pub step: usize,
}

impl Dice {
    fn key(self) -> u64 {
        key(self.seed, &[self.prompt as u64, self.continuation as u64, self.step as u64])
    }
}

/// A token drawn by the probabilities of these scores: the first at which their running sum exceeds a random number. None where no score
/// is above minus infinity.
pub(super) fn draw(scores: &[f32], dice: Dice) -> Option<u32> {
    let probabilities = softmax(scores);
    let random = unit(dice.key(), 0);
    let mut sum = 0.0;
    let mut possible = None;
    for (id, probability) in probabilities.into_iter().enumerate().filter(|(_, probability)| *probability > 0.0) {
        possible = Some(id as u32);
        sum += probability;
        if sum > random {
            break;
        }
    }
    possible
}

/// The highest score, the first of equal ones. None where no score is above minus infinity.
pub(super) fn highest(scores: &[f32]) -> Option<u32> {
    let better = |best: Option<usize>, id: usize| match best {
        Some(best) if scores[best] >= scores[id] => Some(best),
        _ => Some(id),
    };
    let best = (0..scores.len()).fold(None, better)?;
    (scores[best] > f32::NEG_INFINITY).then_some(best as u32)
}

/// The places of the `count` highest scores, the highest first; of equal ones the first.
pub(super) fn highest_of(scores: &[f32], count: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(count + 1);
    for (number, chunk) in scores.chunks(CHUNK).enumerate() {
        // Nearly all are turned away here, many at once.
        if best.len() == count {
            let lowest = scores[best[count - 1]];
            if !chunk.iter().fold(false, |any, score| any | (*score > lowest)) {
                continue;
            }
        }
        for (place, score) in chunk.iter().enumerate() {
            if best.len() == count && scores[best[count - 1]] >= *score {
                continue;
            }
            best.insert(best.partition_point(|better| scores[*better] >= *score), number * CHUNK + place);
            best.truncate(count);
        }
    }
    best
}

/// `count` places drawn by the probabilities of their scores, none twice; the highest score first.
///
/// The highest sums of score and Gumbel noise are such a draw (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006,
/// with logarithms taken).
pub(super) fn draw_of(scores: &[f32], count: usize, dice: Dice) -> Vec<usize> {
    let key = dice.key();
    let noisy = |(place, score): (usize, &f32)| {
        // From (0, 1], so that its logarithm is finite.
        let random = 1.0 - unit(key, place as u64);
        (f64::from(*score) - (-random.ln()).ln()) as f32
    };
    let noisy: Vec<f32> = scores.iter().enumerate().map(noisy).collect();
    let mut drawn = highest_of(&noisy, count);
    drawn.sort_by(|left, right| scores[*right].total_cmp(&scores[*left]).then(left.cmp(right)));
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chi-squared of draws against probabilities; a token that cannot be drawn must not be.
    fn chi_squared(counts: &[u32], probabilities: &[f64], draws: u32) -> f64 {
        counts.iter().zip(probabilities).fold(0.0, |sum, (count, probability)| {
            if *probability == 0.0 {
                assert_eq!(*count, 0);
                return sum;
            }
            let expected = probability * f64::from(draws);
            sum + (f64::from(*count) - expected).powi(2) / expected
        })
    }

    fn dice(number: u32) -> Dice {
        Dice { seed: 11, prompt: (number % 7) as usize, continuation: (number / 7 % 3) as usize, step: (number / 21) as usize }
    }

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_probable() {
        let scores = [0.0, 1.5, f32::NEG_INFINITY, -2.0, 0.7, f32::NEG_INFINITY, 1.4999];
        let mut counts = [0; 7];
        for number in 0..42_000 {
            counts[draw(&scores, dice(number)).unwrap() as usize] += 1;
        }
        // Four degrees of freedom: 23.5 is exceeded once in 10,000 times.
        let found = chi_squared(&counts, &softmax(&scores), 42_000);
        assert!(found < 23.5, "{found}: {counts:?}");
    }

    #[test]
    fn several_places_are_drawn_without_repeating_one() {
        let scores = [0.3, -0.5, f32::NEG_INFINITY, 1.0];
        let p = softmax(&scores);
        let mut counts = [[0; 4]; 4];
        for number in 0..42_000 {
            let drawn = draw_of(&scores, 2, dice(number));
            assert!(scores[drawn[0]] > scores[drawn[1]]);
            counts[drawn[0]][drawn[1]] += 1;
        }
        // Of each pair, the probability that it is drawn in the one order or the other.
        let pair = |a: usize, b: usize| {
            if p[a] * p[b] > 0.0 { p[a] * p[b] * (1.0 / (1.0 - p[a]) + 1.0 / (1.0 - p[b])) } else { 0.0 }
        };
        let (mut observed, mut expected) = (Vec::new(), Vec::new());
        for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            observed.push(counts[a][b] + counts[b][a]);
            expected.push(pair(a, b));
        }
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        // Two degrees of freedom: 18.4 is exceeded once in 10,000 times.
        let found = chi_squared(&observed, &expected, 42_000);
        assert!(found < 18.4, "{found}: {observed:?}");
    }

    #[test]
    fn what_cannot_be_drawn_is_last_and_nothing_is_none() {
        let nothing = [f32::NEG_INFINITY; 3];
        assert_eq!((draw(&nothing, dice(0)), highest(&nothing)), (None, None));
        assert_eq!(draw_of(&[f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY], 2, dice(5)), [1, 0]);
        assert_eq!(highest(&[1.0, 3.0, 3.0]), Some(1));
        assert_eq!(highest_of(&[1.0, 3.0, f32::NEG_INFINITY, 3.0], 3), [1, 3, 0]);
        assert_eq!(highest_of(&[1.0], 3), [0]);
    }
}
