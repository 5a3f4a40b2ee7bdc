//! Sums over rows and columns, and loops over blocks of rows on all threads. Knows nothing of tensors.
//!
//! How many rows a block has follows from their width alone, and partial sums are added in their order, so that nothing depends on
//! how many threads there are.

use rayon::prelude::*;

use crate::kernels::simd::dispatch;
use crate::pool::Buffer;

/// The most rows in a block of work.
pub(crate) const BLOCK: usize = 64;

/// So many values are work enough for a block.
const ENOUGH: usize = 16 * 1024;

/// Independent sums that a vector register or two can hold.
const LANES: usize = 32;

/// The sum of `term(value)` over the values, in [`LANES`] interleaved parts.
#[inline(always)]
pub(crate) fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    sum_of_pairs(values, values, |value, _| term(value))
}

/// The sum of `term(left, right)` over the values of two slices of one length, in [`LANES`] interleaved parts.
///
/// Parts of known length, and not indices: a check of an index would stand between the sums and their registers.
#[inline(always)]
pub(crate) fn sum_of_pairs(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    debug_assert_eq!(left.len(), right.len(), "sum of pairs");
    let mut lanes = [0.0f32; LANES];
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<LANES>(), right[..left.len()].as_chunks::<LANES>());
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            lanes[lane] += term(left[lane], right[lane]);
        }
    }
    for (lane, (left, right)) in lanes.iter_mut().zip(left_rest.iter().zip(right_rest)) {
        *lane += term(*left, *right);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest value, or negative infinity of none.
#[inline(always)]
pub(crate) fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let chunks = values.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    let top = lanes.into_iter().fold(f32::NEG_INFINITY, f32::max);
    rest.iter().copied().fold(top, f32::max)
}

/// Runs `work(first_row, rows)` on blocks of at most [`BLOCK`] rows of `values` on all threads, compiled for this machine. Wide rows make
/// blocks of fewer, so that the few rows of a step of decoding are work for all threads.
pub(crate) fn for_blocks(values: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = (ENOUGH / columns.max(1)).clamp(1, BLOCK);
    let run = |(index, block): (usize, &mut [f32])| {
        dispatch(
            #[inline(always)]
            || work(index * rows, block),
        )
    };
    if values.len() <= rows * columns {
        values.chunks_mut((rows * columns).max(1)).enumerate().for_each(run);
    } else {
        values.par_chunks_mut(rows * columns).enumerate().for_each(run);
    }
}

/// As [`for_blocks`] on blocks of [`BLOCK`] rows however wide they are, where each block also sums into `sums` values of its own. The
/// first `sums` values of what is returned are the blocks' sums, added up in their order.
pub(crate) fn for_blocks_with_sums(
    values: &mut [f32],
    columns: usize,
    sums: usize,
    work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) -> Buffer {
    let blocks = values.len().div_ceil(BLOCK * columns);
    let mut partial = Buffer::zeroed(blocks.max(1) * sums);
    values.par_chunks_mut(BLOCK * columns).zip(partial.par_chunks_mut(sums)).enumerate().for_each(|(index, (block, sums))| {
        dispatch(
            #[inline(always)]
            || work(index * BLOCK, block, sums),
        )
    });
    let (total, rest) = partial.split_at_mut(sums);
    for part in rest.chunks_exact(sums) {
        super::add_assign(total, part);
    }
    partial
}
