//! `activation(x W^T + b)` in one pass: bias and activation are applied while a block of the product is still in cache.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::product::{Epilogue, Plain, Target, View, multiply, multiply_with_side};
use crate::kernels::rows::for_blocks_with_sums;
use crate::kernels::write_or_add;
use crate::operations::activation::Activation;
use crate::parameters::ParameterId;
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `activation(x W^T + b)`: x `[rows, in]`, W `[out, in]` (output-first), b `[out]`; gives `[rows, out]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn linear(&self, x: &Var, weight: ParameterId, bias: Option<ParameterId>, activation: Option<Activation>) -> Var {
        let parameters = self.parameters();
        let (rows, width) = (x.tensor.rows(), x.tensor.columns());
        let [out, input] = parameters.shape(weight) else {
            panic!("linear: weight {} of shape {:?}", parameters.name(weight), parameters.shape(weight))
        };
        let (out, input) = (*out, *input);
        assert_eq!(
            width,
            input,
            "linear: x of shape {:?} for weight {} of shape {:?}",
            x.tensor.shape(),
            parameters.name(weight),
            [out, input]
        );
        let bias_values = bias.map(|bias| parameters.values(bias));
        if let Some(values) = bias_values {
            assert_eq!(values.len(), out, "linear: bias of {} values for weight {}", values.len(), parameters.name(weight));
        }
        let trained: Vec<ParameterId> = std::iter::once(weight).chain(bias).collect();
        let wanted = self.wants_gradient(&[x], &trained);

        let right = self.turned_weight(weight, rows);
        let left = View::new(x.tensor.values(), input);
        let mut output = Buffer::stale(rows * out);
        let mut slopes = None;
        match (activation, bias_values) {
            (Some(activation), bias) if !wanted => {
                multiply_with_side(rows, left, &right, Target::new(&mut output, out), &BiasThenActivation { bias, activation });
            }
            (Some(activation), bias) => {
                let mut kept = Buffer::stale(rows * out);
                let target = Target::new(&mut kept, out).with_second(&mut output);
                multiply_with_side(rows, left, &right, target, &BiasThenActivation { bias, activation });
                slopes = Some(kept);
            }
            (None, Some(bias)) => multiply_with_side(rows, left, &right, Target::new(&mut output, out), &AddBias(bias)),
            (None, None) => multiply_with_side(rows, left, &right, Target::new(&mut output, out), &Plain),
        }
        let output = Tensor::from_buffer(&[rows, out], output);
        let backward = wanted.then(|| -> Box<dyn Backward> { Box::new(LinearBackward { x: x.clone(), weight, bias, slopes }) });
        self.record(output, backward)
    }
}

/// Adds the bias.
struct AddBias<'a>(&'a [f32]);

impl Epilogue for AddBias<'_> {
    #[inline(always)]
    fn finish(&self, column: usize, values: &mut [f32], _second: &mut [f32]) {
        for (value, bias) in values.iter_mut().zip(&self.0[column..]) {
            *value += bias;
        }
    }
}

/// Adds the bias, and writes the activation over the sum; or to the second result, where there is one, and over the sum its slope.
struct BiasThenActivation<'a> {
    bias: Option<&'a [f32]>,
    activation: Activation,
}

impl Epilogue for BiasThenActivation<'_> {
    #[inline(always)]
    fn finish(&self, column: usize, values: &mut [f32], second: &mut [f32]) {
        if let Some(bias) = self.bias {
            AddBias(bias).finish(column, values, &mut []);
        }
        if second.is_empty() {
            self.activation.apply(values);
        } else {
            self.activation.apply_keeping_slope(values, second);
        }
    }
}

/// Keeps the input, and the slopes of the activation.
struct LinearBackward {
    x: Var,
    weight: ParameterId,
    bias: Option<ParameterId>,
    slopes: Option<Buffer>,
}

impl Backward for LinearBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let (rows, out) = (upstream.rows(), upstream.columns());
        let input = self.x.tensor.columns();
        let parameters = sink.parameters;
        if self.slopes.is_some() || self.bias.is_some() {
            let slopes = self.slopes.as_deref();
            let sums = for_blocks_with_sums(
                upstream.values_mut(),
                out,
                out,
                #[inline(always)]
                |first, block, sums| {
                    if let Some(slopes) = slopes {
                        let slopes = &slopes[first * out..][..block.len()];
                        for (value, slope) in block.iter_mut().zip(slopes) {
                            *value *= slope;
                        }
                    }
                    for row in block.chunks_exact(out) {
                        for (sum, value) in sums.iter_mut().zip(row) {
                            *sum += value;
                        }
                    }
                },
            );
            if let Some(bias) = self.bias {
                sink.accumulate_parameter(bias, |gradient, add| write_or_add(gradient, &sums[..out], add));
            }
        }
        drop(self.slopes);
        let gradient = upstream.values();
        sink.accumulate_parameter(self.weight, |weight, add| {
            let (left, right) = (View::transposed(gradient, out), View::new(self.x.tensor.values(), input));
            multiply(out, rows, input, left, right, Target::new(weight, input).adding(add));
        });
        sink.accumulate(self.x.node, self.x.tensor.shape(), |x, add| {
            let (left, right) = (View::new(gradient, out), View::new(parameters.values(self.weight), input));
            multiply(rows, out, input, left, right, Target::new(x, input).adding(add));
        });
    }
}
