//! How the tokens of a layer learn of the others of their sequence: by attention, or by a recurrence. Knows no family.

use graftling_tensor::{Graph, Recurrent, SequenceCache, Var};

use super::attention::{Attention, Places, Rows};
use super::declarations::Scope;
use super::memory::{self, Memory};
use super::recurrence::Recurrence;
use crate::architecture::{Architecture, Dropout, Mixing};

/// Some of the tokens of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub rows: Rows<'a>,
    /// Which of the batch's rows they are, ascending.
    pub places: &'a [usize],
}

/// The part of a layer that mixes tokens of one sequence.
pub(crate) enum TokenMixing {
    Attention(Attention),
    Recurrence(Recurrence),
}

impl TokenMixing {
    /// What the part is called in the names of parameters.
    pub fn name(mixing: Mixing) -> &'static str {
        match mixing {
            Mixing::Attention => "attention",
            Mixing::Recurrence => "recurrence",
        }
    }

    /// That of a layer, counted from zero in its stack.
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture, layer: usize) -> Self {
        match architecture.layout.mixing {
            Mixing::Attention => Self::Attention(Attention::new(scope, architecture, layer)),
            Mixing::Recurrence => Self::Recurrence(Recurrence::new(scope, architecture)),
        }
    }

    /// What each of the `tokens`, or of the `wanted` ones among them alone, learns of the tokens of its sequence: gives the shape of their
    /// rows.
    pub fn forward(
        &self,
        graph: &Graph<'_>,
        wanted: Option<Chosen<'_>>,
        tokens: Rows<'_>,
        places: Places<'_>,
        dropout: &Dropout,
    ) -> Var {
        match self {
            Self::Attention(attention) => {
                let queries = wanted.map_or(tokens, |chosen| chosen.rows);
                attention.forward(graph, queries, tokens, places, dropout)
            }
            Self::Recurrence(recurrence) => {
                let output = recurrence.forward(graph, tokens.hidden, tokens.spans, None).output;
                wanted.map_or_else(|| output.clone(), |chosen| graph.gather_rows(&output, chosen.places))
            }
        }
    }

    /// The same for new tokens of sequences of which memories hold what was read before, in inference: all of them are wanted.
    pub fn read_on(
        &self,
        graph: &Graph<'_>,
        tokens: Rows<'_>,
        (layer, memories): (usize, &mut [&mut Memory]),
        places: Places<'_>,
    ) -> Var {
        match self {
            Self::Attention(attention) => {
                let mut caches: Vec<&mut SequenceCache> = memories.iter_mut().map(|memory| memory.keys_and_values()).collect();
                attention.forward_cached(graph, tokens, (layer, &mut caches), places)
            }
            Self::Recurrence(recurrence) => {
                let start = memory::states(memories, layer, tokens.hidden.tensor().columns());
                let Recurrent { output, states } = recurrence.forward(graph, tokens.hidden, tokens.spans, Some(&start));
                memory::keep_states(memories, layer, &states);
                output
            }
        }
    }
}
