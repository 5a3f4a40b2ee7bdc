//! Turns the rows of a matrix into columns while packing it, eight by eight in registers. Knows nothing of panels' order.

use crate::kernels::simd::Level;

/// Rows and columns that are turned at a time.
const SIDE: usize = 8;

/// Writes `to[k * to_stride + row] = from[row * from_stride + k]` for `rows` rows and `depth` values of each.
pub(crate) fn transpose(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize, [rows, depth]: [usize; 2]) {
    if rows == 0 || depth == 0 {
        return;
    }
    assert!(from.len() >= (rows - 1) * from_stride + depth, "transpose: {rows} x {depth} of {} values", from.len());
    assert!(to.len() >= (depth - 1) * to_stride + rows, "transpose: {rows} x {depth} into {} values", to.len());
    let whole_rows = rows - rows % SIDE;
    let whole_depth = match Level::widest() {
        Level::Portable => 0,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx2 => {
            let whole_depth = depth - depth % SIDE;
            for row in (0..whole_rows).step_by(SIDE) {
                for k in (0..whole_depth).step_by(SIDE) {
                    // SAFETY: the machine has AVX2; both squares lie inside by the assertions above.
                    unsafe {
                        let from = from.as_ptr().add(row * from_stride + k);
                        square(from, from_stride, to.as_mut_ptr().add(k * to_stride + row), to_stride);
                    }
                }
            }
            whole_depth
        }
    };
    for row in 0..rows {
        let first = if row < whole_rows { whole_depth } else { 0 };
        for k in first..depth {
            to[k * to_stride + row] = from[row * from_stride + k];
        }
    }
}

/// Turns a square of 8 x 8.
///
/// # Safety
/// The machine must have AVX2, and both squares must be valid.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn square(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
    use std::arch::x86_64::{
        __m256, _mm256_castpd_ps, _mm256_castps_pd, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_storeu_ps,
        _mm256_unpackhi_pd, _mm256_unpackhi_ps, _mm256_unpacklo_pd, _mm256_unpacklo_ps,
    };
    let low = |a: __m256, b: __m256| _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
    let high = |a: __m256, b: __m256| _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
    // SAFETY: passed on to the caller.
    unsafe {
        let r: [__m256; SIDE] = std::array::from_fn(|row| _mm256_loadu_ps(from.add(row * from_stride)));
        // Pairs of rows, then fours, then the halves of eights.
        let p: [__m256; SIDE] = std::array::from_fn(|i| {
            let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
            if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
        });
        let mut q = [r[0]; SIDE];
        for half in 0..2 {
            for i in 0..2 {
                let (a, b) = (p[half * 4 + i], p[half * 4 + i + 2]);
                q[half * 4 + i * 2] = low(a, b);
                q[half * 4 + i * 2 + 1] = high(a, b);
            }
        }
        for i in 0..4 {
            _mm256_storeu_ps(to.add(i * to_stride), _mm256_permute2f128_ps::<0x20>(q[i], q[i + 4]));
            _mm256_storeu_ps(to.add((i + 4) * to_stride), _mm256_permute2f128_ps::<0x31>(q[i], q[i + 4]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_row_and_column() {
        for (rows, depth) in [(1, 1), (8, 8), (16, 24), (9, 17), (7, 30), (32, 3)] {
            let (from_stride, to_stride) = (depth + 2, rows + 3);
            let from: Vec<f32> = (0..rows * from_stride).map(|i| i as f32).collect();
            let mut to = vec![-1.0; depth * to_stride];
            transpose(&from, from_stride, &mut to, to_stride, [rows, depth]);
            for (place, value) in to.iter().enumerate() {
                let (k, row) = (place / to_stride, place % to_stride);
                let expected = if row < rows { from[row * from_stride + k] } else { -1.0 };
                assert_eq!(*value, expected, "{rows} x {depth} at {k}, {row}");
            }
        }
    }
}
