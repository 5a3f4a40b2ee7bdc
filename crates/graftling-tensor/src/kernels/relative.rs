//! What attention adds to its products by vectors of distances: the query's product with one, and the key's product with another.
//! Knows nothing of tensors.
//!
//! Both are products of some rows with the vectors of a stretch of distances, of which each pair of query and key takes the one of
//! its own distance: a skewed matrix. Rows are taken in small blocks, so that few products are computed that no pair takes, and so
//! that memory does not grow with the square of a sequence's length.

use std::ops::Range;

use super::attention::room;
use super::product::{Target, View, multiply_serial};
use super::simd::dispatch;

/// Queries that are multiplied with vectors of distances at a time: three tiles of a product.
const QUERIES: usize = 42;
/// Keys that are multiplied with vectors of distances at a time: one panel of a product.
const KEYS: usize = 32;

/// The vectors of distances, and where queries stand.
#[derive(Clone, Copy)]
pub(crate) struct Relative<'a> {
    /// What queries are multiplied with, `[2 * longest - 1, hidden]`: the first row is for a key that stands `longest - 1` before
    /// its query, the last for one as far behind it.
    pub key: Option<&'a [f32]>,
    /// What keys are multiplied with, of the same shape.
    pub query: Option<&'a [f32]>,
    /// The most keys of a sequence.
    pub longest: usize,
    /// The place of each query in its sequence.
    pub positions: &'a [u32],
}

/// Some queries of one head of one sequence, and all its keys.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The places of the queries in their sequence.
    pub positions: &'a [u32],
    /// From the first value of the head in the row of the first query on.
    pub query: &'a [f32],
    /// The same of the first key.
    pub key: &'a [f32],
    pub keys: usize,
    pub hidden: usize,
    pub head: usize,
    pub head_size: usize,
}

#[derive(Default)]
pub(super) struct Scratch {
    products: Vec<f32>,
    /// The gradients of the two tables' rows that a sequence of `keys` reaches, `[2 * keys - 1, head size]`.
    key: Vec<f32>,
    query: Vec<f32>,
}

impl Scratch {
    /// The gradients of the two tables for a sequence, each empty where there is no such table.
    pub fn gradients(&mut self, relative: &Relative<'_>, keys: usize, head_size: usize) -> [&mut [f32]; 2] {
        let len = |table: Option<&[f32]>| table.map_or(0, |_| (2 * keys - 1) * head_size);
        [room(&mut self.key, len(relative.key)), room(&mut self.query, len(relative.query))]
    }
}

/// The rows of the tables that some queries and keys meet in.
struct Stretch {
    first: usize,
    width: usize,
    /// The place of the last query.
    last: usize,
}

impl Stretch {
    /// Where the rows begin that the keys of this query meet.
    #[inline(always)]
    fn shift(&self, position: u32) -> usize {
        self.last - position as usize
    }
}

impl Relative<'_> {
    /// How many products a score is the sum of.
    pub fn products(&self) -> usize {
        1 + usize::from(self.key.is_some()) + usize::from(self.query.is_some())
    }

    fn stretch(&self, positions: &[u32], keys: Range<usize>) -> Stretch {
        let place = |place: Option<&u32>| *place.expect("a block has queries") as usize;
        let (first, last) = (place(positions.iter().min()), place(positions.iter().max()));
        Stretch { first: self.longest - 1 - last + keys.start, width: last - first + keys.len(), last }
    }

    /// Adds to the products of queries and keys, `[queries, keys]`.
    pub(super) fn add_products(&self, part: &Part<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        let Part { hidden, head_size, keys, .. } = *part;
        if let Some(table) = self.key {
            for queries in blocks(part.positions.len(), QUERIES) {
                let positions = &part.positions[queries.clone()];
                let stretch = self.stretch(positions, 0..keys);
                let products = room(&mut scratch.products, queries.len() * stretch.width);
                let query = View::new(&part.query[queries.start * hidden..], hidden);
                let vectors = View::transposed(part.vectors(table, &stretch), hidden);
                multiply_serial(queries.len(), head_size, stretch.width, query, vectors, Target::new(products, stretch.width));
                let scores = &mut scores[queries.start * keys..queries.end * keys];
                dispatch(
                    #[inline(always)]
                    || {
                        for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                            let from = &products[row * stretch.width + stretch.shift(positions[row])..][..keys];
                            for (score, product) in scores.iter_mut().zip(from) {
                                *score += product;
                            }
                        }
                    },
                );
            }
        }
        if let Some(table) = self.query {
            for some in blocks(keys, KEYS) {
                let (first, count) = (some.start, some.len());
                let stretch = self.stretch(part.positions, some);
                let products = room(&mut scratch.products, stretch.width * count);
                let vectors = View::new(part.vectors(table, &stretch), hidden);
                let key = View::transposed(&part.key[first * hidden..], hidden);
                multiply_serial(stretch.width, head_size, count, vectors, key, Target::new(products, count));
                dispatch(
                    #[inline(always)]
                    || {
                        for (scores, position) in scores.chunks_exact_mut(keys).zip(part.positions) {
                            let from = &products[stretch.shift(*position) * count..];
                            // The next key stands in the next column, and one row further.
                            for (score, product) in scores[first..first + count].iter_mut().zip(from.iter().step_by(count + 1)) {
                                *score += product;
                            }
                        }
                    },
                );
            }
        }
    }

    /// Adds to the gradients of queries `[queries, head size]` and keys `[keys, head size]`, and in `scratch` to those of the tables,
    /// given those of the products `[queries, keys]`.
    pub(super) fn add_gradients(
        &self,
        part: &Part<'_>,
        slopes: &[f32],
        scratch: &mut Scratch,
        query_gradient: &mut [f32],
        key_gradient: &mut [f32],
    ) {
        let Part { hidden, head_size, keys, .. } = *part;
        // The first row of the tables that this sequence reaches.
        let base = self.longest - keys;
        if let Some(table) = self.key {
            for queries in blocks(part.positions.len(), QUERIES) {
                let positions = &part.positions[queries.clone()];
                let stretch = self.stretch(positions, 0..keys);
                let skewed = room(&mut scratch.products, queries.len() * stretch.width);
                skewed.fill(0.0);
                for (row, slopes) in slopes[queries.start * keys..queries.end * keys].chunks_exact(keys).enumerate() {
                    skewed[row * stretch.width + stretch.shift(positions[row])..][..keys].copy_from_slice(slopes);
                }
                let vectors = View::new(part.vectors(table, &stretch), hidden);
                let target = &mut query_gradient[queries.start * head_size..queries.end * head_size];
                let target = Target::new(target, head_size).adding(true);
                multiply_serial(queries.len(), stretch.width, head_size, View::new(skewed, stretch.width), vectors, target);
                let query = View::new(&part.query[queries.start * hidden..], hidden);
                let target = Target::new(&mut scratch.key[(stretch.first - base) * head_size..], head_size).adding(true);
                multiply_serial(stretch.width, queries.len(), head_size, View::transposed(skewed, stretch.width), query, target);
            }
        }
        if let Some(table) = self.query {
            for some in blocks(keys, KEYS) {
                let (first, count) = (some.start, some.len());
                let stretch = self.stretch(part.positions, some);
                let skewed = room(&mut scratch.products, stretch.width * count);
                skewed.fill(0.0);
                dispatch(
                    #[inline(always)]
                    || {
                        for (slopes, position) in slopes.chunks_exact(keys).zip(part.positions) {
                            let to = &mut skewed[stretch.shift(*position) * count..];
                            for (slope, to) in slopes[first..first + count].iter().zip(to.iter_mut().step_by(count + 1)) {
                                *to += slope;
                            }
                        }
                    },
                );
                let vectors = View::new(part.vectors(table, &stretch), hidden);
                let target = Target::new(&mut key_gradient[first * head_size..], head_size).adding(true);
                multiply_serial(count, stretch.width, head_size, View::transposed(skewed, count), vectors, target);
                let key = View::new(&part.key[first * hidden..], hidden);
                let target = Target::new(&mut scratch.query[(stretch.first - base) * head_size..], head_size).adding(true);
                multiply_serial(stretch.width, count, head_size, View::new(skewed, count), key, target);
            }
        }
    }
}

impl Part<'_> {
    /// The rows of a stretch, from the first value of the head on.
    fn vectors<'v>(&self, table: &'v [f32], stretch: &Stretch) -> &'v [f32] {
        &table[stretch.first * self.hidden + self.head * self.head_size..]
    }
}

fn blocks(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(size).map(move |start| start..(start + size).min(count))
}
