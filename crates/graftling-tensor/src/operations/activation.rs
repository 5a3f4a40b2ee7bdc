//! The activations that a linear operation can end in. Knows nothing of where they are used.

use crate::kernels::math;

/// An elementwise function after a linear operation, under its Hugging Face `hidden_act` meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Phi(x)` with the exact normal distribution function (`gelu`).
    Gelu,
    /// The tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// `max(x, 0)` (`relu`).
    Relu,
    /// `x sigmoid(x)` (`silu`, `swish`).
    Silu,
    /// `tanh(x)` (`tanh`).
    Tanh,
}

impl Activation {
    /// Replaces each value by the function of it.
    #[inline(always)]
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::Gelu => replace(values, math::gelu),
            Activation::GeluTanh => replace(values, math::gelu_tanh),
            Activation::Relu => replace(values, |x| x.max(0.0)),
            Activation::Silu => replace(values, |x| x * math::sigmoid(x)),
            Activation::Tanh => replace(values, math::tanh),
        }
    }

    /// Multiplies each value of `gradient` with the slope of the function at the value of `at`.
    #[inline(always)]
    pub(crate) fn multiply_slope(self, at: &[f32], gradient: &mut [f32]) {
        match self {
            Activation::Gelu => scale(at, gradient, math::gelu_slope),
            Activation::GeluTanh => scale(at, gradient, math::gelu_tanh_slope),
            Activation::Relu => scale(at, gradient, |x| if x > 0.0 { 1.0 } else { 0.0 }),
            Activation::Silu => scale(at, gradient, math::silu_slope),
            Activation::Tanh => scale(at, gradient, |x| {
                let t = math::tanh(x);
                1.0 - t * t
            }),
        }
    }
}

#[inline(always)]
fn replace(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

#[inline(always)]
fn scale(at: &[f32], gradient: &mut [f32], slope: impl Fn(f32) -> f32) {
    for (gradient, at) in gradient.iter_mut().zip(at) {
        *gradient *= slope(*at);
    }
}
