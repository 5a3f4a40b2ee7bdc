//! The activations that a linear operation can end in, and that can stand alone. Knows nothing of where they are used.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::math;
use crate::kernels::rows::for_blocks;
use crate::tensor::Tensor;

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

impl Graph<'_> {
    /// `activation(x)` of each value, where no linear operation stands right before it that could end in it.
    pub fn activate(&self, x: &Var, activation: Activation) -> Var {
        let mut output = x.tensor.clone();
        let columns = output.columns();
        for_blocks(
            output.values_mut(),
            columns,
            #[inline(always)]
            |_, block| activation.apply(block),
        );
        let backward = self
            .wants_gradient(&[x], &[])
            .then(|| -> Box<dyn Backward> { Box::new(ActivationBackward { x: x.clone(), activation }) });
        self.record(output, backward)
    }
}

/// Keeps what went into the activation.
struct ActivationBackward {
    x: Var,
    activation: Activation,
}

impl Backward for ActivationBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        let at = self.x.tensor.values();
        for_blocks(
            upstream.values_mut(),
            columns,
            #[inline(always)]
            |first, block| self.activation.multiply_slope(&at[first * columns..][..block.len()], block),
        );
        sink.add(self.x.node, upstream);
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
