//! The simpler simple recurrent unit: a state that goes from each token to the next, in place of attention. Knows no family.

use graftling_tensor::{Graph, Recurrent, Spans, Tensor, Var};

use super::declarations::Scope;
use super::linear::Linear;
use crate::architecture::{Architecture, Bias};

/// Of each token `relu(c)`, where c is what the gate keeps of the state before and lets in of the candidate (Kim et al. 2019, "From
/// Research to Production and Back", equation 1; `dec-cell: ssru` of Marian).
pub(crate) struct Recurrence {
    gate: Linear,
    candidate: Linear,
}

impl Recurrence {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let size = architecture.hidden_size;
        Self {
            gate: Linear::new(&mut scope.part("gate"), size, size),
            candidate: Linear::with_bias(&mut scope.part("candidate"), size, size, Bias::Absent),
        }
    }

    /// hidden: `[tokens, hidden_size]`; gives the same shape, and the state after the last token of each sequence. `start` has the states
    /// before the first tokens, where something was read before.
    pub fn forward(&self, graph: &Graph<'_>, hidden: &Var, spans: &Spans, start: Option<&Tensor>) -> Recurrent {
        let [gate, candidate] = [&self.gate, &self.candidate].map(|projection| projection.forward(graph, hidden));
        graph.recurrence(&gate, &candidate, spans, start)
    }
}
