//! Elementary functions as straight-line code that the compiler turns into vector instructions. Knows nothing of tensors.
//!
//! The polynomials were fitted here, by iteratively reweighted least squares towards the smallest relative error, on the ranges
//! given; errors are of the same order as one unit in the last place of an `f32`.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// `ln 2` in two parts, so that `n ln 2` loses nothing.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// `1.5 * 2^23`: from here on an `f32` holds whole numbers only, and a small one added stands in its lowest bits.
const ROUNDING: f32 = 12_582_912.0;
/// `1 / sqrt(2 pi)`.
const NORMAL_DENSITY_0: f32 = 0.398_942_3;

/// `e^x`; flushed to the ends of the normal range outside [-87.3, 88.3].
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.3, 88.3);
    // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits: a cast to an integer would be done one
    // value at a time, for it must also have a meaning for what no integer can hold.
    let shifted = x.mul_add(LOG2_E, ROUNDING);
    let n = shifted - ROUNDING;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    // e^r - 1 - r = r^2 p(r) on [-ln 2 / 2, ln 2 / 2]
    let p =
        0.001_381_458_5f32.mul_add(r, 0.008_368_712).mul_add(r, 0.041_668_39).mul_add(r, 0.166_665_21).mul_add(r, 0.499_999_94);
    let e = p.mul_add(r * r, r + 1.0);
    // 2^n from its exponent bits: n lies in [-126, 127].
    e * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The normal distribution function and density at x: `(Phi(x), phi(x))`.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * FRAC_1_SQRT_2;
    let e = exp(-z * z);
    // erfc(z) = e^(-z^2) t p(t) with t = 2 / (2 + z) on [0, 14]
    let t = 2.0 / (2.0 + z);
    let p = (-0.059_385_426f32)
        .mul_add(t, 0.286_119_52)
        .mul_add(t, -0.490_398_35)
        .mul_add(t, 0.281_725_44)
        .mul_add(t, -0.029_144_008)
        .mul_add(t, 0.203_750_97)
        .mul_add(t, 0.242_835_42)
        .mul_add(t, 0.282_412_08)
        .mul_add(t, 0.282_084_35);
    let tail = 0.5 * e * t * p;
    (if x < 0.0 { tail } else { 1.0 - tail }, NORMAL_DENSITY_0 * e)
}

/// `tanh(x)`.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // tanh(x) = x + x^3 p(x^2) on [-0.625, 0.625]
    let u = x * x;
    let p = (-0.005_797_925_4f32)
        .mul_add(u, 0.020_720_137)
        .mul_add(u, -0.053_763_762)
        .mul_add(u, 0.133_317_19)
        .mul_add(u, -0.333_332_93);
    let near = p.mul_add(u * x, x);
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `max(x, 0)`; what is no number stays none, which `f32::max` would make a zero of.
#[inline(always)]
pub(crate) fn relu(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { x }
}

/// The derivative of [`relu`]: 0 up to 0, and 1 elsewhere, also of what is no number (`threshold_backward` of torch).
#[inline(always)]
pub(crate) fn relu_slope(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { 1.0 }
}

/// `x Phi(x)` (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    x * normal(x).0
}

/// The derivative of [`gelu`]: `Phi(x) + x phi(x)`.
#[inline(always)]
pub(crate) fn gelu_slope(x: f32) -> f32 {
    let (distribution, density) = normal(x);
    x.mul_add(density, distribution)
}

/// `sqrt(2 / pi)` and the cubic coefficient of the tanh approximation of GELU (same paper, section 2).
const GELU_TANH: (f32, f32) = (0.797_884_6, 0.044_715);

/// `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
#[inline(always)]
pub(crate) fn gelu_tanh(x: f32) -> f32 {
    let (scale, cubic) = GELU_TANH;
    0.5 * x * (1.0 + tanh(scale * (cubic * x * x).mul_add(x, x)))
}

/// The derivative of [`gelu_tanh`].
#[inline(always)]
pub(crate) fn gelu_tanh_slope(x: f32) -> f32 {
    let (scale, cubic) = GELU_TANH;
    let t = tanh(scale * (cubic * x * x).mul_add(x, x));
    let inner = scale * (3.0 * cubic * x).mul_add(x, 1.0);
    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
}

/// `x sigmoid(x)`.
#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// The derivative of [`tanh`].
#[inline(always)]
pub(crate) fn tanh_slope(x: f32) -> f32 {
    let t = tanh(x);
    1.0 - t * t
}

/// The derivative of [`silu`].
#[inline(always)]
pub(crate) fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s * (1.0 - s).mul_add(x, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from SciPy's erf, in double precision.
    #[test]
    fn gelu_is_the_exact_one() {
        let cases = [
            (-8.0f32, -4.976_769_2e-15f64),
            (-5.0, -1.433_257_8e-6),
            (-3.0, -0.004_049_694),
            (-1.0, -0.158_655_254),
            (-0.1, -0.046_017_216),
            (0.0, 0.0),
            (0.5, 0.345_731_23),
            (2.0, 1.954_499_7),
            (6.0, 6.0),
        ];
        for (x, expected) in cases {
            let found = f64::from(gelu(x));
            // x^2 / 2 is known to 6e-8 of itself, and stands in an exponent: 2e-6 at x = -8.
            assert!((found - expected).abs() <= 2.5e-6 * expected.abs(), "gelu({x}) = {found}, expected {expected}");
        }
    }

    #[test]
    fn elementary_functions_agree_with_the_standard_library() {
        for i in -4000..=4000 {
            let x = i as f32 * 0.01;
            let (found, expected) = (exp(x), x.exp());
            assert!((found - expected).abs() <= 3e-7 * expected, "exp({x}) = {found}, expected {expected}");
            let (found, expected) = (tanh(x), x.tanh());
            assert!((found - expected).abs() <= 3e-7, "tanh({x}) = {found}, expected {expected}");
        }
    }
}
