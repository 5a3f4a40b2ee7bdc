//! Dropout on its own (Srivastava and others, 2014, in its inverted form).

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::dropout::DropoutKey;
use crate::kernels::rows::for_blocks;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// Zeroes each value with this probability and divides the others by `1 - probability`; the identity in inference.
    ///
    /// # Panics
    /// If the probability is not in `[0, 1)`.
    pub fn dropout(&self, x: &Var, probability: f32) -> Var {
        let Some(key) = self.dropout_key(probability) else { return x.clone() };
        let mut output = x.tensor.clone();
        apply_mask(&mut output, key);
        let backward = x.node.map(|node| -> Box<dyn Backward> { Box::new(DropoutBackward { node, key }) });
        self.record(output, backward)
    }
}

/// Multiplies the rows of a tensor with their masks.
pub(super) fn apply_mask(tensor: &mut Tensor, key: DropoutKey) {
    let columns = tensor.columns();
    for_blocks(
        tensor.values_mut(),
        columns,
        #[inline(always)]
        |first, block| {
            for (row, values) in block.chunks_exact_mut(columns).enumerate() {
                let mask = key.row(first + row);
                for (column, value) in values.iter_mut().enumerate() {
                    *value *= mask.factor(column);
                }
            }
        },
    );
}

/// Keeps the key of the mask, not the mask.
struct DropoutBackward {
    node: usize,
    key: DropoutKey,
}

impl Backward for DropoutBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        apply_mask(&mut upstream, self.key);
        sink.add(Some(self.node), upstream);
    }
}
