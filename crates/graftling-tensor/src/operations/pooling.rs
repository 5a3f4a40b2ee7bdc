//! One row for each span of rows: their weighted mean, or the largest value of each column.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The mean over the rows of each span: x `[rows, hidden]` gives `[spans, hidden]`. The sums are kept in double precision.
    ///
    /// # Panics
    /// If the spans do not cover the rows, or one of them is empty.
    pub fn span_mean(&self, x: &Var, spans: &Spans) -> Var {
        self.weighted_span_mean(x, spans, &vec![1.0; spans.rows()])
    }

    /// `sum(weight * row) / sum(weight)` over the rows of each span, with one weight a row: x `[rows, hidden]` gives `[spans, hidden]`.
    /// The sums are kept in double precision.
    ///
    /// # Panics
    /// If the spans do not cover the rows, there is not one weight for each row, or the weights of a span add up to nothing.
    pub fn weighted_span_mean(&self, x: &Var, spans: &Spans, weights: &[f32]) -> Var {
        let columns = checked_columns(x, spans);
        let rows = spans.rows();
        assert_eq!(weights.len(), rows, "span mean: weights for the rows");
        let mut shares = vec![0.0; rows];
        for span in 0..spans.count() {
            let range = spans.range(span);
            let weight = |row: usize| f64::from(weights[row]);
            let sum: f64 = range.clone().map(weight).sum();
            assert!(sum > 0.0, "span mean: the weights of span {span} add up to {sum}");
            range.for_each(|row| shares[row] = (weight(row) / sum) as f32);
        }
        let values = x.tensor.values();
        let mut output = Buffer::stale(spans.count() * columns);
        let mut sums = vec![0.0_f64; columns];
        for (span, to) in output.chunks_exact_mut(columns).enumerate() {
            sums.fill(0.0);
            for row in spans.range(span) {
                let share = f64::from(shares[row]);
                for (sum, value) in sums.iter_mut().zip(&values[row * columns..][..columns]) {
                    *sum += share * f64::from(*value);
                }
            }
            to.iter_mut().zip(&sums).for_each(|(to, sum)| *to = *sum as f32);
        }
        let backward = x.node.map(|node| -> Box<dyn Backward> {
            Box::new(MeanBackward { node, shape: x.tensor.shape().to_vec(), spans: spans.clone(), shares })
        });
        self.record(Tensor::from_buffer(&[spans.count(), columns], output), backward)
    }

    /// The largest value of each column within each span: x `[rows, hidden]` gives `[spans, hidden]`. The gradient goes to the first
    /// of equal values.
    ///
    /// # Panics
    /// If the spans do not cover the rows, or one of them is empty.
    pub fn span_max(&self, x: &Var, spans: &Spans) -> Var {
        let columns = checked_columns(x, spans);
        let values = x.tensor.values();
        let mut places = Vec::with_capacity(spans.count() * columns);
        for span in 0..spans.count() {
            let range = spans.range(span);
            assert!(!range.is_empty(), "span_max: span {span} is empty");
            for column in 0..columns {
                let at = |row: usize| values[row * columns + column];
                let largest = range.clone().reduce(|best, row| if at(row) > at(best) { row } else { best });
                places.push(largest.unwrap_or(range.start) * columns + column);
            }
        }
        let output = places.iter().map(|place| values[*place]).collect();
        let backward =
            x.node.map(|node| -> Box<dyn Backward> { Box::new(MaxBackward { node, shape: x.tensor.shape().to_vec(), places }) });
        self.record(Tensor::from_vec(&[spans.count(), columns], output), backward)
    }
}

fn checked_columns(x: &Var, spans: &Spans) -> usize {
    assert_eq!(x.tensor.rows(), spans.rows(), "pooling: x of shape {:?} for spans", x.tensor.shape());
    x.tensor.columns()
}

struct MeanBackward {
    node: usize,
    shape: Vec<usize>,
    spans: Spans,
    /// How much of its span's mean each row is.
    shares: Vec<f32>,
}

impl Backward for MeanBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        sink.accumulate(Some(self.node), &self.shape, |gradient, add| {
            for (span, from) in upstream.values().chunks_exact(columns).enumerate() {
                for row in self.spans.range(span) {
                    let share = self.shares[row];
                    for (to, from) in gradient[row * columns..][..columns].iter_mut().zip(from) {
                        *to = if add { *to + share * from } else { share * from };
                    }
                }
            }
        });
    }
}

struct MaxBackward {
    node: usize,
    shape: Vec<usize>,
    /// Which value of x each value of the output is.
    places: Vec<usize>,
}

impl Backward for MaxBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        sink.accumulate(Some(self.node), &self.shape, |gradient, add| {
            if !add {
                gradient.fill(0.0);
            }
            for (place, value) in self.places.iter().zip(upstream.values()) {
                gradient[*place] += value;
            }
        });
    }
}
