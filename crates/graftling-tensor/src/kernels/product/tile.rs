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
