//! Attention within each sequence of a packed batch, one head of one sequence at a time. Knows nothing of tensors.
//!
//! Attention weights are never kept: the forward pass keeps the logarithm of each row's normaliser, from which the backward
//! pass computes them again (Dao and others, "FlashAttention", 2022). Queries are taken in blocks, so that memory does not
//! grow with the square of a sequence's length.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::dropout::DropoutKey;
use super::product::{Target, View, multiply_serial};
use super::rows::{largest, sum};
use super::simd::dispatch;
use crate::spans::Spans;

/// Queries that are taken at a time.
const QUERIES: usize = 128;

/// The parts of an attention that its forward and backward passes share.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub query: &'a [f32],
    pub key: &'a [f32],
    pub value: &'a [f32],
    pub query_spans: &'a Spans,
    pub key_spans: &'a Spans,
    pub heads: usize,
    pub head_size: usize,
    pub dropout: Option<DropoutKey>,
    pub bias: Option<Bias<'a>>,
}

/// What is added to the scaled products, by how far a key stands behind its query.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a> {
    /// For each head the values for all distances from `1 - longest` to `longest - 1`.
    pub by_distance: &'a [f32],
    /// The most keys of a sequence.
    pub longest: usize,
    /// The place of each query in its sequence.
    pub positions: &'a [u32],
}

impl Bias<'_> {
    /// How many distances there are.
    pub fn width(&self) -> usize {
        2 * self.longest - 1
    }

    /// The distance of a query's first key, counted from the smallest one.
    #[inline(always)]
    fn first(&self, query: usize) -> usize {
        self.longest - 1 - self.positions[query] as usize
    }

    /// What is added for each of the keys of a query.
    #[inline(always)]
    fn row(&self, head: usize, query: usize, keys: usize) -> &[f32] {
        &self.by_distance[head * self.width() + self.first(query)..][..keys]
    }
}

/// A result that tasks write to in disjoint pieces.
#[derive(Clone, Copy)]
struct Shared {
    start: *mut f32,
    len: usize,
}

// SAFETY: tasks write to disjoint pieces: each to the rows of its own sequence and the columns of its own head.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new(values: &mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len() }
    }

    /// Copies `from` to the values that begin at `place`.
    #[inline(always)]
    fn write(self, place: usize, from: &[f32]) {
        assert!(place + from.len() <= self.len, "attention: write outside of the result");
        // SAFETY: the piece lies inside, and no other task writes to it.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.start.add(place), from.len()) }
    }
}

/// One head of one sequence.
struct Place {
    sequence: usize,
    queries: Range<usize>,
    keys: Range<usize>,
    head: usize,
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
}

thread_local! { static SCRATCH: RefCell<Scratch> = RefCell::default(); }

fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

impl Heads<'_> {
    fn hidden(&self) -> usize {
        self.heads * self.head_size
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_size as f32).sqrt()
    }

    /// The longest sequences first, so that threads end together.
    fn places(&self) -> Vec<Place> {
        let mut sequences: Vec<usize> =
            (0..self.query_spans.count()).filter(|i| !self.query_spans.range(*i).is_empty()).collect();
        sequences.sort_by_key(|i| std::cmp::Reverse(self.query_spans.range(*i).len() * self.key_spans.range(*i).len()));
        let place = |i: usize, head: usize| Place {
            sequence: i,
            queries: self.query_spans.range(i),
            keys: self.key_spans.range(i),
            head,
        };
        sequences.into_iter().flat_map(|i| (0..self.heads).map(move |head| place(i, head))).collect()
    }

    fn head<'v>(&self, values: &'v [f32], rows: &Range<usize>, head: usize) -> &'v [f32] {
        &values[rows.start * self.hidden() + head * self.head_size..]
    }

    /// Writes the output `[queries, hidden]` and the logarithm of each row's normaliser `[queries, heads]`.
    pub fn forward(&self, output: &mut [f32], normalizers: &mut [f32]) {
        let (output, normalizers) = (Shared::new(output), Shared::new(normalizers));
        self.places().into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.forward_head(&place, scratch, output, normalizers));
        });
    }

    fn forward_head(&self, place: &Place, scratch: &mut Scratch, output: Shared, normalizers: Shared) {
        let (hidden, size, keys) = (self.hidden(), self.head_size, place.keys.len());
        let key = self.head(self.key, &place.keys, place.head);
        let value = self.head(self.value, &place.keys, place.head);
        for start in place.queries.clone().step_by(QUERIES) {
            let queries = start..(start + QUERIES).min(place.queries.end);
            let count = queries.len();
            let weights = room(&mut scratch.weights, count * keys);
            let query = View::new(self.head(self.query, &queries, place.head), hidden);
            multiply_serial(count, size, keys, query, View::transposed(key, hidden), Target::new(weights, keys));
            dispatch(
                #[inline(always)]
                || {
                    for (row, weights) in weights.chunks_exact_mut(keys).enumerate() {
                        let token = queries.start + row;
                        let normalizer = match &self.bias {
                            None => softmax(weights, self.scale()),
                            Some(bias) => {
                                for (weight, add) in weights.iter_mut().zip(bias.row(place.head, token, keys)) {
                                    *weight = weight.mul_add(self.scale(), *add);
                                }
                                softmax(weights, 1.0)
                            }
                        };
                        normalizers.write(token * self.heads + place.head, &[normalizer]);
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(token * self.heads + place.head);
                            for (column, weight) in weights.iter_mut().enumerate() {
                                *weight *= mask.factor(column);
                            }
                        }
                    }
                },
            );
            let result = room(&mut scratch.output, count * size);
            multiply_serial(count, keys, size, View::new(weights, keys), View::new(value, hidden), Target::new(result, size));
            for (row, result) in result.chunks_exact(size).enumerate() {
                output.write((queries.start + row) * hidden + place.head * size, result);
            }
        }
    }

    /// Writes the gradients of queries, keys and values `[tokens, hidden]`, given that of the output and the normalizers; and, where
    /// there is a bias, that of its values for each sequence, `[sequences, heads, distances]`.
    pub fn backward(&self, upstream: &[f32], normalizers: &[f32], [query, key, value]: [&mut [f32]; 3], bias: &mut [f32]) {
        let results = [Shared::new(query), Shared::new(key), Shared::new(value), Shared::new(bias)];
        self.places().into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.backward_head(&place, scratch, upstream, normalizers, results));
        });
    }

    fn backward_head(&self, place: &Place, scratch: &mut Scratch, upstream: &[f32], normalizers: &[f32], results: [Shared; 4]) {
        let (hidden, size, keys, scale) = (self.hidden(), self.head_size, place.keys.len(), self.scale());
        let key = self.head(self.key, &place.keys, place.head);
        let value = self.head(self.value, &place.keys, place.head);
        let [to_query, to_key, to_value, to_bias] = results;
        let bias_gradient = room(&mut scratch.bias, self.bias.map_or(0, |bias| bias.width()));
        bias_gradient.fill(0.0);
        let key_gradient = room(&mut scratch.key, keys * size);
        let value_gradient = room(&mut scratch.value, keys * size);
        for start in place.queries.clone().step_by(QUERIES) {
            let queries = start..(start + QUERIES).min(place.queries.end);
            let count = queries.len();
            let query = self.head(self.query, &queries, place.head);
            let gradient = self.head(upstream, &queries, place.head);
            let weights = room(&mut scratch.weights, count * keys);
            let slopes = room(&mut scratch.slopes, count * keys);
            multiply_serial(
                count,
                size,
                keys,
                View::new(query, hidden),
                View::transposed(key, hidden),
                Target::new(weights, keys),
            );
            multiply_serial(
                count,
                size,
                keys,
                View::new(gradient, hidden),
                View::transposed(value, hidden),
                Target::new(slopes, keys),
            );
            // With w the weights, m the mask and s the upstream gradient times the values: the gradient of the logits is
            // w (m s - sum(w m s)); the values' gradient needs w m.
            dispatch(
                #[inline(always)]
                || {
                    for (row, (weights, slopes)) in weights.chunks_exact_mut(keys).zip(slopes.chunks_exact_mut(keys)).enumerate()
                    {
                        let at = (queries.start + row) * self.heads + place.head;
                        let normalizer = normalizers[at];
                        match &self.bias {
                            None => {
                                for weight in weights.iter_mut() {
                                    *weight = super::math::exp(weight.mul_add(scale, -normalizer));
                                }
                            }
                            Some(bias) => {
                                for (weight, add) in weights.iter_mut().zip(bias.row(place.head, queries.start + row, keys)) {
                                    *weight = super::math::exp(weight.mul_add(scale, *add - normalizer));
                                }
                            }
                        }
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(at);
                            for (column, slope) in slopes.iter_mut().enumerate() {
                                *slope *= mask.factor(column);
                            }
                        }
                        let along = sum(keys, |i| weights[i] * slopes[i]);
                        if let Some(bias) = &self.bias {
                            let first = bias.first(queries.start + row);
                            let to = &mut bias_gradient[first..first + keys];
                            for (to, (slope, weight)) in to.iter_mut().zip(slopes.iter().zip(weights.iter())) {
                                *to += weight * (*slope - along);
                            }
                        }
                        for (slope, weight) in slopes.iter_mut().zip(weights.iter()) {
                            *slope = scale * weight * (*slope - along);
                        }
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(at);
                            for (column, weight) in weights.iter_mut().enumerate() {
                                *weight *= mask.factor(column);
                            }
                        }
                    }
                },
            );
            let add = start > place.queries.start;
            let query_gradient = room(&mut scratch.query, count * size);
            multiply_serial(
                count,
                keys,
                size,
                View::new(slopes, keys),
                View::new(key, hidden),
                Target::new(query_gradient, size),
            );
            for (row, result) in query_gradient.chunks_exact(size).enumerate() {
                to_query.write((queries.start + row) * hidden + place.head * size, result);
            }
            let target = Target::new(key_gradient, size).adding(add);
            multiply_serial(keys, count, size, View::transposed(slopes, keys), View::new(query, hidden), target);
            let target = Target::new(value_gradient, size).adding(add);
            multiply_serial(keys, count, size, View::transposed(weights, keys), View::new(gradient, hidden), target);
        }
        to_bias.write((place.sequence * self.heads + place.head) * bias_gradient.len(), bias_gradient);
        for (row, result) in key_gradient.chunks_exact(size).enumerate() {
            to_key.write((place.keys.start + row) * hidden + place.head * size, result);
        }
        for (row, result) in value_gradient.chunks_exact(size).enumerate() {
            to_value.write((place.keys.start + row) * hidden + place.head * size, result);
        }
    }
}

/// Turns scores into `softmax(scale * scores)` and returns the logarithm of the normaliser of the scaled scores.
#[inline(always)]
fn softmax(scores: &mut [f32], scale: f32) -> f32 {
    let top = largest(scores) * scale;
    for score in scores.iter_mut() {
        *score = super::math::exp(score.mul_add(scale, -top));
    }
    let total = sum(scores.len(), |i| scores[i]);
    let inverse = 1.0 / total;
    for score in scores.iter_mut() {
        *score *= inverse;
    }
    top + total.ln()
}
