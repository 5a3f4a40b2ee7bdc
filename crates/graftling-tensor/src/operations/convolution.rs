//! A convolution over the tokens of each sequence: each output looks at a token and its neighbours.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::product::{Target, View, multiply};
use crate::kernels::rows::{for_blocks, for_blocks_with_sums};
use crate::kernels::write_or_add;
use crate::parameters::ParameterId;
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `y[t] = b + sum over k of W[.., .., k] x[t + k - (width - 1) / 2]` within each sequence, with zeros beyond its ends
    /// (`torch.nn.Conv1d` with as much padding as keeps the length): x `[rows, in]`, W `[out, in, width]`, b `[out]`; gives `[rows, out]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the width is even.
    pub fn convolution(&self, x: &Var, spans: &Spans, weight: ParameterId, bias: ParameterId) -> Var {
        let parameters = self.parameters();
        let [out, input, width] = *parameters.shape(weight) else {
            panic!("convolution: weight {} of shape {:?}", parameters.name(weight), parameters.shape(weight))
        };
        assert!(width % 2 == 1, "convolution: a width of {width} has no middle");
        assert_eq!(x.tensor.shape(), [spans.rows(), input], "convolution: x for weight {}", parameters.name(weight));
        let bias_values = parameters.values(bias);
        assert_eq!(bias_values.len(), out, "convolution: bias for weight {}", parameters.name(weight));
        let kept = ConvolutionBackward { x: x.clone(), spans: spans.clone(), weight, bias, width };
        let unfolded = kept.unfolded();
        let rows = spans.rows();
        let mut output = Buffer::stale(rows * out);
        for row in output.chunks_exact_mut(out) {
            row.copy_from_slice(bias_values);
        }
        let columns = input * width;
        let right = View::transposed(parameters.values(weight), columns);
        multiply(rows, columns, out, View::new(&unfolded, columns), right, Target::new(&mut output, out).adding(true));
        let wanted = self.wants_gradient(&[x], &[weight, bias]);
        let backward = wanted.then(|| -> Box<dyn Backward> { Box::new(kept) });
        self.record(Tensor::from_buffer(&[rows, out], output), backward)
    }
}

/// Keeps the input; what its neighbours are is laid out again.
struct ConvolutionBackward {
    x: Var,
    spans: Spans,
    weight: ParameterId,
    bias: ParameterId,
    width: usize,
}

impl ConvolutionBackward {
    /// Each token's row with its neighbours', `[rows, in, width]`.
    fn unfolded(&self) -> Buffer {
        let (input, width) = (self.x.tensor.columns(), self.width);
        let from = self.x.tensor.values();
        let sources = self.sources();
        let mut unfolded = Buffer::stale(self.spans.rows() * input * width);
        for_blocks(
            &mut unfolded,
            input * width,
            #[inline(always)]
            |first, block| {
                for (row, to) in block.chunks_exact_mut(input * width).enumerate() {
                    for (k, source) in sources[(first + row) * width..][..width].iter().enumerate() {
                        let to = to[k..].iter_mut().step_by(width);
                        match source {
                            Some(source) => {
                                to.zip(&from[source * input..][..input]).for_each(|(to, from)| *to = *from);
                            }
                            None => to.for_each(|to| *to = 0.0),
                        }
                    }
                }
            },
        );
        unfolded
    }

    /// For each row the rows that it looks at, `width` of them; none beyond the ends of its sequence.
    fn sources(&self) -> Vec<Option<usize>> {
        let before = (self.width - 1) / 2;
        let of_sequence = |range: std::ops::Range<usize>| {
            range.clone().flat_map(move |row| {
                let range = range.clone();
                (0..self.width).map(move |k| (row + k).checked_sub(before).filter(|source| range.contains(source)))
            })
        };
        (0..self.spans.count()).flat_map(|sequence| of_sequence(self.spans.range(sequence))).collect()
    }
}

impl Backward for ConvolutionBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let (rows, out) = (upstream.rows(), upstream.columns());
        let (input, width) = (self.x.tensor.columns(), self.width);
        let columns = input * width;
        let sums = for_blocks_with_sums(
            upstream.values_mut(),
            out,
            out,
            #[inline(always)]
            |_, block, sums| {
                for row in block.chunks_exact(out) {
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += value;
                    }
                }
            },
        );
        sink.accumulate_parameter(self.bias, |gradient, add| write_or_add(gradient, &sums[..out], add));
        let gradient = upstream.values();
        sink.accumulate_parameter(self.weight, |weight, add| {
            let unfolded = self.unfolded();
            let (left, right) = (View::transposed(gradient, out), View::new(&unfolded, columns));
            multiply(out, rows, columns, left, right, Target::new(weight, columns).adding(add));
        });
        if self.x.node.is_none() {
            return;
        }
        let mut unfolded = Buffer::stale(rows * columns);
        let weight = View::new(sink.parameters.values(self.weight), columns);
        multiply(rows, out, columns, View::new(gradient, out), weight, Target::new(&mut unfolded, columns));
        // A token's row is looked at by those rows that look at it from the other side: each side has as many.
        let readers = self.sources();
        let mut folded = Buffer::zeroed(rows * input);
        for_blocks(
            &mut folded,
            input,
            #[inline(always)]
            |first, block| {
                for (row, to) in block.chunks_exact_mut(input).enumerate() {
                    for (k, reader) in readers[(first + row) * width..][..width].iter().enumerate() {
                        let Some(reader) = reader else { continue };
                        let from = unfolded[reader * columns + width - 1 - k..].iter().step_by(width);
                        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    }
                }
            },
        );
        sink.add(self.x.node, Tensor::from_buffer(self.x.tensor.shape(), folded));
    }
}
