//! Normalisation by the root of the mean square, of whole rows or of the heads in them.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::rows::{for_blocks, for_blocks_with_sums, sum, sum_of_pairs};
use crate::kernels::write_or_add;
use crate::parameters::ParameterId;
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// `x / sqrt(mean(x^2) + epsilon) * weight` (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4): weight
    /// `[size]`, x `[rows, groups * size]`. Each group of columns is normed by itself, with the same weight: one group where rows are
    /// normed, one a head where queries and keys are (`q_norm` of transformers' Qwen3).
    ///
    /// # Panics
    /// If the columns of x are not a multiple of the size of the weight.
    pub fn rms_norm(&self, x: &Var, weight: ParameterId, epsilon: f32) -> Var {
        let weights = self.parameters().values(weight);
        let (size, columns) = (weights.len(), x.tensor.columns());
        assert!(
            size > 0 && columns.is_multiple_of(size),
            "rms_norm: a weight of {size} values for x of shape {:?}",
            x.tensor.shape()
        );
        let from = x.tensor.values();
        let mut output = Buffer::stale(from.len());
        for_blocks(
            &mut output,
            size,
            #[inline(always)]
            |first, block| {
                // Of one known length with the groups: no index within them is checked.
                let weights = &weights[..size];
                for (group, to) in block.chunks_exact_mut(size).enumerate() {
                    let from = &from[(first + group) * size..][..size];
                    let scale = inverse_root(from, epsilon);
                    for column in 0..size {
                        to[column] = from[column] * scale * weights[column];
                    }
                }
            },
        );
        let backward = self
            .wants_gradient(&[x], &[weight])
            .then(|| -> Box<dyn Backward> { Box::new(RmsNormBackward { x: x.clone(), weight, epsilon }) });
        self.record(Tensor::from_buffer(x.tensor.shape(), output), backward)
    }
}

/// One over the root of the mean square.
#[inline(always)]
fn inverse_root(values: &[f32], epsilon: f32) -> f32 {
    1.0 / (sum(values, |value| value * value) / values.len() as f32 + epsilon).sqrt()
}

/// Keeps what was normed; its mean squares are computed again.
struct RmsNormBackward {
    x: Var,
    weight: ParameterId,
    epsilon: f32,
}

impl Backward for RmsNormBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let weights = sink.parameters.values(self.weight);
        let (size, from) = (weights.len(), self.x.tensor.values());
        // With s one over the root and g the upstream gradient: dx = s (g w - x s^2 mean(g w x)).
        let totals = for_blocks_with_sums(
            upstream.values_mut(),
            size,
            size,
            #[inline(always)]
            |first, block, totals| {
                let (weights, totals) = (&weights[..size], &mut totals[..size]);
                for (group, gradient) in block.chunks_exact_mut(size).enumerate() {
                    let from = &from[(first + group) * size..][..size];
                    let scale = inverse_root(from, self.epsilon);
                    for column in 0..size {
                        totals[column] += gradient[column] * from[column] * scale;
                        gradient[column] *= weights[column];
                    }
                    let along = sum_of_pairs(gradient, from, |gradient, value| gradient * value) / size as f32 * scale * scale;
                    for column in 0..size {
                        gradient[column] = scale * (gradient[column] - from[column] * along);
                    }
                }
            },
        );
        sink.accumulate_parameter(self.weight, |values, add| write_or_add(values, &totals[..size], add));
        sink.add(self.x.node, upstream);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Gradients, Graph, Parameters};

    /// Single precision of values of size one.
    const TOLERANCE: f32 = 2e-6;

    /// Of torch's `rms_norm` in double precision, over all four columns and over two by two.
    #[test]
    fn values_are_those_of_torch() {
        let x_values = vec![0.5, -1.25, 2.0, 3.0, 0.25, -0.75, 1.5, -2.0];
        let factors = [1.0, -2.0, 0.5, 0.25, -1.0, 0.75, 2.0, -0.5];
        let cases: [(&[f32], [&[f32]; 3]); 2] = [
            (
                &[0.5, 2.0, -1.5, 1.0],
                [
                    &[0.1297389, -1.297389, -1.5568668, 1.5568668, 0.0950701, -1.1408411, -1.7112617, -1.5211215],
                    &[0.1808614, -1.8792815, -0.7036823, -0.3419595, -0.2496707, 0.7490121, -1.4980242, -1.4251577],
                    &[0.0693376, 0.8695736, 2.8006378, 1.1497775],
                ],
            ),
            (
                &[0.5, 2.0],
                [
                    &[0.2611758, -2.6117585, 0.3919309, 2.3515854, 0.2201127, -2.6413527, 0.4235869, -2.25913],
                    &[-0.9741538, -0.4375497, -0.0224262, 0.0153521, -0.0273008, 0.0819024, 0.0918785, 0.0657562],
                    &[2.1684046, 2.479_982],
                ],
            ),
        ];
        for (weight, [output, x_gradient, weight_gradient]) in cases {
            let mut parameters = Parameters::new();
            let x = parameters.add("x", &[2, 4], x_values.clone());
            let weight = parameters.add("weight", &[weight.len()], weight.to_vec());
            let mut gradients = Gradients::new(&parameters);
            let graph = Graph::training(&parameters, 1);
            let normed = graph.rms_norm(&graph.parameter(x), weight, 1e-2);
            let found = normed.tensor().to_vec();
            let loss = graph.inner_product(&normed, &factors);
            graph.backward(&loss, &mut gradients);
            let gradient = |id| gradients.get(id).expect("a gradient");
            for (found, expected) in [(&found[..], output), (gradient(x), x_gradient), (gradient(weight), weight_gradient)] {
                let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < TOLERANCE);
                assert!(near && found.len() == expected.len(), "{found:?} for {expected:?}");
            }
        }
    }
}
