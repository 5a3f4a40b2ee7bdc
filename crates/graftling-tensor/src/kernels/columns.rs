//! Softmax over the columns of logits that lie class by class, seen piece by piece. Knows nothing of tensors or of weights.
//!
//! A row holds the logits of one class for many tokens, so that loops run along the tokens, each of which has its own maximum and sum.

use rayon::prelude::*;

use super::math::exp;
use super::rows::sum;
use super::simd::dispatch;

/// Classes that a thread takes at a time.
const STRIP: usize = 128;

/// What is known of each column so far.
pub(crate) struct Columns {
    /// The largest logit.
    pub tops: Vec<f32>,
    /// The class of the largest logit, the first where several are as large.
    pub best: Vec<u32>,
    /// The sum of `exp(logit - top)`.
    pub totals: Vec<f64>,
    /// The sum of the logits.
    pub sums: Vec<f64>,
}

/// The same of one strip.
struct Strip {
    tops: Vec<f32>,
    best: Vec<u32>,
    totals: Vec<f32>,
    sums: Vec<f32>,
}

impl Columns {
    /// So many columns, of which nothing is known.
    pub fn new(count: usize) -> Self {
        Self { tops: vec![f32::NEG_INFINITY; count], best: vec![0; count], totals: vec![0.0; count], sums: vec![0.0; count] }
    }

    /// Takes note of the logits `[classes, columns]` of the classes from `first` on, to each of which its bias is still to be added.
    pub fn observe(&mut self, logits: &[f32], first: usize, bias: Option<&[f32]>) {
        let count = self.tops.len();
        let strips: Vec<Strip> = logits
            .par_chunks(STRIP * count)
            .enumerate()
            .map(|(index, logits)| {
                dispatch(
                    #[inline(always)]
                    || Strip::of(logits, count, first + index * STRIP, bias),
                )
            })
            .collect();
        // One after the other, so that nothing depends on how many threads there are.
        for strip in strips {
            for column in 0..count {
                let (old, new) = (self.tops[column], strip.tops[column]);
                let total = f64::from(strip.totals[column]);
                if new > old {
                    self.totals[column] = self.totals[column] * f64::from(old - new).exp() + total;
                    self.tops[column] = new;
                    self.best[column] = strip.best[column];
                } else {
                    self.totals[column] += total * f64::from(new - old).exp();
                }
                self.sums[column] += f64::from(strip.sums[column]);
            }
        }
    }

    /// Turns logits that were observed into `factor * (probability - share)`, where `factors` has the factor of each column over its
    /// total, and `share` the factor times the share; adds the sum of each class to `sums` where they are wanted.
    pub fn slopes(
        &self,
        logits: &mut [f32],
        first: usize,
        bias: Option<&[f32]>,
        factors: &[f32],
        share: f32,
        sums: Option<&mut [f32]>,
    ) {
        let count = self.tops.len();
        let work = |(index, (logits, sums)): (usize, (&mut [f32], &mut [f32]))| {
            dispatch(
                #[inline(always)]
                || {
                    let (tops, factors) = (&self.tops[..count], &factors[..count]);
                    for (class, row) in logits.chunks_exact_mut(count).enumerate() {
                        let added = bias.map_or(0.0, |bias| bias[first + index * STRIP + class]);
                        for column in 0..count {
                            row[column] = exp(row[column] + added - tops[column]).mul_add(factors[column], -share);
                        }
                        if let Some(to) = sums.get_mut(class) {
                            *to += sum(row, |value| value);
                        }
                    }
                },
            );
        };
        let strips = logits.par_chunks_mut(STRIP * count);
        match sums {
            Some(sums) => strips.zip(sums.par_chunks_mut(STRIP)).enumerate().for_each(work),
            None => strips.map(|logits| (logits, &mut [][..])).enumerate().for_each(work),
        }
    }
}

impl Strip {
    #[inline(always)]
    fn of(logits: &[f32], count: usize, first: usize, bias: Option<&[f32]>) -> Self {
        let added = |class: usize| bias.map_or(0.0, |bias| bias[first + class]);
        let (mut tops, mut best) = (vec![f32::NEG_INFINITY; count], vec![first as u32; count]);
        let (mut totals, mut sums) = (vec![0.0; count], vec![0.0; count]);
        for (class, row) in logits.chunks_exact(count).enumerate() {
            let (added, number) = (added(class), (first + class) as u32);
            for column in 0..count {
                let logit = row[column] + added;
                let above = logit > tops[column];
                tops[column] = if above { logit } else { tops[column] };
                best[column] = if above { number } else { best[column] };
                sums[column] += logit;
            }
        }
        for (class, row) in logits.chunks_exact(count).enumerate() {
            let added = added(class);
            for column in 0..count {
                totals[column] += exp(row[column] + added - tops[column]);
            }
        }
        Self { tops, best, totals, sums }
    }
}
