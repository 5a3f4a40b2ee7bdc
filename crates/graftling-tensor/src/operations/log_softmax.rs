//! Logarithms of probabilities, for searches that add them up. Knows no labels.

use crate::graph::{Graph, Var};
use crate::kernels::math::exp;
use crate::kernels::rows::{for_blocks, largest, sum};

impl Graph<'_> {
    /// `x - log(sum(exp(x)))` for each row of logits, in their shape: `torch.log_softmax` over the last dimension. The values are computed
    /// where they lie; a row with a value that is no number gives none. For inference alone.
    ///
    /// # Panics
    /// If the logits want a gradient.
    pub fn log_softmax(&self, logits: Var) -> Var {
        let Var { mut tensor, node } = logits;
        assert!(node.is_none(), "log_softmax: these logits want a gradient");
        let columns = tensor.columns();
        for_blocks(
            tensor.values_mut(),
            columns,
            #[inline(always)]
            |_, block| {
                for row in block.chunks_exact_mut(columns) {
                    let top = largest(row);
                    let normalizer = sum(row, |value| exp(value - top)).ln();
                    // One after the other: their sum would lose what the difference keeps.
                    row.iter_mut().for_each(|value| *value = *value - top - normalizer);
                }
            },
        );
        self.record(tensor, None)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Parameters, Tensor};

    #[test]
    fn logarithms_of_probabilities_are_those_of_double_precision() {
        let (rows, columns) = (70, 37);
        let values: Vec<f32> = (0..rows * columns).map(|i| 30.0 * (i as f32 * 0.37).sin() + (i / columns) as f32).collect();
        let parameters = Parameters::new();
        let graph = Graph::inference(&parameters);
        let logits = graph.constant(Tensor::from_vec(&[rows, columns], values.clone()));
        let found = graph.log_softmax(logits);
        for (row, found) in values.chunks_exact(columns).zip(found.tensor().values().chunks_exact(columns)) {
            let sum: f64 = row.iter().map(|value| f64::from(*value).exp()).sum();
            for (value, found) in row.iter().zip(found) {
                let expected = f64::from(*value) - sum.ln();
                // Rounding of logits up to 100, which are subtracted.
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{found}, expected {expected}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let parameters = Parameters::new();
        let graph = Graph::inference(&parameters);
        for broken in [f32::NAN, f32::INFINITY] {
            let mut values = vec![0.5; 40];
            values[17] = broken;
            let found = graph.log_softmax(graph.constant(Tensor::from_vec(&[1, 40], values)));
            assert!(found.tensor().values().iter().all(|value| value.is_nan()), "{broken}: {:?}", found.tensor().values());
        }
    }
}
