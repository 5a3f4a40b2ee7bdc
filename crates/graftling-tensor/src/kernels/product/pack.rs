//! Copies the sides of a product into the order in which tiles read them. Knows no arithmetic.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::View;
use super::transpose::transpose;
use crate::pool::Buffer;

/// The most products that are summed in registers before the sum is added to the result.
pub(crate) const MAX_DEPTH: usize = 384;

/// The distance between the rows of a packed left side that is read along its rows: 17 cache lines more than a power of two
/// would give, so that rows do not fall onto the same cache sets.
pub(crate) const ROW_STRIDE: usize = MAX_DEPTH + 16;

/// Packed sides of up to so many values, as attention over short texts has them, are near anyway.
const NEAR: usize = 16 * 1024;

/// The ranges in which the sums over `depth` are taken: equal parts of at most [`MAX_DEPTH`]. Depends on nothing else, so that
/// results do not depend on the number of threads.
pub(crate) fn depth_blocks(depth: usize) -> impl Iterator<Item = Range<usize>> {
    let blocks = depth.div_ceil(MAX_DEPTH).max(1);
    let size = depth.div_ceil(blocks).next_multiple_of(8).min(depth.max(1));
    (0..depth).step_by(size.max(1)).map(move |start| start..(start + size).min(depth))
}

/// A right side in one way or the other.
pub(crate) enum RightSide<'v> {
    /// All panels lie ready, perhaps for others, too.
    Packed(Arc<PackedRight>),
    /// None does.
    Unpacked(UnpackedRight<'v>),
}

/// The right side of a product, of which tiles ask for one panel of columns after the other.
pub(crate) trait Right: Sync {
    /// Whether a panel is made anew whenever it is asked for.
    const MAKES_PANELS: bool;

    /// Rows of the right side, the sum's length, and its columns.
    fn shape(&self) -> [usize; 2];

    /// How many columns a panel has.
    fn panel_columns(&self) -> usize;

    /// The values of one panel in one depth block, `depth x columns`, in `made` where they lie nowhere else.
    fn panel<'a>(&'a self, block: &Range<usize>, index: usize, made: &'a mut Vec<f32>) -> &'a [f32];

    /// The same panel where it lies in memory that is worth fetching beforehand.
    fn ready(&self, block: &Range<usize>, index: usize) -> Option<&[f32]>;

    /// How many panels there are.
    fn panels(&self) -> usize {
        self.shape()[1].div_ceil(self.panel_columns())
    }
}

/// A right side all of whose panels lie ready: for each depth block, for each panel of columns, `depth x columns` values.
pub(crate) struct PackedRight {
    values: Buffer,
    depth: usize,
    columns: usize,
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

    fn lying(&self, block: &Range<usize>, index: usize) -> &[f32] {
        let start = block.start * self.panels() * self.panel + index * block.len() * self.panel;
        &self.values[start..start + block.len() * self.panel]
    }
}

impl Right for PackedRight {
    const MAKES_PANELS: bool = false;

    fn shape(&self) -> [usize; 2] {
        [self.depth, self.columns]
    }

    fn panel_columns(&self) -> usize {
        self.panel
    }

    fn panel<'a>(&'a self, block: &Range<usize>, index: usize, _made: &'a mut Vec<f32>) -> &'a [f32] {
        self.lying(block, index)
    }

    fn ready(&self, block: &Range<usize>, index: usize) -> Option<&[f32]> {
        (self.values.len() > NEAR).then(|| self.lying(block, index))
    }
}

/// A right side as it lies, whose panels are made one at a time in a thread's own memory: for one product with few rows, in which each
/// panel is needed once, so that no copy of the whole is written and read again.
pub(crate) struct UnpackedRight<'v> {
    view: View<'v>,
    depth: usize,
    columns: usize,
    panel: usize,
}

impl<'v> UnpackedRight<'v> {
    /// `view` has the logical shape `[depth, columns]`; panels have `panel` columns, the last filled up with zeros.
    pub fn new(view: View<'v>, depth: usize, columns: usize, panel: usize) -> Self {
        Self { view, depth, columns, panel }
    }
}

impl Right for UnpackedRight<'_> {
    const MAKES_PANELS: bool = true;

    fn shape(&self) -> [usize; 2] {
        [self.depth, self.columns]
    }

    fn panel_columns(&self) -> usize {
        self.panel
    }

    fn panel<'a>(&'a self, block: &Range<usize>, index: usize, made: &'a mut Vec<f32>) -> &'a [f32] {
        let size = block.len() * self.panel;
        if made.len() < size {
            made.resize(size, 0.0);
        }
        let first = index * self.panel;
        pack_panel(&mut made[..size], self.view, block.clone(), first, self.panel.min(self.columns - first), self.panel);
        &made[..size]
    }

    fn ready(&self, _block: &Range<usize>, _index: usize) -> Option<&[f32]> {
        None
    }
}

fn pack_panel(to: &mut [f32], right: View, block: Range<usize>, first: usize, width: usize, panel: usize) {
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
fn copy_rows<const WIDTH: usize>(to: &mut [f32], right: View, block: Range<usize>, first: usize) {
    let (rows, _) = to.as_chunks_mut::<WIDTH>();
    for (k, to) in block.zip(rows) {
        *to = *right.values[k * right.stride + first..].first_chunk::<WIDTH>().expect("a whole row");
    }
}

/// Packs `rows` rows of the left side into slabs of `ROWS` rows, the last filled up with zeros, and returns a slab's size.
///
/// A left side stored by rows is packed `[ROWS][ROW_STRIDE]`, a transposed one `[depth][ROWS]`: either way runs of memory are
/// copied and nothing is transposed; tiles are compiled for both orders.
pub(crate) fn pack_left<const ROWS: usize>(to: &mut Vec<f32>, left: View, rows: Range<usize>, block: &Range<usize>) -> usize {
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
