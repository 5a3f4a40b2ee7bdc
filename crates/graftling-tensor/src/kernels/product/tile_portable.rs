//! A 4 x 8 block of a product in plain Rust, for machines without AVX2: the compiler makes SSE2 or NEON of it.

use super::tile::{Operands, Tile};

const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// The portable tile.
#[derive(Clone, Copy)]
pub(crate) struct PortableTile;

impl Tile for PortableTile {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;

    // SAFETY: callers keep the promise of `Tile::run`.
    #[inline(always)]
    unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands) {
        let Operands { depth, a, b, c, c_stride, add, coming: _ } = operands;
        // SAFETY: the caller promises ROWS x depth values behind `a` at the given steps, depth x 8 behind `b`, and ROWS rows
        // of 8 values behind `c`.
        unsafe {
            let mut sums = [[0.0f32; COLUMNS]; ROWS];
            for k in 0..depth {
                let right = b.add(k * COLUMNS).cast::<[f32; COLUMNS]>().read_unaligned();
                for (row, sum) in sums.iter_mut().enumerate() {
                    let value = *a.add(row * ROW_STEP + k * K_STEP);
                    for (total, right) in sum.iter_mut().zip(right) {
                        *total += value * right;
                    }
                }
            }
            for (row, sum) in sums.iter().enumerate() {
                for (column, sum) in sum.iter().enumerate() {
                    let to = c.add(row * c_stride + column);
                    *to = if add { *to + sum } else { *sum };
                }
            }
        }
    }
}
