//! A 6 x 16 block of a product in AVX2 registers: 12 accumulators, two column vectors, one broadcast.

use std::arch::x86_64::{_mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};

use super::tile::{GROUP, Operands, Tile};

const ROWS: usize = 6;

/// The AVX2 tile.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Tile;

impl Tile for Avx2Tile {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = 16;

    // SAFETY: callers keep the promise of `Tile::run`.
    #[inline(always)]
    unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands) {
        // SAFETY: the caller promises valid operands and a machine with AVX2 and FMA.
        unsafe { run::<ROW_STEP, K_STEP>(operands) }
    }
}

// SAFETY: callers pass operands as `Tile::run` demands.
#[target_feature(enable = "avx2,fma")]
unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands) {
    let Operands { depth, mut a, mut b, c, c_stride, add, mut coming } = operands;
    // SAFETY: `a` holds ROWS x depth values at the given steps, `b` depth x 16 values, and `c` ROWS rows of 16 values.
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        // A closure would hold the sums in memory.
        macro_rules! step {
            () => {
                let left = _mm256_loadu_ps(b);
                let right = _mm256_loadu_ps(b.add(8));
                for (row, sum) in sums.iter_mut().enumerate() {
                    let value = _mm256_set1_ps(*a.add(row * ROW_STEP));
                    sum[0] = _mm256_fmadd_ps(value, left, sum[0]);
                    sum[1] = _mm256_fmadd_ps(value, right, sum[1]);
                }
                a = a.add(K_STEP);
                b = b.add(16);
            };
        }
        for _ in 0..depth / GROUP {
            coming.ask();
            for _ in 0..GROUP {
                step!();
            }
        }
        for _ in 0..depth % GROUP {
            step!();
        }
        for (row, sum) in sums.iter().enumerate() {
            let to = c.add(row * c_stride);
            if add {
                _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), sum[0]));
                _mm256_storeu_ps(to.add(8), _mm256_add_ps(_mm256_loadu_ps(to.add(8)), sum[1]));
            } else {
                _mm256_storeu_ps(to, sum[0]);
                _mm256_storeu_ps(to.add(8), sum[1]);
            }
        }
    }
}
