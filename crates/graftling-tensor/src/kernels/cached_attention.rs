//! Attention of a sequence's last tokens to keys and values that lie in blocks: what decoding does at every step. Knows nothing of tensors.
//!
//! One query a sequence makes few products with much memory. So keys lie turned, dimension by dimension, and both scores and results are
//! sums of rows times factors that run along memory; each key and value is read once for all query heads that share it. Where there
//! are many queries, the same sums are products of matrices.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::attention::{Bias, room, softmax};
use super::disjoint::Disjoint;
use super::product::{Target, View, multiply_serial};
use super::simd::dispatch;

/// Tokens in a block of keys and values.
pub(crate) const TOKENS: usize = 64;
/// Scores are computed of so many keys at least, and keys are copied in such groups: a cache line of a dimension's row.
pub(crate) const LANES: usize = 16;
/// Queries and heads that are taken at a time, times each other.
const ROWS: usize = 64;
/// Up to so many of them nothing is packed for products.
const FEW: usize = 8;

/// The keys and values of up to [`TOKENS`] tokens.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// `[key heads, head size, TOKENS]`.
    pub keys: &'a [f32],
    /// `[key heads, TOKENS, head size]`.
    pub values: &'a [f32],
}

/// The last tokens of a sequence, and all that they may see.
pub(crate) struct Sequence<'a> {
    /// Its rows in the queries.
    pub queries: Range<usize>,
    /// How many keys there are; the last query stands at the last of them.
    pub keys: usize,
    pub blocks: Vec<Block<'a>>,
}

/// An attention to cached keys and values.
pub(crate) struct CachedHeads<'a> {
    /// `[queries, heads * head size]`.
    pub query: &'a [f32],
    pub sequences: &'a [Sequence<'a>],
    pub heads: usize,
    pub key_heads: usize,
    pub head_size: usize,
    /// How many keys a query sees before its place, and behind it.
    pub before: usize,
    pub behind: usize,
    /// What is added by distance, of places among the keys.
    pub bias: Option<Bias<'a>>,
}

/// Some queries of one key head of one sequence.
struct Task<'a> {
    sequence: &'a Sequence<'a>,
    /// Counted within the sequence.
    queries: Range<usize>,
    key_head: usize,
}

#[derive(Default)]
struct Scratch {
    query: Vec<f32>,
    weights: Vec<f32>,
    result: Vec<f32>,
}

thread_local! { static SCRATCH: RefCell<Scratch> = RefCell::default(); }

impl CachedHeads<'_> {
    fn group(&self) -> usize {
        self.heads / self.key_heads
    }

    /// The keys that a query of a sequence sees.
    #[inline(always)]
    fn seen(&self, sequence: &Sequence<'_>, query: usize) -> Range<usize> {
        let place = (sequence.keys + query).saturating_sub(sequence.queries.len());
        place.saturating_sub(self.before)..place.saturating_add(self.behind).saturating_add(1).min(sequence.keys)
    }

    /// Writes the output `[queries, heads * head size]`.
    pub fn forward(&self, output: &mut [f32]) {
        // SAFETY: a task writes to its own queries, in the columns of the heads that share its key head.
        let output = unsafe { Disjoint::new(output) };
        let at_once = (ROWS / self.group()).max(1);
        let tasks: Vec<Task<'_>> = self
            .sequences
            .iter()
            .flat_map(|sequence| (0..self.key_heads).map(move |key_head| (sequence, key_head)))
            .flat_map(|(sequence, key_head)| {
                let count = sequence.queries.len();
                (0..count).step_by(at_once).map(move |first| {
                    let queries = first..(first + at_once).min(count);
                    Task { sequence, queries, key_head }
                })
            })
            .collect();
        tasks.into_par_iter().for_each(|task| SCRATCH.with_borrow_mut(|scratch| self.attend(&task, scratch, output)));
    }

    fn attend(&self, task: &Task<'_>, scratch: &mut Scratch, output: Disjoint<'_>) {
        let Task { sequence, queries, key_head } = task;
        let (size, group) = (self.head_size, self.group());
        let count = queries.len() * group;
        let place = |row: usize| {
            let query = sequence.queries.start + queries.start + row / group;
            (query * self.heads + key_head * group + row % group) * size
        };
        let query = room(&mut scratch.query, count * size);
        for (row, to) in query.chunks_exact_mut(size).enumerate() {
            to.copy_from_slice(&self.query[place(row)..][..size]);
        }
        // What the first query sees begins first, and what the last one sees ends last.
        let seen = self.seen(sequence, queries.start).start..self.seen(sequence, queries.end - 1).end;
        let first = seen.start / TOKENS;
        let blocks = &sequence.blocks[first..seen.end.div_ceil(TOKENS)];
        let width = blocks.len() * TOKENS;
        let weights = room(&mut scratch.weights, count * width);
        for (index, block) in blocks.iter().enumerate() {
            let keys = &block.keys[key_head * size * TOKENS..][..size * TOKENS];
            let target = Sums { values: &mut weights[index * TOKENS..], stride: width, add: false };
            // What lies behind the last token that is seen is written over below.
            let columns = (seen.end - (first + index) * TOKENS).next_power_of_two().clamp(LANES, TOKENS);
            sum_rows([count, size, columns], [query, keys], [size, TOKENS], target);
        }
        let scale = 1.0 / (size as f32).sqrt();
        dispatch(
            #[inline(always)]
            || {
                for (row, weights) in weights.chunks_exact_mut(width).enumerate() {
                    let Range { start, end } = self.seen(sequence, queries.start + row / group);
                    let seen = start - first * TOKENS..end - first * TOKENS;
                    weights[..seen.start].fill(0.0);
                    weights[seen.end..].fill(0.0);
                    let weights = &mut weights[seen];
                    let Some(bias) = &self.bias else {
                        softmax(weights, scale);
                        continue;
                    };
                    let query = sequence.queries.start + queries.start + row / group;
                    let added = bias.row(key_head * group + row % group, query, &(start..end));
                    for (weight, added) in weights.iter_mut().zip(added) {
                        *weight = weight.mul_add(scale, *added);
                    }
                    softmax(weights, 1.0);
                }
            },
        );
        let result = room(&mut scratch.result, count * size);
        for (index, block) in blocks.iter().enumerate() {
            let start = (first + index) * TOKENS;
            let tokens = seen.start.max(start) - start..(seen.end - start).min(TOKENS);
            let values = &block.values[(key_head * TOKENS + tokens.start) * size..(key_head * TOKENS + tokens.end) * size];
            let weights = &weights[index * TOKENS + tokens.start..];
            let target = Sums { values: result, stride: size, add: index > 0 };
            sum_rows([count, tokens.len(), size], [weights, values], [width, size], target);
        }
        for (row, result) in result.chunks_exact(size).enumerate() {
            output.write(place(row), result);
        }
    }
}

/// Where sums go: rows at a stride, written over or added to.
struct Sums<'a> {
    values: &'a mut [f32],
    stride: usize,
    add: bool,
}

/// `to (+)= factors rows`: factors `[count, depth]`, rows `[depth, columns]`, both at strides.
fn sum_rows(
    [count, depth, columns]: [usize; 3],
    [factors, rows]: [&[f32]; 2],
    [factor_stride, row_stride]: [usize; 2],
    to: Sums<'_>,
) {
    if count > FEW {
        let target = Target::new(to.values, to.stride).adding(to.add);
        multiply_serial(count, depth, columns, View::new(factors, factor_stride), View::new(rows, row_stride), target);
        return;
    }
    let Sums { values, stride, add } = to;
    dispatch(
        #[inline(always)]
        || {
            let mut first = 0;
            while first < count {
                let (factors, values) = (&factors[first * factor_stride..], &mut values[first * stride..]);
                let sides = ([depth, columns], [factors, rows], [factor_stride, row_stride, stride]);
                first += match count - first {
                    1 => sum_of::<1>(sides, values, add),
                    2 => sum_of::<2>(sides, values, add),
                    3 => sum_of::<3>(sides, values, add),
                    _ => sum_of::<4>(sides, values, add),
                };
            }
        },
    );
}

/// What [`sum_rows`] works with: depth and columns; factors and rows; the strides of both and of the result.
type Sides<'a> = ([usize; 2], [&'a [f32]; 2], [usize; 3]);

/// The same for so many rows of factors, of which it gives the number.
#[inline(always)]
fn sum_of<const COUNT: usize>(sides: Sides<'_>, values: &mut [f32], add: bool) -> usize {
    let columns = sides.0[1];
    let mut column = 0;
    while column + 64 <= columns {
        sum_columns::<COUNT, 64>(sides, column, values, add);
        column += 64;
    }
    while column + 32 <= columns {
        sum_columns::<COUNT, 32>(sides, column, values, add);
        column += 32;
    }
    while column + 16 <= columns {
        sum_columns::<COUNT, 16>(sides, column, values, add);
        column += 16;
    }
    while column < columns {
        sum_columns::<COUNT, 1>(sides, column, values, add);
        column += 1;
    }
    COUNT
}

/// The same for so many columns from `column` on, whose sums stay in registers.
#[inline(always)]
fn sum_columns<const COUNT: usize, const WIDTH: usize>(
    ([depth, _], [factors, rows], [factor_stride, row_stride, stride]): Sides<'_>,
    column: usize,
    values: &mut [f32],
    add: bool,
) {
    let mut sums = [[0.0f32; WIDTH]; COUNT];
    let factors: [&[f32]; COUNT] = std::array::from_fn(|index| &factors[index * factor_stride..][..depth]);
    for (depth, row) in rows[..(depth - 1) * row_stride + column + WIDTH].chunks(row_stride).enumerate() {
        let row: &[f32; WIDTH] = row[column..][..WIDTH].try_into().expect("a row of this width");
        for (sums, factors) in sums.iter_mut().zip(&factors) {
            let factor = factors[depth];
            for lane in 0..WIDTH {
                sums[lane] = factor.mul_add(row[lane], sums[lane]);
            }
        }
    }
    for (index, sums) in sums.iter().enumerate() {
        let to = &mut values[index * stride + column..][..WIDTH];
        for lane in 0..WIDTH {
            to[lane] = if add { to[lane] + sums[lane] } else { sums[lane] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 8;
    const HEADS: usize = 4;
    const KEY_HEADS: usize = 2;

    fn wave(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|place| (place as f32 * step).sin()).collect()
    }

    /// Keys or values, `[tokens, key heads * size]`, in blocks whose other places are no numbers.
    fn blocks(rows: &[f32], is_turned: bool) -> Vec<Vec<f32>> {
        let width = KEY_HEADS * SIZE;
        let tokens = rows.len() / width;
        let mut blocks = vec![vec![f32::NAN; width * TOKENS]; tokens.div_ceil(TOKENS)];
        for (token, row) in rows.chunks_exact(width).enumerate() {
            for (column, value) in row.iter().enumerate() {
                let (head, within, at) = (column / SIZE, column % SIZE, token % TOKENS);
                let place = if is_turned { column * TOKENS + at } else { (head * TOKENS + at) * SIZE + within };
                blocks[token / TOKENS][place] = *value;
            }
        }
        blocks
    }

    fn attend(query: &[f32], [keys, values]: [&[f32]; 2], [before, behind]: [usize; 2]) -> Vec<f32> {
        let (of_keys, of_values) = (blocks(keys, true), blocks(values, false));
        let sequence = Sequence {
            queries: 0..query.len() / (HEADS * SIZE),
            keys: keys.len() / (KEY_HEADS * SIZE),
            blocks: of_keys.iter().zip(&of_values).map(|(keys, values)| Block { keys, values }).collect(),
        };
        let mut output = vec![f32::NAN; query.len()];
        let sequences = [sequence];
        CachedHeads {
            query,
            sequences: &sequences,
            heads: HEADS,
            key_heads: KEY_HEADS,
            head_size: SIZE,
            before,
            behind,
            bias: None,
        }
        .forward(&mut output);
        output
    }

    /// The same, value by value in double precision.
    fn reference(query: &[f32], [keys, values]: [&[f32]; 2], [before, behind]: [usize; 2]) -> Vec<f64> {
        let (count, tokens) = (query.len() / (HEADS * SIZE), keys.len() / (KEY_HEADS * SIZE));
        let mut output = Vec::new();
        for row in 0..count {
            let place = tokens + row - count;
            for head in 0..HEADS {
                let of_key = |token: usize| (token * KEY_HEADS + head / (HEADS / KEY_HEADS)) * SIZE;
                let query = &query[(row * HEADS + head) * SIZE..][..SIZE];
                let seen: Vec<usize> = (0..tokens)
                    .filter(|token| token.saturating_add(before) >= place && *token <= place.saturating_add(behind))
                    .collect();
                let score = |token: &usize| {
                    let products = query.iter().zip(&keys[of_key(*token)..]).map(|(a, b)| f64::from(*a) * f64::from(*b));
                    (products.sum::<f64>() / (SIZE as f64).sqrt()).exp()
                };
                let weights: Vec<f64> = seen.iter().map(score).collect();
                let total: f64 = weights.iter().sum();
                output.extend((0..SIZE).map(|column| {
                    let value = |(token, weight): (&usize, &f64)| weight / total * f64::from(values[of_key(*token) + column]);
                    seen.iter().zip(&weights).map(value).sum::<f64>()
                }));
            }
        }
        output
    }

    #[test]
    fn what_lies_behind_the_last_key_is_never_read() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        // What tasks keep of their working memory is no number, either, and longer than all that follows.
        let nothing = vec![f32::NAN; 200 * KEY_HEADS * SIZE];
        let poison = vec![f32::NAN; 150 * HEADS * SIZE];
        for tokens in [1, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 130] {
            let [keys, values] = [0.37, 0.91].map(|step| wave(tokens * KEY_HEADS * SIZE, step));
            // One query a sequence, as many as nothing is packed for, and more.
            for queries in [1, 3, 4, 5, 40].into_iter().filter(|queries| *queries <= tokens) {
                let query = wave(queries * HEADS * SIZE, 0.53);
                for window in [[usize::MAX, 0], [usize::MAX; 2], [2, 0], [20, 0]] {
                    let found = pool.install(|| {
                        attend(&poison, [&nothing, &nothing], [usize::MAX, 0]);
                        attend(&query, [&keys, &values], window)
                    });
                    for (found, expected) in found.iter().zip(reference(&query, [&keys, &values], window)) {
                        let error = (f64::from(*found) - expected).abs();
                        assert!(error < 1e-5, "{tokens} keys, {queries} queries, {window:?}: {found} instead of {expected}");
                    }
                }
            }
        }
    }
}
