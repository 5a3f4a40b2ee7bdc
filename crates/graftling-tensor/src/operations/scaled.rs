//! Values times one number that is not trained.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::rows::for_blocks;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `factor * x`, in the shape of x. The values are multiplied where they lie; a factor of 1 costs nothing.
    pub fn scaled(&self, x: Var, factor: f32) -> Var {
        if factor == 1.0 {
            return x;
        }
        let Var { mut tensor, node } = x;
        multiply(&mut tensor, factor);
        let backward = node.map(|node| -> Box<dyn Backward> { Box::new(ScaledBackward { node, factor }) });
        self.record(tensor, backward)
    }
}

fn multiply(tensor: &mut Tensor, factor: f32) {
    let columns = tensor.columns();
    for_blocks(
        tensor.values_mut(),
        columns,
        #[inline(always)]
        |_, block| block.iter_mut().for_each(|value| *value *= factor),
    );
}

/// Keeps the factor alone.
struct ScaledBackward {
    node: usize,
    factor: f32,
}

impl Backward for ScaledBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        multiply(&mut upstream, self.factor);
        sink.add(Some(self.node), upstream);
    }
}
