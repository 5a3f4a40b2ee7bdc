//! What the innermost block of a product is given and must do. Knows nothing of packing or threads.

/// One block's worth of work: `c (+)= a b`.
#[derive(Clone, Copy)]
pub(crate) struct Operands {
    /// How many products are summed into each value.
    pub depth: usize,
    /// Rows of the left side: value (row, k) lies at `row * ROW_STEP + k * K_STEP`.
    pub a: *const f32,
    /// Columns of the right side: value (k, column) lies at `k * COLUMNS + column`.
    pub b: *const f32,
    /// The block's upper left corner in the result.
    pub c: *mut f32,
    /// The distance between rows of the result.
    pub c_stride: usize,
    /// Whether to add to the result (`true`) or to overwrite it.
    pub add: bool,
    /// What is asked for while this is computed.
    // Read by the tiles of x86-64 alone.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub coming: Coming,
}

/// Memory that is read soon: part of the panel behind the present one, for a third-level cache answers slowly (figures in EXPERIMENTS.md,
/// "What the product waited for"). It may reach behind the panel, and behind all memory of the program: hints alone may use it.
#[derive(Clone, Copy)]
// Read by the tiles of x86-64 alone.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) struct Coming {
    /// Where it begins.
    pub start: *const f32,
    /// How many cache lines are asked for in each whole [`GROUP`] of steps along the depth.
    pub lines: usize,
}

/// So many steps along the depth are taken between askings.
pub(crate) const GROUP: usize = 4;

/// Values of a cache line.
pub(crate) const LINE: usize = 16;

impl Coming {
    /// Nothing.
    pub const NOTHING: Coming = Coming { start: std::ptr::null(), lines: 0 };

    /// Asks for the lines of one group, and moves on behind them.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn ask(&mut self) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        for _ in 0..self.lines {
            // SAFETY: a hint changes nothing that a program sees, wherever it points.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(self.start.cast()) };
            self.start = self.start.wrapping_add(LINE);
        }
    }
}

impl Operands {
    /// Asks for so many rows and columns of the block's place in the result, so that they are near when the sums are complete.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn ask_for_result(&self, rows: usize, columns: usize) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        for row in 0..rows {
            let start = self.c.wrapping_add(row * self.c_stride);
            // A row need not begin with a line: its last value is in the line behind then.
            for column in (0..columns).step_by(LINE).chain([columns - 1]) {
                // SAFETY: a hint changes nothing that a program sees, wherever it points.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(column).cast()) };
            }
        }
    }
}

/// A block of a product that fits into registers.
pub(crate) trait Tile: Copy {
    /// Rows of the block.
    const ROWS: usize;
    /// Columns of the block.
    const COLUMNS: usize;

    /// Computes the block. Each value is one chain of multiply-adds in the order of k, so that it does not depend on where in a
    /// block it stands.
    ///
    /// # Safety
    /// The operands must be valid for reads of ROWS x depth and depth x COLUMNS values and for writes of ROWS rows of COLUMNS
    /// values, and the machine must have the instructions of the implementation.
    unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands);
}
