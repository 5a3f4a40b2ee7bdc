//! Softmax cross-entropy against class labels.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::math::exp;
use crate::kernels::rows::{for_blocks, largest, sum};
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The sum over the rows of `-log softmax(logits)[label]`, divided by `normalizer`: logits `[rows, classes]`; a scalar.
    ///
    /// `normalizer` is the number of examples in the whole step, so that the gradients of its micro-batches add up to those of
    /// one big batch (`torch.nn.functional.cross_entropy` with the mean taken over the step).
    ///
    /// # Panics
    /// If there is not one label for each row, or a label is not a class.
    pub fn cross_entropy(&self, logits: &Var, labels: &[usize], normalizer: f32) -> Var {
        let (rows, classes) = (logits.tensor.rows(), logits.tensor.columns());
        assert_eq!(rows, labels.len(), "cross_entropy: labels for logits of shape {:?}", logits.tensor.shape());
        let mut total = 0.0f64;
        for (row, label) in logits.tensor.values().chunks_exact(classes.max(1)).zip(labels) {
            assert!(*label < classes, "cross_entropy: label {label} of {classes} classes");
            let top = largest(row);
            let exponentials: f64 = row.iter().map(|value| f64::from(value - top).exp()).sum();
            total += exponentials.ln() - f64::from(row[*label] - top);
        }
        let loss = Tensor::from_vec(&[], vec![(total / f64::from(normalizer)) as f32]);
        let backward = logits.node.map(|node| -> Box<dyn Backward> {
            Box::new(CrossEntropyBackward { node, logits: logits.tensor.clone(), labels: labels.to_vec(), normalizer })
        });
        self.record(loss, backward)
    }
}

struct CrossEntropyBackward {
    node: usize,
    logits: Tensor,
    labels: Vec<usize>,
    normalizer: f32,
}

impl Backward for CrossEntropyBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let scale = upstream.item() / self.normalizer;
        let mut gradient = self.logits.clone();
        let classes = gradient.columns();
        for_blocks(
            gradient.values_mut(),
            classes,
            #[inline(always)]
            |first, block| {
                for (row, values) in block.chunks_exact_mut(classes).enumerate() {
                    let top = largest(values);
                    for value in values.iter_mut() {
                        *value = exp(*value - top);
                    }
                    let factor = scale / sum(values, |value| value);
                    for value in values.iter_mut() {
                        *value *= factor;
                    }
                    values[self.labels[first + row]] -= scale;
                }
            },
        );
        sink.add(Some(self.node), gradient);
    }
}
