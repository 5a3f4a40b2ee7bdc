//! The simpler simple recurrent unit: what stands in place of attention to the tokens before in decoders that are made to be fast.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::recurrence::GatedStates;
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

/// What [`Graph::recurrence`] gives.
#[derive(Clone, Debug)]
pub struct Recurrent {
    /// `relu(c)` after each row: `[rows, columns]`.
    pub output: Var,
    /// c after the last row of each sequence, from which it may go on: `[sequences, columns]`. It carries no gradient.
    pub states: Tensor,
}

impl Graph<'_> {
    /// `relu(c[t])` with `c[t] = f[t] c[t - 1] + (1 - f[t]) z[t]` and `f = sigmoid(gate)`, value by value, over the rows of each sequence
    /// (Kim et al. 2019, "From Research to Production and Back", equation 1; Marian's `ssru`): gate and candidate z `[rows, columns]`.
    /// The states before the first rows are zeros, or `start`, `[sequences, columns]`, to which no gradient goes.
    ///
    /// # Panics
    /// If the shapes or the spans do not fit.
    pub fn recurrence(&self, gate: &Var, candidate: &Var, spans: &Spans, start: Option<&Tensor>) -> Recurrent {
        let columns = gate.tensor.columns();
        assert_eq!(gate.tensor.shape(), [spans.rows(), columns], "recurrence: gate for the spans");
        assert_eq!(gate.tensor.shape(), candidate.tensor.shape(), "recurrence: gate and candidate");
        if let Some(start) = start {
            assert_eq!(start.shape(), [spans.count(), columns], "recurrence: states to start from");
        }
        let inputs = Inputs { gate: gate.clone(), candidate: candidate.clone(), spans: spans.clone(), start: start.cloned() };
        let [mut states, mut output] = [0; 2].map(|_| Buffer::stale(spans.rows() * columns));
        inputs.recurrence().forward(&mut states, &mut output);
        let states = Tensor::from_buffer(gate.tensor.shape(), states);
        let last = inputs.last(&states);
        let backward = self
            .wants_gradient(&[gate, candidate], &[])
            .then(|| -> Box<dyn Backward> { Box::new(RecurrenceBackward { inputs, states }) });
        Recurrent { output: self.record(Tensor::from_buffer(gate.tensor.shape(), output), backward), states: last }
    }
}

/// What goes into the recurrence.
struct Inputs {
    gate: Var,
    candidate: Var,
    spans: Spans,
    start: Option<Tensor>,
}

/// Keeps what went in and the state after each row.
struct RecurrenceBackward {
    inputs: Inputs,
    states: Tensor,
}

impl Inputs {
    fn recurrence(&self) -> GatedStates<'_> {
        GatedStates {
            gate: self.gate.tensor.values(),
            candidate: self.candidate.tensor.values(),
            spans: &self.spans,
            columns: self.gate.tensor.columns(),
            start: self.start.as_ref().map(Tensor::values),
        }
    }

    /// The state after the last row of each sequence; where there is none, what it starts from.
    fn last(&self, states: &Tensor) -> Tensor {
        let columns = states.columns();
        let mut last = Buffer::zeroed(self.spans.count() * columns);
        for (sequence, to) in last.chunks_exact_mut(columns).enumerate() {
            let rows = self.spans.range(sequence);
            match &self.start {
                _ if !rows.is_empty() => to.copy_from_slice(&states.values()[(rows.end - 1) * columns..][..columns]),
                Some(start) => to.copy_from_slice(&start.values()[sequence * columns..][..columns]),
                None => {}
            }
        }
        Tensor::from_buffer(&[self.spans.count(), columns], last)
    }
}

impl Backward for RecurrenceBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let Self { inputs, states } = *self;
        let shape = upstream.shape();
        let [mut gate, mut candidate] = [0; 2].map(|_| Buffer::stale(shape.iter().product()));
        inputs.recurrence().backward(states.values(), upstream.values(), [&mut gate, &mut candidate]);
        sink.add(inputs.gate.node, Tensor::from_buffer(shape, gate));
        sink.add(inputs.candidate.node, Tensor::from_buffer(shape, candidate));
    }
}
