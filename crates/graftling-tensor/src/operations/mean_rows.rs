//! The mean of each sequence's rows.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The mean over the rows of each sequence of x `[rows, hidden]`: `[sequences, hidden]`.
    ///
    /// # Panics
    /// If the spans have another number of rows than x, or a sequence has none.
    pub fn mean_rows(&self, x: &Var, spans: &Spans) -> Var {
        let columns = x.tensor.columns();
        assert_eq!(x.tensor.rows(), spans.rows(), "mean_rows: x and its spans");
        assert!(spans.lengths().all(|length| length > 0), "mean_rows: a sequence without rows has no mean");
        let mut output = Buffer::zeroed(spans.count() * columns);
        for (sequence, to) in output.chunks_exact_mut(columns).enumerate() {
            let rows = spans.range(sequence);
            let share = 1.0 / rows.len() as f32;
            for row in x.tensor.values()[rows.start * columns..rows.end * columns].chunks_exact(columns) {
                for (to, value) in to.iter_mut().zip(row) {
                    *to += value;
                }
            }
            to.iter_mut().for_each(|value| *value *= share);
        }
        let backward = x
            .node
            .map(|node| -> Box<dyn Backward> { Box::new(MeanBackward { node, rows: x.tensor.rows(), spans: spans.clone() }) });
        self.record(Tensor::from_buffer(&[spans.count(), columns], output), backward)
    }
}

struct MeanBackward {
    node: usize,
    rows: usize,
    spans: Spans,
}

impl Backward for MeanBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        sink.accumulate(Some(self.node), &[self.rows, columns], |gradient, add| {
            for (sequence, from) in upstream.values().chunks_exact(columns).enumerate() {
                let rows = self.spans.range(sequence);
                let share = 1.0 / rows.len() as f32;
                for to in gradient[rows.start * columns..rows.end * columns].chunks_exact_mut(columns) {
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = if add { share.mul_add(*from, *to) } else { share * from };
                    }
                }
            }
        });
    }
}
