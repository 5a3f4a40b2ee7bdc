//! Rows divided by their length.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::tensor::Tensor;

/// No row is divided by less (the `eps` of torch's `normalize`).
const SHORTEST: f64 = 1e-12;

/// The Euclidean length of a row.
pub(super) fn length(row: &[f32]) -> f64 {
    row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

impl Graph<'_> {
    /// `x / max(|x|, 1e-12)` for each row of x `[rows, hidden]`: the same shape (torch's `normalize`).
    pub fn unit_rows(&self, x: &Var) -> Var {
        let columns = x.tensor.columns().max(1);
        let lengths: Vec<f64> = x.tensor.values().chunks_exact(columns).map(length).collect();
        let rows = x.tensor.values().chunks_exact(columns).zip(&lengths);
        let output = rows.flat_map(|(row, length)| row.iter().map(|value| (f64::from(*value) / length.max(SHORTEST)) as f32));
        let output = Tensor::from_vec(x.tensor.shape(), output.collect());
        let backward = x.node.map(|node| -> Box<dyn Backward> { Box::new(UnitBackward { node, unit: output.clone(), lengths }) });
        self.record(output, backward)
    }
}

struct UnitBackward {
    node: usize,
    unit: Tensor,
    lengths: Vec<f64>,
}

impl Backward for UnitBackward {
    /// With `u = x / |x|`: the part of the gradient that stands upright on `u`, divided by the length.
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns().max(1);
        let rows = upstream.values_mut().chunks_exact_mut(columns).zip(self.unit.values().chunks_exact(columns));
        for ((gradient, unit), length) in rows.zip(&self.lengths) {
            let along: f64 = gradient.iter().zip(unit).map(|(gradient, unit)| f64::from(*gradient) * f64::from(*unit)).sum();
            // A row that is divided by a constant has the slope of a product.
            let along = if *length > SHORTEST { along } else { 0.0 };
            for (gradient, unit) in gradient.iter_mut().zip(unit) {
                *gradient = ((f64::from(*gradient) - along * f64::from(*unit)) / length.max(SHORTEST)) as f32;
            }
        }
        sink.add(Some(self.node), upstream);
    }
}
