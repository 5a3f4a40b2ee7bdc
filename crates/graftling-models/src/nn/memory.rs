//! What a decoder remembers of one sequence: of what it has read of it, and of what an encoder gave. Knows no tokens.

use std::sync::Arc;

use graftling_tensor::{SequenceCache, Spans};

use super::attention::Source;

/// What a decoder remembers of one sequence, in all of its layers. A clone shares what both remember alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// How many tokens were read.
    pub read: usize,
    /// The keys and values of these tokens.
    pub own: SequenceCache,
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
