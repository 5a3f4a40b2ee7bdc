//! Attention within each sequence of a packed batch, one head of one sequence at a time. Knows nothing of tensors.
//!
//! Attention weights are never kept: the forward pass keeps the logarithm of each row's normaliser, from which the backward
//! pass computes them again (Dao and others, "FlashAttention", 2022). Queries are taken in blocks, so that memory does not
//! grow with the square of a sequence's length; where queries look at a window alone, only the keys that a block can see are
//! multiplied, and time does not grow with the square either.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::dropout::DropoutKey;
use super::product::{Target, View, multiply_serial};
use super::relative::{Part, Relative, Scratch as RelativeScratch};
use super::rows::{largest, sum};
use super::simd::dispatch;
use crate::spans::Spans;

/// Queries that are taken at a time.
const QUERIES: usize = 128;
/// The same where queries look at a window: fewer, so that fewer keys are multiplied that only some of them see.
const QUERIES_OF_WINDOW: usize = 64;

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
    pub window: Option<Window<'a>>,
    /// Not together with a window.
    pub relative: Option<Relative<'a>>,
}

/// That a query looks at the keys near its own place alone.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    /// How far before and behind it.
    pub reach: usize,
    /// The place of each query in its sequence, ascending within a sequence.
    pub positions: &'a [u32],
}

impl Window<'_> {
    /// The keys that a query sees of so many.
    #[inline(always)]
    fn of(&self, query: usize, keys: usize) -> Range<usize> {
        let place = self.positions[query] as usize;
        place.saturating_sub(self.reach)..(place + self.reach + 1).min(keys)
    }
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

    /// What is added for each of these keys of a query.
    #[inline(always)]
    fn row(&self, head: usize, query: usize, keys: &Range<usize>) -> &[f32] {
        &self.by_distance[head * self.width() + self.first(query) + keys.start..][..keys.len()]
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

/// Queries that are taken together.
struct Block {
    /// Their rows.
    queries: Range<usize>,
    /// The keys that any of them sees, counted within the sequence.
    keys: Range<usize>,
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

    fn scale(&self) -> f32 {
        let products = self.relative.map_or(1, |relative| relative.products());
        1.0 / ((self.head_size * products) as f32).sqrt()
    }

    /// These queries and all keys of their sequence, for what is added by vectors of distances.
    fn part<'v>(&'v self, relative: &Relative<'v>, place: &Place, queries: &Range<usize>) -> Part<'v> {
        Part {
            positions: &relative.positions[queries.clone()],
            query: self.head(self.query, queries, place.head),
            key: self.head(self.key, &place.keys, place.head),
            keys: place.keys.len(),
            hidden: self.hidden(),
            head: place.head,
            head_size: self.head_size,
        }
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

    /// The queries of a sequence in blocks.
    fn blocks(&self, place: &Place) -> impl Iterator<Item = Block> {
        let (end, keys) = (place.queries.end, place.keys.len());
        let mut start = place.queries.start;
        std::iter::from_fn(move || {
            let first = start;
            (first < end).then(|| match &self.window {
                None => {
                    start = (first + QUERIES).min(end);
                    Block { queries: first..start, keys: 0..keys }
                }
                Some(window) => {
                    // Queries may be some of the tokens: those of a block stand near each other, however few they are.
                    let beyond = window.positions[first] + QUERIES_OF_WINDOW as u32;
                    let near = window.positions[first..end].iter().take(QUERIES_OF_WINDOW).take_while(|place| **place < beyond);
                    start = first + near.count();
                    Block { queries: first..start, keys: window.of(first, keys).start..window.of(start - 1, keys).end }
                }
            })
        })
    }

    /// The keys of a block that one of its queries sees, counted within the block.
    #[inline(always)]
    fn seen(&self, query: usize, place: &Place, block: &Block) -> Range<usize> {
        match &self.window {
            None => 0..block.keys.len(),
            Some(window) => {
                let Range { start, end } = window.of(query, place.keys.len());
                start - block.keys.start..end - block.keys.start
            }
        }
    }

    /// Writes the output `[queries, hidden]` and the logarithm of each row's normaliser `[queries, heads]`.
    pub fn forward(&self, output: &mut [f32], normalizers: &mut [f32]) {
        let (output, normalizers) = (Shared::new(output), Shared::new(normalizers));
        self.places().into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.forward_head(&place, scratch, output, normalizers));
        });
    }

    fn forward_head(&self, place: &Place, scratch: &mut Scratch, output: Shared, normalizers: Shared) {
        let (hidden, size) = (self.hidden(), self.head_size);
        for block in self.blocks(place) {
            let Block { queries, keys: of_sequence } = &block;
            let (count, keys) = (queries.len(), of_sequence.len());
            let key_rows = place.keys.start + of_sequence.start..place.keys.start + of_sequence.end;
            let key = self.head(self.key, &key_rows, place.head);
            let value = self.head(self.value, &key_rows, place.head);
            let weights = room(&mut scratch.weights, count * keys);
            let query = View::new(self.head(self.query, queries, place.head), hidden);
            multiply_serial(count, size, keys, query, View::transposed(key, hidden), Target::new(weights, keys));
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
                                let added = bias.row(place.head, token, &(first..first + weights.len()));
                                for (weight, add) in weights.iter_mut().zip(added) {
                                    *weight = weight.mul_add(self.scale(), *add);
                                }
                                softmax(weights, 1.0)
                            }
                        };
                        normalizers.write(token * self.heads + place.head, &[normalizer]);
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(token * self.heads + place.head);
                            for (column, weight) in weights.iter_mut().enumerate() {
                                *weight *= mask.factor(first + column);
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

    /// Writes the gradients of queries, keys and values `[tokens, hidden]`, given that of the output and the normalizers; where there is a
    /// bias, that of its values for each sequence, `[sequences, heads, distances]`; and, where there are vectors of distances, those of the
    /// rows that each sequence reaches, `2 * keys - 1` rows a sequence, `[rows, hidden]`.
    pub fn backward(
        &self,
        upstream: &[f32],
        normalizers: &[f32],
        [query, key, value]: [&mut [f32]; 3],
        bias: &mut [f32],
        [relative_key, relative_query]: [&mut [f32]; 2],
    ) {
        let results = [query, key, value, bias, relative_key, relative_query].map(Shared::new);
        self.places().into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.backward_head(&place, scratch, upstream, normalizers, results));
        });
    }

    fn backward_head(&self, place: &Place, scratch: &mut Scratch, upstream: &[f32], normalizers: &[f32], results: [Shared; 6]) {
        let (hidden, size, scale) = (self.hidden(), self.head_size, self.scale());
        let [to_query, to_key, to_value, to_bias, to_relative @ ..] = results;
        let bias_gradient = room(&mut scratch.bias, self.bias.map_or(0, |bias| bias.width()));
        bias_gradient.fill(0.0);
        if let Some(relative) = &self.relative {
            scratch.relative.gradients(relative, place.keys.len(), size).into_iter().for_each(|gradient| gradient.fill(0.0));
        }
        let key_gradient = room(&mut scratch.key, place.keys.len() * size);
        let value_gradient = room(&mut scratch.value, place.keys.len() * size);
        if self.window.is_some() {
            // A block writes to the keys that it sees alone.
            key_gradient.fill(0.0);
            value_gradient.fill(0.0);
        }
        for block in self.blocks(place) {
            let Block { queries, keys: of_sequence } = &block;
            let (count, keys) = (queries.len(), of_sequence.len());
            let key_rows = place.keys.start + of_sequence.start..place.keys.start + of_sequence.end;
            let key = self.head(self.key, &key_rows, place.head);
            let value = self.head(self.value, &key_rows, place.head);
            let query = self.head(self.query, queries, place.head);
            let gradient = self.head(upstream, queries, place.head);
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
            if let Some(relative) = &self.relative {
                relative.add_products(&self.part(relative, place, queries), weights, &mut scratch.relative);
            }
            // With w the weights, m the mask and s the upstream gradient times the values: the gradient of the logits is
            // w (m s - sum(w m s)); the values' gradient needs w m.
            dispatch(
                #[inline(always)]
                || {
                    for (row, (weights, slopes)) in weights.chunks_exact_mut(keys).zip(slopes.chunks_exact_mut(keys)).enumerate()
                    {
                        let token = queries.start + row;
                        let at = token * self.heads + place.head;
                        let normalizer = normalizers[at];
                        let seen = self.seen(token, place, &block);
                        for unseen in [0..seen.start, seen.end..keys] {
                            weights[unseen.clone()].fill(0.0);
                            slopes[unseen].fill(0.0);
                        }
                        let first = of_sequence.start + seen.start;
                        let (weights, slopes) = (&mut weights[seen.clone()], &mut slopes[seen]);
                        let within = first..first + weights.len();
                        match &self.bias {
                            None => {
                                for weight in weights.iter_mut() {
                                    *weight = super::math::exp(weight.mul_add(scale, -normalizer));
                                }
                            }
                            Some(bias) => {
                                for (weight, add) in weights.iter_mut().zip(bias.row(place.head, token, &within)) {
                                    *weight = super::math::exp(weight.mul_add(scale, *add - normalizer));
                                }
                            }
                        }
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(at);
                            for (column, slope) in slopes.iter_mut().enumerate() {
                                *slope *= mask.factor(first + column);
                            }
                        }
                        let along = sum(weights.len(), |i| weights[i] * slopes[i]);
                        if let Some(bias) = &self.bias {
                            let to = &mut bias_gradient[bias.first(token) + first..][..weights.len()];
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
                                *weight *= mask.factor(first + column);
                            }
                        }
                    }
                },
            );
            let add = self.window.is_some() || queries.start > place.queries.start;
            let query_gradient = room(&mut scratch.query, count * size);
            multiply_serial(
                count,
                keys,
                size,
                View::new(slopes, keys),
                View::new(key, hidden),
                Target::new(query_gradient, size),
            );
            let target = Target::new(&mut key_gradient[of_sequence.start * size..], size).adding(add);
            multiply_serial(keys, count, size, View::transposed(slopes, keys), View::new(query, hidden), target);
            if let Some(relative) = &self.relative {
                let part = self.part(relative, place, queries);
                relative.add_gradients(&part, slopes, &mut scratch.relative, query_gradient, key_gradient);
            }
            for (row, result) in query_gradient.chunks_exact(size).enumerate() {
                to_query.write((queries.start + row) * hidden + place.head * size, result);
            }
            let target = Target::new(&mut value_gradient[of_sequence.start * size..], size).adding(add);
            multiply_serial(keys, count, size, View::transposed(weights, keys), View::new(gradient, hidden), target);
        }
        to_bias.write((place.sequence * self.heads + place.head) * bias_gradient.len(), bias_gradient);
        if let Some(relative) = &self.relative {
            // Every sequence before this one has one row less than twice its keys.
            let first = 2 * place.keys.start - place.sequence;
            for (to, gradient) in to_relative.into_iter().zip(scratch.relative.gradients(relative, place.keys.len(), size)) {
                for (row, result) in gradient.chunks_exact(size).enumerate() {
                    to.write((first + row) * hidden + place.head * size, result);
                }
            }
        }
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
