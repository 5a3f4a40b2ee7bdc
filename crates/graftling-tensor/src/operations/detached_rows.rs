//! Rows that are looked at and not trained through.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::tensor::Tensor;

impl Graph<'_> {
    /// x as it is; what these of its rows were made from gets no gradient, as the row of padding in torch's `Embedding`.
    ///
    /// # Panics
    /// If x has no such row.
    pub fn detached_rows(&self, x: Var, rows: &[usize]) -> Var {
        if rows.is_empty() {
            return x;
        }
        let Var { tensor, node } = x;
        assert!(rows.iter().all(|row| *row < tensor.rows()), "detached rows: {rows:?} of {}", tensor.rows());
        let backward = node.map(|node| -> Box<dyn Backward> { Box::new(DetachedBackward { node, rows: rows.to_vec() }) });
        self.record(tensor, backward)
    }

    /// x with zeros in these rows; what they were made from gets no gradient.
    ///
    /// # Panics
    /// If x has no such row.
    pub fn zeroed_rows(&self, x: Var, rows: &[usize]) -> Var {
        if rows.is_empty() {
            return x;
        }
        let Var { mut tensor, node } = x;
        assert!(rows.iter().all(|row| *row < tensor.rows()), "zeroed rows: {rows:?} of {}", tensor.rows());
        fill(&mut tensor, rows);
        self.detached_rows(Var { tensor, node }, rows)
    }
}

/// Zeros in these rows.
fn fill(tensor: &mut Tensor, rows: &[usize]) {
    let columns = tensor.columns();
    let values = tensor.values_mut();
    rows.iter().for_each(|row| values[row * columns..(row + 1) * columns].fill(0.0));
}

struct DetachedBackward {
    node: usize,
    rows: Vec<usize>,
}

impl Backward for DetachedBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        fill(&mut upstream, &self.rows);
        sink.add(Some(self.node), upstream);
    }
}
