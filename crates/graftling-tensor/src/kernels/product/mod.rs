//! The matrix product: both sides packed once, blocks summed in registers, and an epilogue while a block is still in cache.
//!
//! The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008). Every value of a
//! result is one chain of multiply-adds in a fixed order, whatever the number of threads and wherever in a block it stands.
//! Knows nothing of tensors.

mod pack;
mod tile;
#[cfg(target_arch = "x86_64")]
mod tile_avx2;
#[cfg(target_arch = "x86_64")]
mod tile_avx512;
mod tile_portable;
mod transpose;

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

pub(crate) use pack::{PackedRight, Right, RightSide, UnpackedRight};
use pack::{ROW_STRIDE, depth_blocks, pack_left};
use tile::{Coming, GROUP, LINE, Operands, Tile};

use crate::kernels::simd::Level;

/// One side of a product: a matrix in a slice.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    values: &'a [f32],
    stride: usize,
    transposed: bool,
}

impl<'a> View<'a> {
    /// A matrix whose value (row, column) lies at `row * stride + column`.
    pub fn new(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride, transposed: false }
    }

    /// The transpose of a matrix in a slice: value (row, column) lies at `column * stride + row`.
    pub fn transposed(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride, transposed: true }
    }
}

/// What is done to a piece of a row of the result as soon as its sums are complete.
pub(crate) trait Epilogue: Sync {
    /// Finishes `values`, which stand from `column` on in every row of the result; `second` is the same piece of the second
    /// result, and empty where there is none.
    fn finish(&self, column: usize, values: &mut [f32], second: &mut [f32]);
}

/// Leaves the sums as they are.
pub(crate) struct Plain;

impl Epilogue for Plain {
    #[inline(always)]
    fn finish(&self, _column: usize, _values: &mut [f32], _second: &mut [f32]) {}
}

/// The result of a product: rows at a stride, written over or added to.
pub(crate) struct Target<'a> {
    values: &'a mut [f32],
    stride: usize,
    add: bool,
    second: Option<&'a mut [f32]>,
}

impl<'a> Target<'a> {
    /// A result whose value (row, column) lies at `row * stride + column`, overwritten.
    pub fn new(values: &'a mut [f32], stride: usize) -> Self {
        Self { values, stride, add: false, second: None }
    }

    /// The same, added to where `add` is true.
    pub fn adding(mut self, add: bool) -> Self {
        self.add = add;
        self
    }

    /// The same with a second result of the same shape and stride, which only the epilogue writes.
    pub fn with_second(mut self, second: &'a mut [f32]) -> Self {
        self.second = Some(second);
        self
    }
}

/// `target (+)= left right` on all threads: left `[rows, depth]`, right `[depth, columns]`.
pub(crate) fn multiply(rows: usize, depth: usize, columns: usize, left: View, right: View, target: Target) {
    if rows <= FEW_ROWS {
        multiply_with(rows, left, &as_it_lies(right, depth, columns), target, &Plain);
    } else {
        multiply_with(rows, left, &pack_right(right, depth, columns), target, &Plain);
    }
}

/// Packs a right side for [`multiply_with`] on all threads.
pub(crate) fn pack_right(right: View, depth: usize, columns: usize) -> PackedRight {
    PackedRight::new(right, depth, columns, tile_columns(Level::widest()), true)
}

/// A right side for one [`multiply_with`] with at most [`FEW_ROWS`] rows.
pub(crate) fn as_it_lies(right: View<'_>, depth: usize, columns: usize) -> UnpackedRight<'_> {
    UnpackedRight::new(right, depth, columns, tile_columns(Level::widest()))
}

/// [`multiply_with`] a right side of either kind.
pub(crate) fn multiply_with_side<E: Epilogue>(rows: usize, left: View, right: &RightSide<'_>, target: Target, epilogue: &E) {
    match right {
        RightSide::Packed(right) => multiply_with(rows, left, &**right, target, epilogue),
        RightSide::Unpacked(right) => multiply_with(rows, left, right, target, epilogue),
    }
}

/// `target (+)= left right` on all threads, with an epilogue. The bits are the same for every kind of right side.
pub(crate) fn multiply_with<R: Right, E: Epilogue>(rows: usize, left: View, right: &R, target: Target, epilogue: &E) {
    let threads = rayon::current_num_threads();
    // In one block of rows each panel is made and read once.
    let (tall, wide) = if R::MAKES_PANELS || is_wide(rows, right.panels(), threads) {
        (std::iter::once(0..rows).collect(), side_by_side(right.panels(), if threads == 1 { 1 } else { threads * 2 }))
    } else {
        grid(rows, right.panels(), threads, tile_rows(Level::widest()))
    };
    let job = Job::new(Level::widest(), rows, left, right, target, epilogue);
    if tall.len() * wide.len() == 1 {
        job.run(0..rows, 0..right.panels());
        return;
    }
    let tasks: Vec<(Range<usize>, Range<usize>)> =
        wide.iter().flat_map(|panels| tall.iter().map(move |rows| (rows.clone(), panels.clone()))).collect();
    tasks.into_par_iter().with_max_len(1).for_each(|(rows, panels)| job.run(rows, panels));
}

/// `target (+)= left right` on the calling thread: for the many small products within attention.
pub(crate) fn multiply_serial(rows: usize, depth: usize, columns: usize, left: View, right: View, target: Target) {
    let level = Level::widest();
    let right = PackedRight::new(right, depth, columns, tile_columns(level), false);
    Job::new(level, rows, left, &right, target, &Plain).run(0..rows, 0..right.panels());
}

fn tile_rows(level: Level) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => tile_avx512::Avx512Tile::ROWS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => tile_avx2::Avx2Tile::ROWS,
        Level::Portable => tile_portable::PortableTile::ROWS,
    }
}

fn tile_columns(level: Level) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => tile_avx512::Avx512Tile::COLUMNS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => tile_avx2::Avx2Tile::COLUMNS,
        Level::Portable => tile_portable::PortableTile::COLUMNS,
    }
}

/// Rows of the left side that one task packs at a time: about 170 KB, which stays in a second-level cache.
const BLOCK_ROWS: usize = 112;
/// Up to so many rows of the left side a right side that is needed once is not packed first.
pub(crate) const FEW_ROWS: usize = BLOCK_ROWS;

/// So many panels for each thread are work enough to cut a result along them alone.
const WIDE_PANELS: usize = 8;

/// Whether one block of rows meets so many panels that reading them costs more than packing the rows in every task.
fn is_wide(rows: usize, panels: usize, threads: usize) -> bool {
    rows <= BLOCK_ROWS && panels >= threads * WIDE_PANELS
}

/// Cuts a result into blocks for `threads`: along its rows first, along its panels where there are too few rows.
fn grid(rows: usize, panels: usize, threads: usize, tile_rows: usize) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let blocks = rows.div_ceil(BLOCK_ROWS).next_multiple_of(if rows >= threads * tile_rows * 2 { threads } else { 1 });
    // Whole tiles, spread so that no block has more than one above another: a short last block would leave a thread waiting.
    let tiles = rows.div_ceil(tile_rows);
    let edge = |block: usize| (block * tiles / blocks * tile_rows).min(rows);
    let tall: Vec<_> = (0..blocks).map(|block| edge(block)..edge(block + 1)).filter(|rows| !rows.is_empty()).collect();
    let wanted = if threads == 1 || tall.len() >= threads * 2 { 1 } else { (threads * 2).div_ceil(tall.len().max(1)) };
    (tall, side_by_side(panels, wanted))
}

/// Panels in so many parts, or fewer.
fn side_by_side(panels: usize, parts: usize) -> Vec<Range<usize>> {
    let width = panels.div_ceil(parts).max(1);
    (0..panels).step_by(width).map(|start| start..(start + width).min(panels)).collect()
}

/// The depth block behind one of `whole_depth`.
fn next_depth(whole_depth: usize, depth: &Range<usize>) -> Option<Range<usize>> {
    depth_blocks(whole_depth).find(|block| block.start == depth.end)
}

/// What of the next panel is asked for while one of `tiles` tiles of this depth is computed.
fn coming_share(next: &[f32], index: usize, tiles: usize, depth: usize) -> Coming {
    let groups = depth / GROUP;
    let lines = next.len().div_ceil(LINE).div_ceil((groups * tiles).max(1));
    match next.get(index * groups * lines * LINE..) {
        None | Some([]) => Coming::NOTHING,
        Some(rest) => Coming { start: rest.as_ptr(), lines },
    }
}

/// A product that tasks compute blocks of.
struct Job<'a, R, E> {
    level: Level,
    left: View<'a>,
    right: &'a R,
    target: *mut f32,
    second: Option<*mut f32>,
    stride: usize,
    add: bool,
    epilogue: &'a E,
}

// SAFETY: tasks write to disjoint blocks of the target, which outlives them, and only read the rest.
unsafe impl<R: Sync, E: Sync> Sync for Job<'_, R, E> {}

impl<'a, R: Right, E: Epilogue> Job<'a, R, E> {
    fn new(level: Level, rows: usize, left: View<'a>, right: &'a R, target: Target<'a>, epilogue: &'a E) -> Self {
        let [depth, columns] = right.shape();
        assert_eq!(right.panel_columns(), tile_columns(level), "product: panels of another level");
        let needed =
            |rows: usize, columns: usize, stride: usize| if rows * columns == 0 { 0 } else { (rows - 1) * stride + columns };
        let left_needed = if left.transposed { needed(depth, rows, left.stride) } else { needed(rows, depth, left.stride) };
        assert!(left.values.len() >= left_needed, "product: left side of {} values for {rows} x {depth}", left.values.len());
        assert!(
            target.values.len() >= needed(rows, columns, target.stride),
            "product: target of {} values for {rows} x {columns} at stride {}",
            target.values.len(),
            target.stride
        );
        let Target { values, stride, add, second } = target;
        let second = second.map(|second| {
            assert_eq!(second.len(), values.len(), "product: second target of {} values", second.len());
            second.as_mut_ptr()
        });
        Self { level, left, right, target: values.as_mut_ptr(), second, stride, add, epilogue }
    }

    /// Computes one block. Blocks that run at the same time must not overlap.
    fn run(&self, rows: Range<usize>, panels: Range<usize>) {
        match self.level {
            // SAFETY: the level says that the machine has the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { self.run_avx512(rows, panels) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { self.run_avx2(rows, panels) },
            Level::Portable => self.run_tiles::<tile_portable::PortableTile, { tile_portable::PortableTile::ROWS }>(rows, panels),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn run_avx512(&self, rows: Range<usize>, panels: Range<usize>) {
        self.run_tiles::<tile_avx512::Avx512Tile, { tile_avx512::Avx512Tile::ROWS }>(rows, panels);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&self, rows: Range<usize>, panels: Range<usize>) {
        self.run_tiles::<tile_avx2::Avx2Tile, { tile_avx2::Avx2Tile::ROWS }>(rows, panels);
    }

    #[inline(always)]
    fn run_tiles<T: Tile, const ROWS: usize>(&self, rows: Range<usize>, panels: Range<usize>) {
        thread_local! { static SCRATCH: Cell<[Vec<f32>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) }; }
        let [whole_depth, _] = self.right.shape();
        // Taken out and put back: within a closure of `with` the loops might not be compiled for this level.
        let [mut slabs, mut made] = SCRATCH.take();
        for block in rows.clone().step_by(BLOCK_ROWS.next_multiple_of(ROWS)) {
            let block = block..(block + BLOCK_ROWS.next_multiple_of(ROWS)).min(rows.end);
            let tiles = block.len().div_ceil(ROWS);
            for depth in depth_blocks(whole_depth) {
                let slab_size = pack_left::<ROWS>(&mut slabs, self.left, block.clone(), &depth);
                for panel in panels.clone() {
                    let next = if panel + 1 < panels.end {
                        self.right.ready(&depth, panel + 1)
                    } else {
                        next_depth(whole_depth, &depth).and_then(|depth| self.right.ready(&depth, panels.start))
                    };
                    let values = self.right.panel(&depth, panel, &mut made);
                    for (index, first) in block.clone().step_by(ROWS).enumerate() {
                        let slab = &slabs[index * slab_size..][..slab_size];
                        let coming = next.map_or(Coming::NOTHING, |next| coming_share(next, index, tiles, depth.len()));
                        self.run_tile::<T, ROWS>(slab, &depth, (panel, values), first..(first + ROWS).min(block.end), coming);
                    }
                }
            }
        }
        SCRATCH.set([slabs, made]);
    }

    #[inline(always)]
    fn run_tile<T: Tile, const ROWS: usize>(
        &self,
        slab: &[f32],
        depth: &Range<usize>,
        (panel, values): (usize, &[f32]),
        rows: Range<usize>,
        coming: Coming,
    ) {
        let [whole_depth, columns] = self.right.shape();
        let column = panel * T::COLUMNS;
        let width = T::COLUMNS.min(columns - column);
        let add = self.add || depth.start > 0;
        // SAFETY: `Job::new` checked that the target holds every row and column of the result.
        let corner = unsafe { self.target.add(rows.start * self.stride + column) };
        let operands =
            Operands { depth: depth.len(), a: slab.as_ptr(), b: values.as_ptr(), c: corner, c_stride: self.stride, add, coming };
        if rows.len() == ROWS && width == T::COLUMNS {
            #[cfg(target_arch = "x86_64")]
            operands.ask_for_result(ROWS, T::COLUMNS);
            // SAFETY: slab and panel hold a full tile's values, and the tile lies inside the target.
            unsafe { self.run_operands::<T, ROWS>(operands) };
        } else {
            // A tile over the edge is computed beside the target, and the part inside is copied.
            #[cfg(target_arch = "x86_64")]
            operands.ask_for_result(rows.len(), width);
            let mut edge = [0.0f32; 14 * 32];
            let operands = Operands { c: edge.as_mut_ptr(), c_stride: T::COLUMNS, add: false, ..operands };
            // SAFETY: slab and panel are filled up with zeros to full size, and `edge` holds the largest tile.
            unsafe { self.run_operands::<T, ROWS>(operands) };
            for row in 0..rows.len() {
                // SAFETY: row and width lie inside the target.
                let to = unsafe { std::slice::from_raw_parts_mut(corner.add(row * self.stride), width) };
                for (to, value) in to.iter_mut().zip(&edge[row * T::COLUMNS..]) {
                    *to = if add { *to + value } else { *value };
                }
            }
        }
        if depth.end == whole_depth {
            for row in 0..rows.len() {
                let from = (rows.start + row) * self.stride + column;
                // SAFETY: row and width lie inside the target, and inside the second one, which is as long.
                let (values, second) = unsafe {
                    let piece = |start: *mut f32| std::slice::from_raw_parts_mut(start.add(from), width);
                    (piece(self.target), self.second.map_or(&mut [][..], piece))
                };
                self.epilogue.finish(column, values, second);
            }
        }
    }

    /// # Safety
    /// As [`Tile::run`].
    #[inline(always)]
    unsafe fn run_operands<T: Tile, const ROWS: usize>(&self, operands: Operands) {
        // SAFETY: passed on to the caller.
        unsafe {
            match (self.left.transposed, ROWS) {
                (false, _) => T::run::<ROW_STRIDE, 1>(operands),
                (true, 14) => T::run::<1, 14>(operands),
                (true, 6) => T::run::<1, 6>(operands),
                (true, _) => T::run::<1, 4>(operands),
            }
        }
    }
}

#[cfg(test)]
mod tests;
