//! Attention within each sequence of a packed batch, one head of one sequence at a time, or, where query heads share a key head, all
//! of those. Knows nothing of tensors.
//!
//! Attention weights are never kept: the forward pass keeps the logarithm of each row's normaliser, from which the backward
//! pass computes them again (Dao and others, "FlashAttention", 2022). Queries are taken in blocks, so that memory does not
//! grow with the square of a sequence's length; where queries look at a window alone, only the keys that a block can see are
//! multiplied, and time does not grow with the square either.

mod backward;
mod places;

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

pub(crate) use places::{Bias, Window};
use places::{Block, Place};

use super::disjoint::Disjoint;
use super::dropout::DropoutKey;
use super::product::{Target, View, multiply_serial};
use super::relative::{Part, Relative, Scratch as RelativeScratch};
use super::rows::{largest, sum};
use super::simd::dispatch;
use crate::spans::Spans;

/// The parts of an attention that its forward and backward passes share.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub query: &'a [f32],
    pub key: &'a [f32],
    pub value: &'a [f32],
    pub query_spans: &'a Spans,
    pub key_spans: &'a Spans,
    pub heads: usize,
    /// How many heads keys and values have; as many query heads share one as there are more of them.
    pub key_heads: usize,
    pub head_size: usize,
    pub dropout: Option<DropoutKey>,
    pub bias: Option<Bias<'a>>,
    pub window: Option<Window<'a>>,
    /// Not together with a window, nor with key heads that are shared.
    pub relative: Option<Relative<'a>>,
}

#[derive(Default)]
struct Scratch {
    weights: Vec<f32>,
    slopes: Vec<f32>,
    output: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    bias: Vec<f32>,
    relative: RelativeScratch,
}

thread_local! { static SCRATCH: RefCell<Scratch> = RefCell::default(); }

/// The first `len` values of a buffer that grows as it has to; what stands in them is left over from earlier use.
pub(super) fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

impl Heads<'_> {
    fn hidden(&self) -> usize {
        self.heads * self.head_size
    }

    fn key_hidden(&self) -> usize {
        self.key_heads * self.head_size
    }

    /// How many query heads share a key head.
    fn group(&self) -> usize {
        self.heads / self.key_heads
    }

    fn scale(&self) -> f32 {
        let products = self.relative.map_or(1, |relative| relative.products());
        1.0 / ((self.head_size * products) as f32).sqrt()
    }

    /// These queries and all keys of their sequence, for what is added by vectors of distances.
    fn part<'v>(&'v self, relative: &Relative<'v>, place: &Place, queries: &Range<usize>) -> Part<'v> {
        Part {
            positions: &relative.positions[queries.clone()],
            query: self.of_head(self.query, queries, place.key_head),
            key: self.of_key_head(self.key, &place.keys, place.key_head),
            keys: place.keys.len(),
            hidden: self.hidden(),
            head: place.key_head,
            head_size: self.head_size,
        }
    }

    /// From the first value of a head in the first of these rows of queries on.
    fn of_head<'v>(&self, values: &'v [f32], rows: &Range<usize>, head: usize) -> &'v [f32] {
        &values[rows.start * self.hidden() + head * self.head_size..]
    }

    /// The same of keys or values.
    fn of_key_head<'v>(&self, values: &'v [f32], rows: &Range<usize>, head: usize) -> &'v [f32] {
        &values[rows.start * self.key_hidden() + head * self.head_size..]
    }

    /// Writes the output `[queries, hidden]` and the logarithm of each row's normaliser `[queries, heads]`.
    pub fn forward(&self, output: &mut [f32], normalizers: &mut [f32]) {
        // SAFETY: a task writes to the rows of its own sequence and the columns of its own head.
        let [output, normalizers] = [output, normalizers].map(|values| unsafe { Disjoint::new(values) });
        // Nothing is summed over the query heads of a key head.
        self.places(1).into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.forward_head(&place, scratch, output, normalizers));
        });
    }

    fn forward_head(&self, place: &Place, scratch: &mut Scratch, output: Disjoint<'_>, normalizers: Disjoint<'_>) {
        let (hidden, key_hidden, size) = (self.hidden(), self.key_hidden(), self.head_size);
        let head = place.heads.start;
        for block in self.blocks(place) {
            let Block { queries, keys: of_sequence } = &block;
            let (count, keys) = (queries.len(), of_sequence.len());
            let key_rows = place.keys.start + of_sequence.start..place.keys.start + of_sequence.end;
            let key = self.of_key_head(self.key, &key_rows, place.key_head);
            let value = self.of_key_head(self.value, &key_rows, place.key_head);
            let weights = room(&mut scratch.weights, count * keys);
            let query = View::new(self.of_head(self.query, queries, head), hidden);
            multiply_serial(count, size, keys, query, View::transposed(key, key_hidden), Target::new(weights, keys));
            if let Some(relative) = &self.relative {
                relative.add_products(&self.part(relative, place, queries), weights, &mut scratch.relative);
            }
            dispatch(
                #[inline(always)]
                || {
                    for (row, weights) in weights.chunks_exact_mut(keys).enumerate() {
                        let token = queries.start + row;
                        let seen = self.seen(token, place, &block);
                        weights[..seen.start].fill(0.0);
                        weights[seen.end..].fill(0.0);
                        let first = of_sequence.start + seen.start;
                        let weights = &mut weights[seen];
                        let normalizer = match &self.bias {
                            None => softmax(weights, self.scale()),
                            Some(bias) => {
                                let added = bias.row(head, token, &(first..first + weights.len()));
                                for (weight, add) in weights.iter_mut().zip(added) {
                                    *weight = weight.mul_add(self.scale(), *add);
                                }
                                softmax(weights, 1.0)
                            }
                        };
                        normalizers.write(token * self.heads + head, &[normalizer]);
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(token * self.heads + head);
                            for (column, weight) in weights.iter_mut().enumerate() {
                                *weight *= mask.factor(first + column);
                            }
                        }
                    }
                },
            );
            let result = room(&mut scratch.output, count * size);
            multiply_serial(count, keys, size, View::new(weights, keys), View::new(value, key_hidden), Target::new(result, size));
            for (row, result) in result.chunks_exact(size).enumerate() {
                output.write((queries.start + row) * hidden + head * size, result);
            }
        }
    }
}

/// Turns scores into `softmax(scale * scores)` and returns the logarithm of the normaliser of the scaled scores.
#[inline(always)]
pub(super) fn softmax(scores: &mut [f32], scale: f32) -> f32 {
    let top = largest(scores) * scale;
    for score in scores.iter_mut() {
        *score = super::math::exp(score.mul_add(scale, -top));
    }
    let total = sum(scores, |score| score);
    let inverse = 1.0 / total;
    for score in scores.iter_mut() {
        *score *= inverse;
    }
    top + total.ln()
}
