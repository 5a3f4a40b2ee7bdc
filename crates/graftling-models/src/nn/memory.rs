//! What a decoder remembers of one sequence: of what it has read of it, and of what an encoder gave. Knows no tokens.

use std::sync::Arc;

use graftling_tensor::{SequenceCache, Spans, Tensor};

use super::attention::Source;

/// What a decoder remembers of one sequence, in all of its layers. A clone shares what both remember alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// How many tokens were read.
    pub read: usize,
    /// The keys and values of these tokens.
    pub own: SequenceCache,
    /// Of each layer with a recurrence the state after them.
    pub states: Vec<Arc<[f32]>>,
    /// The keys and values of what an encoder gave, which nothing is added to: all that goes on from the same source has them in common.
    pub source: Option<Arc<SequenceCache>>,
}

/// What the sequences of a pass look at beside themselves.
pub(crate) struct Sources {
    caches: Vec<Arc<SequenceCache>>,
    /// The rows of the pass that look at each of them.
    queries: Spans,
}

impl Sources {
    /// The sources of sequences that lie like this; none where there are none. Neighbours with the same source, as the beams of one text
    /// are, become one: all of its keys are then read once for all of them.
    ///
    /// # Panics
    /// If some sequences have a source and others have not.
    pub fn of(memories: &[&mut Memory], spans: &Spans) -> Option<Self> {
        let mut caches: Vec<Arc<SequenceCache>> = Vec::new();
        let mut lengths: Vec<usize> = Vec::new();
        for (memory, length) in memories.iter().zip(spans.lengths()) {
            let Some(source) = &memory.source else { continue };
            match (caches.last(), lengths.last_mut()) {
                (Some(last), Some(rows)) if Arc::ptr_eq(last, source) => *rows += length,
                _ => {
                    caches.push(Arc::clone(source));
                    lengths.push(length);
                }
            }
        }
        let queries = Spans::from_lengths(lengths);
        assert!(caches.is_empty() || queries.rows() == spans.rows(), "read_on: a source for some sequences and none for others");
        (!caches.is_empty()).then_some(Self { caches, queries })
    }

    /// What a layer looks at.
    pub fn of_layer(&self, layer: usize) -> Source<'_> {
        Source::Remembered { caches: &self.caches, layer, queries: &self.queries }
    }
}

/// The states of a layer, `[sequences, columns]`: zeros where nothing was read.
pub(crate) fn states(memories: &[&mut Memory], layer: usize, columns: usize) -> Tensor {
    let mut values = vec![0.0; memories.len() * columns];
    for (memory, to) in memories.iter().zip(values.chunks_exact_mut(columns)) {
        if let Some(state) = memory.states.get(layer) {
            to.copy_from_slice(state);
        }
    }
    Tensor::from_vec(&[memories.len(), columns], values)
}

/// Keeps the states of a layer, `[sequences, columns]`, in place of those before. The first pass goes through the layers in order.
pub(crate) fn keep_states(memories: &mut [&mut Memory], layer: usize, states: &Tensor) {
    for (memory, state) in memories.iter_mut().zip(states.to_vec().chunks_exact(states.columns())) {
        assert!(layer <= memory.states.len(), "memory: the state of layer {layer} before that of layer {}", memory.states.len());
        match memory.states.get_mut(layer) {
            Some(before) => *before = state.into(),
            None => memory.states.push(state.into()),
        }
    }
}
