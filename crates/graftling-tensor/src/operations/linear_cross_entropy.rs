//! The loss of a language model's head, `cross_entropy(x W^T + b)`, which never holds the logits of all tokens at once.
//!
//! Tokens are taken in blocks. The logits of a block lie class by class, so that the weight is the left side of every product and is
//! neither packed nor turned as a whole; the gradients are computed while the logits are there, for a loss is a scalar and
//! what comes from above it is one factor (Hsu and others, "Liger Kernel", 2024, section 3.2).

use std::ops::Range;

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::columns::Columns;
use crate::kernels::product::{Plain, Target, View, multiply, multiply_with, pack_right};
use crate::kernels::rows::for_blocks;
use crate::kernels::write_or_add;
use crate::parameters::{ParameterId, Parameters};
use crate::pool::Buffer;
use crate::tensor::Tensor;

/// The most tokens of a block.
const TOKENS: usize = 256;
/// Blocks of fewer tokens have a multiple of so many: the width of a tile of a product.
const TILE: usize = 32;
/// Classes whose logits are computed, or used, at a time.
const CLASSES: usize = 4096;

/// How the losses of tokens become one.
#[derive(Clone, Copy, Debug)]
pub struct TokenLossOptions {
    /// The share of each target that is spread over all classes, as in [`smoothed_cross_entropy`](Graph::smoothed_cross_entropy).
    pub smoothing: f32,
    /// What the sum is divided by: the number of targets in the whole step, so that micro-batches add up to one big batch.
    pub normalizer: f32,
}

/// How well a token was foreseen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLoss {
    /// `-log softmax(logits)[target]`, in nats.
    pub loss: f32,
    /// The class of the largest logit, the first where several are as large.
    pub best: u32,
    /// The probability of that class.
    pub probability: f32,
}

impl Graph<'_> {
    /// The sum over the rows of `-sum_c q_c log softmax(x W^T + b)_c`, divided by `normalizer`: x `[rows, in]`, W `[classes, in]`, b
    /// `[classes]`, one target a row; a scalar. With smoothing `e`, `q_c` is `1 - e` at the target, and `e / classes` is added at every class.
    ///
    /// It is [`linear`](Self::linear) with [`smoothed_cross_entropy`](Self::smoothed_cross_entropy), in memory for the logits of
    /// a few hundred rows, and for one more copy of the weight's gradient where the weight is trained. The weight may be a table of
    /// embeddings.
    ///
    /// # Panics
    /// If the shapes do not fit, there is not one target for each row, or a target is not a class.
    pub fn linear_cross_entropy(
        &self,
        x: &Var,
        weight: ParameterId,
        bias: Option<ParameterId>,
        targets: &[u32],
        options: TokenLossOptions,
    ) -> Var {
        let head = Head::new(self.parameters(), x, weight, bias, targets);
        // Nothing depends on anything where there are no targets.
        let trained = |id: ParameterId| !targets.is_empty() && self.wants_gradient(&[], &[id]);
        let mut gradients = HeadGradients {
            x: x.node.filter(|_| !targets.is_empty()).map(|_| Buffer::stale(head.x.len())),
            weight: trained(weight).then(|| Buffer::stale(head.weight.len())),
            bias: bias.filter(|bias| trained(*bias)).map(|_| Buffer::zeroed(head.classes)),
        };
        let wanted = gradients.x.is_some() || gradients.weight.is_some() || gradients.bias.is_some();
        let mut total = 0.0;
        let mut logits = Buffer::stale(if wanted { head.classes } else { head.classes.min(CLASSES) } * TOKENS.min(targets.len()));
        for rows in blocks(targets.len()) {
            let seen = head.foresee(&rows, &mut logits, wanted);
            total += seen.losses(f64::from(options.smoothing), head.classes).sum::<f64>();
            if wanted {
                head.add_gradients(&rows, &mut logits, &seen, options, &mut gradients);
            }
        }
        let loss = Tensor::from_vec(&[], vec![(total / f64::from(options.normalizer)) as f32]);
        let backward = wanted.then(|| -> Box<dyn Backward> {
            Box::new(HeadBackward { x: x.node, shape: x.tensor.shape().to_vec(), weight, bias, gradients })
        });
        self.record(loss, backward)
    }

    /// The loss of each row by itself, without smoothing and without a gradient: what perplexity and accuracy are counted from. Shapes as in
    /// [`linear_cross_entropy`](Self::linear_cross_entropy); memory is that of a few million logits, whatever the number of classes.
    ///
    /// # Panics
    /// As there.
    pub fn token_losses(&self, x: &Var, weight: ParameterId, bias: Option<ParameterId>, targets: &[u32]) -> Vec<TokenLoss> {
        let head = Head::new(self.parameters(), x, weight, bias, targets);
        let mut logits = Buffer::stale(head.classes.min(CLASSES) * TOKENS.min(targets.len()));
        let of_block = |rows: Range<usize>| {
            let seen = head.foresee(&rows, &mut logits, false);
            let Columns { best, totals, .. } = &seen.columns;
            // Totals are multiples of the largest exponential.
            let losses = seen.losses(0.0, head.classes).zip(best.iter().zip(totals));
            let told = |(loss, (best, total)): (f64, (&u32, &f64))| TokenLoss {
                loss: loss as f32,
                best: *best,
                probability: total.recip() as f32,
            };
            losses.map(told).collect::<Vec<_>>()
        };
        blocks(targets.len()).flat_map(of_block).collect()
    }
}

/// Rows in blocks of like size, which depends on their number alone.
fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(TOKENS).max(1);
    let size = rows.div_ceil(count).next_multiple_of(TILE);
    (0..rows).step_by(size.max(1)).map(move |start| start..(start + size).min(rows))
}

/// Classes in chunks.
fn chunks(classes: usize) -> impl Iterator<Item = Range<usize>> {
    (0..classes).step_by(CLASSES).map(move |start| start..(start + CLASSES).min(classes))
}

/// What logits are made of, and what they are compared with.
struct Head<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    targets: &'a [u32],
    input: usize,
    classes: usize,
}

/// What is known of the logits of a block of rows.
struct Seen {
    columns: Columns,
    /// The logit of each row's target.
    of_target: Vec<f64>,
}

/// The gradients that are wanted, of their values' shapes.
struct HeadGradients {
    x: Option<Buffer>,
    weight: Option<Buffer>,
    bias: Option<Buffer>,
}

impl<'a> Head<'a> {
    fn new(parameters: &'a Parameters, x: &'a Var, weight: ParameterId, bias: Option<ParameterId>, targets: &'a [u32]) -> Self {
        let (name, shape) = (parameters.name(weight), parameters.shape(weight));
        let &[classes, input] = shape else { panic!("linear_cross_entropy: weight {name} of shape {shape:?}") };
        let x_shape = x.tensor.shape();
        assert_eq!(
            x.tensor.columns(),
            input,
            "linear_cross_entropy: x of shape {x_shape:?} for weight {name} of shape {shape:?}"
        );
        assert_eq!(x.tensor.rows(), targets.len(), "linear_cross_entropy: targets for x of shape {x_shape:?}");
        assert!(
            targets.iter().all(|target| (*target as usize) < classes),
            "linear_cross_entropy: a target beyond {classes} classes"
        );
        let bias = bias.map(|bias| parameters.values(bias));
        assert!(bias.is_none_or(|bias| bias.len() == classes), "linear_cross_entropy: bias for {classes} classes");
        Self { x: x.tensor.values(), weight: parameters.values(weight), bias, targets, input, classes }
    }

    /// The rows of x in a block.
    fn rows(&self, rows: &Range<usize>) -> &'a [f32] {
        &self.x[rows.start * self.input..rows.end * self.input]
    }

    /// The weights of a chunk of classes.
    fn weights(&self, classes: &Range<usize>) -> &'a [f32] {
        &self.weight[classes.start * self.input..classes.end * self.input]
    }

    /// Computes the logits of a block of rows, `[classes, rows]`: all of them where they are to be kept, or else one chunk over another.
    fn foresee(&self, rows: &Range<usize>, logits: &mut [f32], keep: bool) -> Seen {
        let count = rows.len();
        let right = pack_right(View::transposed(self.rows(rows), self.input), self.input, count);
        let mut seen = Seen { columns: Columns::new(count), of_target: vec![0.0; count] };
        for classes in chunks(self.classes) {
            let logits = &mut logits[if keep { classes.start * count } else { 0 }..][..classes.len() * count];
            let left = View::new(self.weights(&classes), self.input);
            multiply_with(classes.len(), left, &right, Target::new(logits, count), &Plain);
            seen.columns.observe(logits, classes.start, self.bias);
            for (row, target) in self.targets[rows.clone()].iter().map(|target| *target as usize).enumerate() {
                if classes.contains(&target) {
                    let added = self.bias.map_or(0.0, |bias| bias[target]);
                    seen.of_target[row] = f64::from(logits[(target - classes.start) * count + row] + added);
                }
            }
        }
        seen
    }

    /// Adds what follows from a block of rows, whose logits become their slopes.
    fn add_gradients(
        &self,
        rows: &Range<usize>,
        logits: &mut [f32],
        seen: &Seen,
        options: TokenLossOptions,
        gradients: &mut HeadGradients,
    ) {
        let (count, input) = (rows.len(), self.input);
        let TokenLossOptions { smoothing, normalizer } = options;
        let factors: Vec<f32> = seen.columns.totals.iter().map(|total| (1.0 / (f64::from(normalizer) * total)) as f32).collect();
        let share = smoothing / (self.classes as f32 * normalizer);
        let packed_rows = gradients.weight.as_ref().map(|_| pack_right(View::new(self.rows(rows), input), count, input));
        // Turned, as the logits are.
        let mut x_gradient = Buffer::stale(if gradients.x.is_some() { count * input } else { 0 });
        for classes in chunks(self.classes) {
            let slopes = &mut logits[classes.start * count..classes.end * count];
            let sums = gradients.bias.as_mut().map(|bias| &mut bias[classes.clone()]);
            seen.columns.slopes(slopes, classes.start, self.bias, &factors, share, sums);
            for (row, target) in self.targets[rows.clone()].iter().map(|target| *target as usize).enumerate() {
                if classes.contains(&target) {
                    let wanted = (1.0 - smoothing) / normalizer;
                    slopes[(target - classes.start) * count + row] -= wanted;
                    if let Some(bias) = &mut gradients.bias {
                        bias[target] -= wanted;
                    }
                }
            }
            if let (Some(gradient), Some(right)) = (&mut gradients.weight, &packed_rows) {
                let target = Target::new(&mut gradient[classes.start * input..classes.end * input], input);
                multiply_with(classes.len(), View::new(slopes, count), right, target.adding(rows.start > 0), &Plain);
            }
            if gradients.x.is_some() {
                let (left, right) = (View::transposed(self.weights(&classes), input), View::new(slopes, count));
                let target = Target::new(&mut x_gradient, count).adding(classes.start > 0);
                multiply(input, classes.len(), count, left, right, target);
            }
        }
        if let Some(gradient) = &mut gradients.x {
            for (row, to) in gradient[rows.start * input..rows.end * input].chunks_exact_mut(input).enumerate() {
                for (to, from) in to.iter_mut().zip(x_gradient[row..].iter().step_by(count)) {
                    *to = *from;
                }
            }
        }
    }
}

impl Seen {
    /// The loss of each row.
    fn losses(&self, smoothing: f64, classes: usize) -> impl Iterator<Item = f64> {
        let Columns { tops, totals, sums, .. } = &self.columns;
        (0..tops.len()).map(move |row| {
            let normalizer = f64::from(tops[row]) + totals[row].ln();
            normalizer - (1.0 - smoothing) * self.of_target[row] - smoothing * sums[row] / classes as f64
        })
    }
}

/// Keeps the gradients themselves.
struct HeadBackward {
    x: Option<usize>,
    shape: Vec<usize>,
    weight: ParameterId,
    bias: Option<ParameterId>,
    gradients: HeadGradients,
}

impl Backward for HeadBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let factor = upstream.item();
        let scaled = |gradient: Option<Buffer>| {
            let mut gradient = gradient?;
            if factor != 1.0 {
                for_blocks(
                    &mut gradient,
                    512,
                    #[inline(always)]
                    |_, block| block.iter_mut().for_each(|value| *value *= factor),
                );
            }
            Some(gradient)
        };
        let HeadGradients { x, weight, bias } = self.gradients;
        if let Some(gradient) = scaled(weight) {
            sink.give_parameter(self.weight, gradient);
        }
        if let Some((id, gradient)) = self.bias.zip(scaled(bias)) {
            sink.accumulate_parameter(id, |values, add| write_or_add(values, &gradient, add));
        }
        if let Some(gradient) = scaled(x) {
            sink.add(self.x, Tensor::from_buffer(&self.shape, gradient));
        }
    }
}
