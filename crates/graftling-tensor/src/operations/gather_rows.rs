//! Picking rows.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The rows of x `[rows, hidden]` at these places: `[places, hidden]`.
    ///
    /// # Panics
    /// If a place is not a row of x.
    pub fn gather_rows(&self, x: &Var, places: &[usize]) -> Var {
        let columns = x.tensor.columns();
        let mut output = Buffer::stale(places.len() * columns);
        for (to, place) in output.chunks_exact_mut(columns).zip(places) {
            assert!(*place < x.tensor.rows(), "gather_rows: row {place} of x of shape {:?}", x.tensor.shape());
            to.copy_from_slice(&x.tensor.values()[place * columns..][..columns]);
        }
        let backward = x.node.map(|node| -> Box<dyn Backward> {
            Box::new(GatherBackward { node, shape: x.tensor.shape().to_vec(), places: places.to_vec() })
        });
        self.record(Tensor::from_buffer(&[places.len(), columns], output), backward)
    }
}

struct GatherBackward {
    node: usize,
    shape: Vec<usize>,
    places: Vec<usize>,
}

impl Backward for GatherBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        sink.accumulate(Some(self.node), &self.shape, |gradient, add| {
            if !add {
                gradient.fill(0.0);
            }
            for (from, place) in upstream.values().chunks_exact(columns).zip(&self.places) {
                for (to, from) in gradient[place * columns..][..columns].iter_mut().zip(from) {
                    *to += from;
                }
            }
        });
    }
}
