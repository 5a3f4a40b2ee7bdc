//! Softmax cross-entropy over the rows of each sequence: which token a passage begins with, and which it ends with.

use super::slopes::{ln_softmax, recorded};
use crate::graph::{Graph, Var};
use crate::spans::Spans;

impl Graph<'_> {
    /// The sum over the sequences of the mean over both columns of `-log softmax(column)[place]`, where a column's softmax goes over the
    /// rows of the sequence, divided by `normalizer`: logits `[rows, 2]`, one pair of places a sequence, counted from its first
    /// row; a scalar.
    ///
    /// With the number of sequences as normalizer this is `ForQuestionAnsweringLoss` of transformers over sequences without padding.
    ///
    /// # Panics
    /// If there are not two columns, not one pair of places for each sequence, or a place is not a row of its sequence.
    pub fn span_cross_entropy(&self, logits: &Var, spans: &Spans, places: &[[usize; 2]], normalizer: f32) -> Var {
        let shape = logits.tensor.shape();
        assert_eq!(logits.tensor.columns(), 2, "span_cross_entropy: logits of shape {shape:?}");
        assert_eq!(logits.tensor.rows(), spans.rows(), "span_cross_entropy: logits of shape {shape:?}, rows of the sequences");
        assert_eq!(spans.count(), places.len(), "span_cross_entropy: places for sequences");
        let values = logits.tensor.values();
        let mut slopes = vec![0.0; values.len()];
        let mut total = 0.0;
        for (sequence, places) in places.iter().enumerate() {
            let rows = spans.range(sequence);
            for (column, &place) in places.iter().enumerate() {
                assert!(place < rows.len(), "span_cross_entropy: place {place} of {} rows", rows.len());
                let of_rows: Vec<f32> = rows.clone().map(|row| values[2 * row + column]).collect();
                for (row, log_probability) in ln_softmax(&of_rows).enumerate() {
                    let wanted = if row == place { 1.0 } else { 0.0 };
                    total -= 0.5 * wanted * log_probability;
                    slopes[2 * (rows.start + row) + column] = (0.5 * (log_probability.exp() - wanted)) as f32;
                }
            }
        }
        recorded(self, logits, normalizer, total, slopes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Parameters, Spans};

    /// The value is that of `ForQuestionAnsweringLoss` of transformers 5.24 over two sequences of three tokens.
    #[test]
    fn the_value_is_that_of_transformers() {
        let mut parameters = Parameters::new();
        let values = vec![0.5, -1.25, 2.0, 3.0, 0.25, -0.75, 1.5, 0.125, -2.0, 1.0, 0.0, 4.5];
        let logits = parameters.add("logits", &[6, 2], values);
        let graph = Graph::inference(&parameters);
        let loss = graph.span_cross_entropy(&graph.parameter(logits), &Spans::from_lengths([3, 3]), &[[1, 2], [0, 0]], 2.0);
        assert!((loss.tensor().item() - LOSS).abs() < 2e-6, "{}", loss.tensor().item());
    }

    const LOSS: f32 = 2.191_010_4;
}
