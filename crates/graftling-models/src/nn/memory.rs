//! What a decoder remembers of one sequence: of what it has read of it, and of what an encoder gave. Knows no tokens.

use std::sync::Arc;

use graftling_tensor::{SequenceCache, Spans, Tensor};

use super::attention::Source;

/// What a decoder remembers of one sequence, in all of its layers. A clone shares what both remember alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    own: Remembered,
    /// The keys and values of what an encoder gave, which nothing is added to: all that goes on from the same source has them in common.
    source: Option<Arc<SequenceCache>>,
}

/// What a decoder remembers of the tokens that it has read.
#[derive(Clone, Debug, Default)]
enum Remembered {
    #[default]
    Nothing,
    /// Their keys and values.
    KeysAndValues(SequenceCache),
    /// The state after them, in each layer with a recurrence.
    States(Vec<Arc<[f32]>>),
}

impl Memory {
    /// Of a sequence of which nothing is read yet, beside what an encoder gave.
    pub fn beside(source: SequenceCache) -> Self {
        Self { source: Some(Arc::new(source)), ..Self::default() }
    }

    /// Whether nothing is read yet.
    pub fn is_empty(&self) -> bool {
        matches!(self.own, Remembered::Nothing)
    }

    /// The keys and values of the tokens that were read, to which those of more are appended.
    ///
    /// # Panics
    /// If the layers have a recurrence.
    pub fn keys_and_values(&mut self) -> &mut SequenceCache {
        if self.is_empty() {
            self.own = Remembered::KeysAndValues(SequenceCache::new());
        }
        let Remembered::KeysAndValues(cache) = &mut self.own else { panic!("memory: attention after a recurrence") };
        cache
    }

    /// The state of a layer, or none where nothing was read before this pass.
    fn state(&self, layer: usize) -> Option<&[f32]> {
        match &self.own {
            Remembered::Nothing => None,
            Remembered::States(states) => states.get(layer).map(|state| &**state),
            Remembered::KeysAndValues(_) => panic!("memory: a recurrence after attention"),
        }
    }

    /// Keeps the state of a layer in place of the one before. The first pass goes through the layers in order.
    fn keep_state(&mut self, layer: usize, state: &[f32]) {
        let mut states = match std::mem::take(&mut self.own) {
            Remembered::Nothing => Vec::new(),
            Remembered::States(states) => states,
            Remembered::KeysAndValues(_) => panic!("memory: a recurrence after attention"),
        };
        assert!(layer <= states.len(), "memory: the state of layer {layer} before that of layer {}", states.len());
        match states.get_mut(layer) {
            Some(before) => *before = state.into(),
            None => states.push(state.into()),
        }
        self.own = Remembered::States(states);
    }
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
        if let Some(state) = memory.state(layer) {
            to.copy_from_slice(state);
        }
    }
    Tensor::from_vec(&[memories.len(), columns], values)
}

/// Keeps the states of a layer, `[sequences, columns]`, in place of those before.
pub(crate) fn keep_states(memories: &mut [&mut Memory], layer: usize, states: &Tensor) {
    for (memory, state) in memories.iter_mut().zip(states.values().chunks_exact(states.columns())) {
        memory.keep_state(layer, state);
    }
}
