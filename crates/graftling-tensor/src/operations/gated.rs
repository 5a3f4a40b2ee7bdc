//! The gated unit in the middle of a feed-forward part (Shazeer, "GLU Variants Improve Transformer", 2020, equation 5), with the
//! dropout after it.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::dropout::DropoutKey;
use crate::kernels::rows::for_blocks;
use crate::operations::activation::Activation;
use crate::operations::dropout::apply_mask;
use crate::pool::Buffer;
use crate::tensor::Tensor;

/// How many values go through the activation at a time in the backward pass.
const PIECE: usize = 256;

impl Graph<'_> {
    /// `dropout(activation(gate) * up)`: all `[rows, inner]`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn gated(&self, gate: &Var, up: &Var, activation: Activation, dropout: f32) -> Var {
        assert_eq!(gate.tensor.shape(), up.tensor.shape(), "gated: gate and up");
        let key = self.dropout_key(dropout);
        let columns = gate.tensor.columns();
        let (from, factors) = (gate.tensor.values(), up.tensor.values());
        let mut output = Buffer::stale(from.len());
        for_blocks(
            &mut output,
            columns,
            #[inline(always)]
            |first, block| {
                let place = first * columns;
                block.copy_from_slice(&from[place..][..block.len()]);
                activation.apply(block);
                multiply(block, &factors[place..][..block.len()]);
            },
        );
        let mut output = Tensor::from_buffer(gate.tensor.shape(), output);
        if let Some(key) = key {
            apply_mask(&mut output, key);
        }
        let backward = self
            .wants_gradient(&[gate, up], &[])
            .then(|| -> Box<dyn Backward> { Box::new(GatedBackward { gate: gate.clone(), up: up.clone(), activation, key }) });
        self.record(output, backward)
    }
}

#[inline(always)]
fn multiply(values: &mut [f32], factors: &[f32]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}

/// Keeps both inputs.
struct GatedBackward {
    gate: Var,
    up: Var,
    activation: Activation,
    key: Option<DropoutKey>,
}

impl Backward for GatedBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let Self { gate, up, activation, key } = *self;
        if let Some(key) = key {
            apply_mask(&mut upstream, key);
        }
        let columns = upstream.columns();
        let (gates, factors) = (gate.tensor.values(), up.tensor.values());
        if gate.node.is_some() {
            let mut gradient = Buffer::stale(gates.len());
            let from = upstream.values();
            for_blocks(
                &mut gradient,
                columns,
                #[inline(always)]
                |first, block| {
                    let range = first * columns..first * columns + block.len();
                    block.copy_from_slice(&from[range.clone()]);
                    multiply(block, &factors[range.clone()]);
                    activation.multiply_slope(&gates[range], block);
                },
            );
            sink.add(gate.node, Tensor::from_buffer(upstream.shape(), gradient));
        }
        if up.node.is_some() {
            for_blocks(
                upstream.values_mut(),
                columns,
                #[inline(always)]
                |first, block| {
                    let mut activated = [0.0; PIECE];
                    let gates = &gates[first * columns..][..block.len()];
                    for (values, gates) in block.chunks_mut(PIECE).zip(gates.chunks(PIECE)) {
                        let activated = &mut activated[..gates.len()];
                        activated.copy_from_slice(gates);
                        activation.apply(activated);
                        multiply(values, activated);
                    }
                },
            );
            sink.add(up.node, upstream);
        }
    }
}
