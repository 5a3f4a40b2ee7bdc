//! Copies the sides of a product into the order in which tiles read them. Knows no arithmetic.

use rayon::prelude::*;

use super::View;
use super::transpose::transpose;
use crate::pool::Buffer;

/// The most products that are summed in registers before the sum is added to the result.
pub(crate) const MAX_DEPTH: usize = 384;

/// The distance between the rows of a packed left side that is read along its rows: 17 cache lines more than a power of two
/// would give, so that rows do not fall onto the same cache sets.
pub(crate) const ROW_STRIDE: usize = MAX_DEPTH + 16;

/// The ranges in which the sums over `depth` are taken: equal parts of at most [`MAX_DEPTH`]. Depends on nothing else, so that
/// results do not depend on the number of threads.
pub(crate) fn depth_blocks(depth: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let blocks = depth.div_ceil(MAX_DEPTH).max(1);
    let size = depth.div_ceil(blocks).next_multiple_of(8).min(depth.max(1));
    (0..depth).step_by(size.max(1)).map(move |start| start..(start + size).min(depth))
}

/// The right side of a product in panels: for each depth block, for each panel of columns, `depth x columns` values.
pub(crate) struct PackedRight {
    values: Buffer,
    /// Rows of the right side: the sum's length.
    pub depth: usize,
    /// Columns of the right side.
    pub columns: usize,
    panel: usize,
}

impl PackedRight {
    /// Packs `right` (logical shape `[depth, columns]`) into panels of `panel` columns, the last filled up with zeros.
    pub fn new(right: View, depth: usize, columns: usize, panel: usize, parallel: bool) -> Self {
        let panels = columns.div_ceil(panel);
        let mut values = Buffer::stale(depth * panels * panel);
        if parallel {
            let mut rest: &mut [f32] = &mut values;
            let mut pieces = Vec::new();
            for block in depth_blocks(depth) {
                for index in 0..panels {
                    let (piece, tail) = rest.split_at_mut(block.len() * panel);
                    pieces.push((piece, block.clone(), index * panel));
                    rest = tail;
                }
            }
            pieces.into_par_iter().with_min_len(2).for_each(|(piece, block, first)| {
                pack_panel(piece, right, block, first, panel.min(columns - first), panel);
            });
        } else {
            let mut start = 0;
            for block in depth_blocks(depth) {
                for first in (0..columns).step_by(panel) {
                    let size = block.len() * panel;
                    pack_panel(&mut values[start..start + size], right, block.clone(), first, panel.min(columns - first), panel);
                    start += size;
                }
            }
        }
        Self { values, depth, columns, panel }
    }

    /// How many panels there are.
    pub fn panels(&self) -> usize {
        self.columns.div_ceil(self.panel)
    }

    /// The values of one panel in one depth block.
    pub fn panel(&self, block: &std::ops::Range<usize>, index: usize) -> &[f32] {
        let start = block.start * self.panels() * self.panel + index * block.len() * self.panel;
        &self.values[start..start + block.len() * self.panel]
    }
}

fn pack_panel(to: &mut [f32], right: View, block: std::ops::Range<usize>, first: usize, width: usize, panel: usize) {
    if right.transposed {
        if width < panel {
            to.fill(0.0);
        }
        let from = &right.values[first * right.stride + block.start..];
        transpose(from, right.stride, to, panel, [width, block.len()]);
    } else {
        match (width == panel, panel) {
            (true, 32) => copy_rows::<32>(to, right, block, first),
            (true, 16) => copy_rows::<16>(to, right, block, first),
            _ => {
                for (k, to) in block.zip(to.chunks_exact_mut(panel)) {
                    to[..width].copy_from_slice(&right.values[k * right.stride + first..][..width]);
                    to[width..].fill(0.0);
                }
            }
        }
    }
}

/// Copies whole rows of a panel. With the width known beforehand a row is a few vector moves and no call.
fn copy_rows<const WIDTH: usize>(to: &mut [f32], right: View, block: std::ops::Range<usize>, first: usize) {
    let (rows, _) = to.as_chunks_mut::<WIDTH>();
    for (k, to) in block.zip(rows) {
        *to = *right.values[k * right.stride + first..].first_chunk::<WIDTH>().expect("a whole row");
    }
}

/// Packs `rows` rows of the left side into slabs of `ROWS` rows, the last filled up with zeros, and returns a slab's size.
///
/// A left side stored by rows is packed `[ROWS][ROW_STRIDE]`, a transposed one `[depth][ROWS]`: either way runs of memory are
/// copied and nothing is transposed; tiles are compiled for both orders.
pub(crate) fn pack_left<const ROWS: usize>(
    to: &mut Vec<f32>,
    left: View,
    rows: std::ops::Range<usize>,
    block: &std::ops::Range<usize>,
) -> usize {
    let slabs = rows.len().div_ceil(ROWS);
    let slab_size = if left.transposed { ROWS * block.len() } else { ROWS * ROW_STRIDE };
    if to.len() < slabs * slab_size {
        to.resize(slabs * slab_size, 0.0);
    }
    for (index, slab) in to.chunks_exact_mut(slab_size).take(slabs).enumerate() {
        let first = rows.start + index * ROWS;
        let count = ROWS.min(rows.end - first);
        if left.transposed {
            for (k, to) in block.clone().zip(slab.chunks_exact_mut(ROWS)) {
                let from = &left.values[k * left.stride + first..][..count];
                match (from.first_chunk::<ROWS>(), to.first_chunk_mut::<ROWS>()) {
                    (Some(from), Some(to)) => *to = *from,
                    _ => {
                        to[..count].copy_from_slice(from);
                        to[count..].fill(0.0);
                    }
                }
            }
        } else {
            for (row, to) in slab.chunks_exact_mut(ROW_STRIDE).enumerate() {
                if row < count {
                    let from = &left.values[(first + row) * left.stride + block.start..][..block.len()];
                    to[..block.len()].copy_from_slice(from);
                } else {
                    to[..block.len()].fill(0.0);
                }
            }
        }
    }
    slab_size
}
