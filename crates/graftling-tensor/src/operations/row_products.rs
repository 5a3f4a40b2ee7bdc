//! Every row of one value multiplied with every row of another; and a value multiplied with a fixed one.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::product::{Target, View, multiply};
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `scale a b^T`: a `[rows, hidden]`, b `[others, hidden]`; gives `[rows, others]`.
    ///
    /// # Panics
    /// If the rows are not of one width.
    pub fn row_products(&self, a: &Var, b: &Var, scale: f32) -> Var {
        let width = a.tensor.columns();
        assert_eq!(width, b.tensor.columns(), "row_products: {:?} and {:?}", a.tensor.shape(), b.tensor.shape());
        let (rows, others) = (a.tensor.rows(), b.tensor.rows());
        let mut output = Buffer::stale(rows * others);
        let (left, right) = (View::new(a.tensor.values(), width), View::transposed(b.tensor.values(), width));
        multiply(rows, width, others, left, right, Target::new(&mut output, others));
        output.iter_mut().for_each(|value| *value *= scale);
        let backward = self
            .wants_gradient(&[a, b], &[])
            .then(|| -> Box<dyn Backward> { Box::new(ProductsBackward { a: a.clone(), b: b.clone(), scale }) });
        self.record(Tensor::from_buffer(&[rows, others], output), backward)
    }

    /// The sum of x times `factors`, value by value: a scalar whose gradient by x is `factors`. So a gradient that was computed
    /// elsewhere goes on through a graph.
    ///
    /// # Panics
    /// If there is not one factor for each value.
    pub fn inner_product(&self, x: &Var, factors: &[f32]) -> Var {
        let values = x.tensor.values();
        assert_eq!(values.len(), factors.len(), "inner_product: factors for x of shape {:?}", x.tensor.shape());
        let sum: f64 = values.iter().zip(factors).map(|(value, factor)| f64::from(*value) * f64::from(*factor)).sum();
        let backward = x.node.map(|node| -> Box<dyn Backward> {
            Box::new(FactorsBackward { node, factors: Tensor::from_vec(x.tensor.shape(), factors.to_vec()) })
        });
        self.record(Tensor::from_vec(&[], vec![sum as f32]), backward)
    }
}

struct ProductsBackward {
    a: Var,
    b: Var,
    scale: f32,
}

impl Backward for ProductsBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let (rows, others) = (upstream.rows(), upstream.columns());
        let width = self.a.tensor.columns();
        upstream.values_mut().iter_mut().for_each(|value| *value *= self.scale);
        let gradient = upstream.values();
        sink.accumulate(self.a.node, self.a.tensor.shape(), |a, add| {
            let (left, right) = (View::new(gradient, others), View::new(self.b.tensor.values(), width));
            multiply(rows, others, width, left, right, Target::new(a, width).adding(add));
        });
        sink.accumulate(self.b.node, self.b.tensor.shape(), |b, add| {
            let (left, right) = (View::transposed(gradient, others), View::new(self.a.tensor.values(), width));
            multiply(others, rows, width, left, right, Target::new(b, width).adding(add));
        });
    }
}

struct FactorsBackward {
    node: usize,
    factors: Tensor,
}

impl Backward for FactorsBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let mut gradient = self.factors;
        let scale = upstream.item();
        gradient.values_mut().iter_mut().for_each(|value| *value *= scale);
        sink.add(Some(self.node), gradient);
    }
}
