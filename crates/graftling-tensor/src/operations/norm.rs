//! Layer normalisation, alone and fused with dropout and the residual sum before it.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::dropout::DropoutKey;
use crate::kernels::rows::{for_blocks, for_blocks_with_sums, sum, sum_of_pairs};
use crate::kernels::write_or_add;
use crate::operations::residual_sum::{add_dropped, send_to_both};
use crate::parameters::ParameterId;
use crate::pool::Buffer;
use crate::tensor::Tensor;

/// The parameters of a layer normalisation (Ba, Kiros and Hinton, "Layer Normalization", 2016).
#[derive(Clone, Copy)]
struct Norm {
    weight: ParameterId,
    bias: Option<ParameterId>,
    epsilon: f32,
}

impl Graph<'_> {
    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over each row: x `[rows, hidden]`, weight and bias `[hidden]`; without
    /// a bias nothing is added.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn layer_norm(&self, x: &Var, weight: ParameterId, bias: Option<ParameterId>, epsilon: f32) -> Var {
        self.normalize(x.tensor.clone(), Norm { weight, bias, epsilon }, Sources { residual: x.clone(), branch: None })
    }

    /// `layer_norm(residual + dropout(branch))`, the end of a post-norm block: all `[rows, hidden]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn add_norm(
        &self,
        branch: &Var,
        residual: &Var,
        dropout: f32,
        weight: ParameterId,
        bias: Option<ParameterId>,
        epsilon: f32,
    ) -> Var {
        let key = self.dropout_key(dropout);
        let sums = add_dropped(&branch.tensor, &residual.tensor, key);
        let sources = Sources { residual: residual.clone(), branch: Some((branch.node, key)) };
        self.normalize(sums, Norm { weight, bias, epsilon }, sources)
    }

    fn normalize(&self, sums: Tensor, norm: Norm, sources: Sources) -> Var {
        let (rows, columns) = (sums.rows(), sums.columns());
        let weight = self.parameters().values(norm.weight);
        let bias = norm.bias.map(|bias| self.parameters().values(bias));
        let sizes = [weight.len(), bias.map_or(columns, <[f32]>::len)];
        assert_eq!(sizes, [columns; 2], "layer_norm: weight and bias for x of shape {:?}", sums.shape());
        let mut output = Buffer::stale(rows * columns);
        let from = sums.values();
        for_blocks(
            &mut output,
            columns,
            #[inline(always)]
            |first, block| {
                // Slices of one known length: no index within them is checked.
                let (weight, bias) = (&weight[..columns], bias.map(|bias| &bias[..columns]));
                for (row, to) in block.chunks_exact_mut(columns).enumerate() {
                    let from = &from[(first + row) * columns..][..columns];
                    let (mean, scale) = moments(from, norm.epsilon);
                    match bias {
                        Some(bias) => {
                            for column in 0..columns {
                                to[column] = ((from[column] - mean) * scale).mul_add(weight[column], bias[column]);
                            }
                        }
                        None => {
                            for column in 0..columns {
                                to[column] = (from[column] - mean) * scale * weight[column];
                            }
                        }
                    }
                }
            },
        );
        let output = Tensor::from_buffer(sums.shape(), output);
        let trained: Vec<ParameterId> = std::iter::once(norm.weight).chain(norm.bias).collect();
        let wanted = self.is_training()
            && (sources.residual.node.is_some()
                || sources.branch.is_some_and(|(node, _)| node.is_some())
                || self.wants_gradient(&[], &trained));
        let Sources { residual, branch } = sources;
        let backward =
            wanted.then(|| -> Box<dyn Backward> { Box::new(NormBackward { sums, norm, residual: residual.node, branch }) });
        self.record(output, backward)
    }
}

/// The mean of a row and one over its standard deviation, the variance taken over `hidden` values and not one less.
#[inline(always)]
fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = sum(row, |value| value) / count;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Where the gradient of the normalised sum goes.
struct Sources {
    residual: Var,
    branch: Option<(Option<usize>, Option<DropoutKey>)>,
}

/// Keeps the sum that was normalised; its moments are computed again.
struct NormBackward {
    sums: Tensor,
    norm: Norm,
    residual: Option<usize>,
    branch: Option<(Option<usize>, Option<DropoutKey>)>,
}

impl Backward for NormBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        let Norm { weight, bias, epsilon } = self.norm;
        let weights = sink.parameters.values(weight);
        let sums = self.sums.values();
        // With n = (x - mean) s and g the upstream gradient: dx = s (g w - mean(g w) - n mean(g w n)).
        let totals = for_blocks_with_sums(
            upstream.values_mut(),
            columns,
            2 * columns,
            #[inline(always)]
            |first, block, totals| {
                let (weight_totals, bias_totals) = totals.split_at_mut(columns);
                let (bias_totals, weights) = (&mut bias_totals[..columns], &weights[..columns]);
                for (row, gradient) in block.chunks_exact_mut(columns).enumerate() {
                    let from = &sums[(first + row) * columns..][..columns];
                    let (mean, scale) = moments(from, epsilon);
                    for column in 0..columns {
                        weight_totals[column] += gradient[column] * ((from[column] - mean) * scale);
                        bias_totals[column] += gradient[column];
                        gradient[column] *= weights[column];
                    }
                    let average = sum(gradient, |value| value) / columns as f32;
                    let along =
                        sum_of_pairs(gradient, from, |gradient, value| gradient * ((value - mean) * scale)) / columns as f32;
                    for column in 0..columns {
                        let normal = (from[column] - mean) * scale;
                        gradient[column] = scale * (gradient[column] - average - normal * along);
                    }
                }
            },
        );
        sink.accumulate_parameter(weight, |values, add| write_or_add(values, &totals[..columns], add));
        if let Some(bias) = bias {
            sink.accumulate_parameter(bias, |values, add| write_or_add(values, &totals[columns..2 * columns], add));
        }
        let (branch, key) = self.branch.unwrap_or((None, None));
        send_to_both(sink, upstream, branch, self.residual, key);
    }
}
