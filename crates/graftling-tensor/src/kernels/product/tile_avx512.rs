//! A 14 x 32 block of a product in AVX-512 registers: 28 accumulators, two columns vectors, one broadcast.

use std::arch::x86_64::{_mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps};

use super::tile::{GROUP, Operands, Tile};

const ROWS: usize = 14;

/// The AVX-512 tile.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Tile;

impl Tile for Avx512Tile {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = 32;

    // SAFETY: callers keep the promise of `Tile::run`.
    #[inline(always)]
    unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands) {
        // SAFETY: the caller promises valid operands and a machine with AVX-512.
        unsafe { run::<ROW_STEP, K_STEP>(operands) }
    }
}

// SAFETY: callers pass operands as `Tile::run` demands.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn run<const ROW_STEP: usize, const K_STEP: usize>(operands: Operands) {
    let Operands { depth, mut a, mut b, c, c_stride, add, mut coming } = operands;
    // SAFETY: `a` holds ROWS x depth values at the given steps, `b` depth x 32 values, and `c` ROWS rows of 32 values.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        // A closure would hold the sums in memory.
        macro_rules! step {
            () => {
                let left = _mm512_loadu_ps(b);
                let right = _mm512_loadu_ps(b.add(16));
                for (row, sum) in sums.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*a.add(row * ROW_STEP));
                    sum[0] = _mm512_fmadd_ps(value, left, sum[0]);
                    sum[1] = _mm512_fmadd_ps(value, right, sum[1]);
                }
                a = a.add(K_STEP);
                b = b.add(32);
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
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sum[0]));
                _mm512_storeu_ps(to.add(16), _mm512_add_ps(_mm512_loadu_ps(to.add(16)), sum[1]));
            } else {
                _mm512_storeu_ps(to, sum[0]);
                _mm512_storeu_ps(to.add(16), sum[1]);
            }
        }
    }
}
