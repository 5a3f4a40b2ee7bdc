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
            Activation::Relu => replace(values, math::relu),
            Activation::Silu => replace(values, math::silu),
            Activation::Tanh => replace(values, math::tanh),
        }
    }

    /// Writes the function of each value to `result`, and replaces the value by the function's slope there: what both have in common is
    /// computed once.
    #[inline(always)]
    pub(crate) fn apply_keeping_slope(self, values: &mut [f32], result: &mut [f32]) {
        match self {
            Activation::Gelu => replace_both(values, result, math::gelu, math::gelu_slope),
            Activation::GeluTanh => replace_both(values, result, math::gelu_tanh, math::gelu_tanh_slope),
            Activation::Relu => replace_both(values, result, math::relu, math::relu_slope),
            Activation::Silu => replace_both(values, result, math::silu, math::silu_slope),
            Activation::Tanh => replace_both(values, result, math::tanh, math::tanh_slope),
        }
    }

    /// Multiplies each value of `gradient` with the slope of the function at the value of `at`.
    #[inline(always)]
    pub(crate) fn multiply_slope(self, at: &[f32], gradient: &mut [f32]) {
        match self {
            Activation::Gelu => scale(at, gradient, math::gelu_slope),
            Activation::GeluTanh => scale(at, gradient, math::gelu_tanh_slope),
            Activation::Relu => scale(at, gradient, math::relu_slope),
            Activation::Silu => scale(at, gradient, math::silu_slope),
            Activation::Tanh => scale(at, gradient, math::tanh_slope),
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
fn replace_both(values: &mut [f32], result: &mut [f32], function: impl Fn(f32) -> f32, slope: impl Fn(f32) -> f32) {
    for (value, result) in values.iter_mut().zip(result) {
        (*value, *result) = (slope(*value), function(*value));
    }
}

#[inline(always)]
fn scale(at: &[f32], gradient: &mut [f32], slope: impl Fn(f32) -> f32) {
    for (gradient, at) in gradient.iter_mut().zip(at) {
        *gradient *= slope(*at);
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;
    use crate::{Gradients, Graph, Parameters};

    #[test]
    fn what_is_no_number_stays_none_and_leaves_its_neighbours() {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Silu, Activation::Tanh] {
            let mut parameters = Parameters::new();
            let mut values = vec![0.5; 40];
            values[17] = f32::NAN;
            let x = parameters.add("x", &[1, 40], values);
            let mut gradients = Gradients::new(&parameters);
            let graph = Graph::training(&parameters, 1);
            let found = graph.activate(&graph.parameter(x), activation);
            let is_none = |values: &[f32]| values.iter().map(|value| value.is_nan()).collect::<Vec<bool>>();
            let expected: Vec<bool> = (0..40).map(|column| column == 17).collect();
            assert_eq!(is_none(found.tensor().values()), expected, "{activation:?}");
            // What comes back to it is none as well, as the loss then is.
            let mut upstream = vec![1.0; 40];
            upstream[17] = f32::NAN;
            let loss = graph.inner_product(&found, &upstream);
            graph.backward(&loss, &mut gradients);
            assert_eq!(is_none(gradients.get(x).expect("a gradient")), expected, "{activation:?}");
        }
    }
}
