//! Squared error against real targets.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The sum of `(prediction - target)^2`, divided by `normalizer`: predictions of any shape, one target a value; a scalar.
    ///
    /// `normalizer` is the number of values in the whole step, as in [`Graph::cross_entropy`].
    ///
    /// # Panics
    /// If there is not one target for each prediction.
    pub fn mean_squared_error(&self, predictions: &Var, targets: &[f32], normalizer: f32) -> Var {
        let values = predictions.tensor.values();
        assert_eq!(values.len(), targets.len(), "mean_squared_error: targets for predictions");
        let total: f64 = values.iter().zip(targets).map(|(value, target)| f64::from(value - target).powi(2)).sum();
        let loss = Tensor::from_vec(&[], vec![(total / f64::from(normalizer)) as f32]);
        let backward = predictions.node.map(|node| -> Box<dyn Backward> {
            let differences = values.iter().zip(targets).map(|(value, target)| value - target).collect();
            let differences = Tensor::from_vec(predictions.tensor.shape(), differences);
            Box::new(MeanSquaredErrorBackward { node, differences, normalizer })
        });
        self.record(loss, backward)
    }
}

struct MeanSquaredErrorBackward {
    node: usize,
    differences: Tensor,
    normalizer: f32,
}

impl Backward for MeanSquaredErrorBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let scale = 2.0 * upstream.item() / self.normalizer;
        let mut gradient = self.differences;
        for value in gradient.values_mut() {
            *value *= scale;
        }
        sink.add(Some(self.node), gradient);
    }
}
