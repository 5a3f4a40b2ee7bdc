//! The sum at the end of a residual branch, without a norm over it: the end of a pre-norm block.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::dropout::DropoutKey;
use crate::kernels::rows::for_blocks;
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `residual + dropout(branch)`: all `[rows, hidden]`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn residual_sum(&self, branch: &Var, residual: &Var, dropout: f32) -> Var {
        let key = self.dropout_key(dropout);
        let sum = add_dropped(&branch.tensor, &residual.tensor, key);
        let backward = self
            .wants_gradient(&[branch, residual], &[])
            .then(|| -> Box<dyn Backward> { Box::new(ResidualBackward { branch: branch.node, residual: residual.node, key }) });
        self.record(sum, backward)
    }
}

/// `residual + dropout(branch)`.
pub(super) fn add_dropped(branch: &Tensor, residual: &Tensor, key: Option<DropoutKey>) -> Tensor {
    assert_eq!(branch.shape(), residual.shape(), "residual sum: branch and residual");
    let columns = branch.columns();
    let (from, onto) = (branch.values(), residual.values());
    let mut sums = Buffer::stale(from.len());
    for_blocks(
        &mut sums,
        columns,
        #[inline(always)]
        |first, block| {
            for (row, to) in block.chunks_exact_mut(columns).enumerate() {
                let start = (first + row) * columns;
                let (from, onto) = (&from[start..][..columns], &onto[start..][..columns]);
                match key.map(|key| key.row(first + row)) {
                    Some(mask) => {
                        for column in 0..columns {
                            to[column] = mask.factor(column).mul_add(from[column], onto[column]);
                        }
                    }
                    None => {
                        for column in 0..columns {
                            to[column] = from[column] + onto[column];
                        }
                    }
                }
            }
        },
    );
    Tensor::from_buffer(branch.shape(), sums)
}

/// Sends the gradient of `residual + dropout(branch)` to both.
pub(super) fn send_to_both(
    sink: &mut Sink,
    gradient: Tensor,
    branch: Option<usize>,
    residual: Option<usize>,
    key: Option<DropoutKey>,
) {
    if branch.is_some() {
        let mut gradient = gradient.clone();
        if let Some(key) = key {
            super::dropout::apply_mask(&mut gradient, key);
        }
        sink.add(branch, gradient);
    }
    sink.add(residual, gradient);
}

/// Keeps no value at all.
struct ResidualBackward {
    branch: Option<usize>,
    residual: Option<usize>,
    key: Option<DropoutKey>,
}

impl Backward for ResidualBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        send_to_both(sink, upstream, self.branch, self.residual, self.key);
    }
}
