//! What attention is cut into, which keys a query sees, and what is added by distance. Knows nothing of products.

use std::ops::Range;

use super::Heads;

/// Queries that are taken at a time.
const QUERIES: usize = 128;
/// The same where queries look at a window: fewer, so that fewer keys are multiplied that only some of them see.
const QUERIES_OF_WINDOW: usize = 64;

/// That a query looks at the keys near its own place alone.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    /// How far before it.
    pub before: usize,
    /// How far behind it.
    pub behind: usize,
    /// The place of each query in its sequence, ascending within a sequence.
    pub positions: &'a [u32],
}

impl Window<'_> {
    /// The keys that a query sees of so many.
    #[inline(always)]
    fn of(&self, query: usize, keys: usize) -> Range<usize> {
        let place = self.positions[query] as usize;
        place.saturating_sub(self.before)..place.saturating_add(self.behind).saturating_add(1).min(keys)
    }
}

/// What is added to the scaled products, by how far a key stands behind its query.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a> {
    /// For each head the values for all distances from `1 - longest` to `longest - 1`.
    pub by_distance: &'a [f32],
    /// The most keys of a sequence.
    pub longest: usize,
    /// The place of each query in its sequence.
    pub positions: &'a [u32],
}

impl Bias<'_> {
    /// How many distances there are.
    pub fn width(&self) -> usize {
        2 * self.longest - 1
    }

    /// The distance of a query's first key, counted from the smallest one.
    #[inline(always)]
    pub(super) fn first(&self, query: usize) -> usize {
        self.longest - 1 - self.positions[query] as usize
    }

    /// What is added for each of these keys of a query.
    #[inline(always)]
    pub fn row(&self, head: usize, query: usize, keys: &Range<usize>) -> &[f32] {
        &self.by_distance[head * self.width() + self.first(query) + keys.start..][..keys.len()]
    }
}

/// Some query heads that look at one key head of one sequence.
pub(super) struct Place {
    pub sequence: usize,
    pub queries: Range<usize>,
    pub keys: Range<usize>,
    pub heads: Range<usize>,
    pub key_head: usize,
}

/// Queries that are taken together.
pub(super) struct Block {
    /// Their rows.
    pub queries: Range<usize>,
    /// The keys that any of them sees, counted within the sequence.
    pub keys: Range<usize>,
}

impl Heads<'_> {
    /// All of the work, in tasks of so many query heads that share a key head; the longest sequences first, so that threads end together.
    pub(super) fn places(&self, heads: usize) -> Vec<Place> {
        let mut sequences: Vec<usize> =
            (0..self.query_spans.count()).filter(|i| !self.query_spans.range(*i).is_empty()).collect();
        sequences.sort_by_key(|i| std::cmp::Reverse(self.query_spans.range(*i).len() * self.key_spans.range(*i).len()));
        let place = |i: usize, head: usize| Place {
            sequence: i,
            queries: self.query_spans.range(i),
            keys: self.key_spans.range(i),
            heads: head..head + heads,
            key_head: head / self.group(),
        };
        sequences.into_iter().flat_map(|i| (0..self.heads).step_by(heads).map(move |head| place(i, head))).collect()
    }

    /// The queries of a sequence in blocks.
    pub(super) fn blocks(&self, place: &Place) -> impl Iterator<Item = Block> {
        let (end, keys) = (place.queries.end, place.keys.len());
        let mut start = place.queries.start;
        std::iter::from_fn(move || {
            let first = start;
            (first < end).then(|| match &self.window {
                None => {
                    start = (first + QUERIES).min(end);
                    Block { queries: first..start, keys: 0..keys }
                }
                Some(window) => {
                    // Queries may be some of the tokens: those of a block stand near each other, however few they are.
                    let beyond = window.positions[first] + QUERIES_OF_WINDOW as u32;
                    let near = window.positions[first..end].iter().take(QUERIES_OF_WINDOW).take_while(|place| **place < beyond);
                    start = first + near.count();
                    Block { queries: first..start, keys: window.of(first, keys).start..window.of(start - 1, keys).end }
                }
            })
        })
    }

    /// The keys of a block that one of its queries sees, counted within the block.
    #[inline(always)]
    pub(super) fn seen(&self, query: usize, place: &Place, block: &Block) -> Range<usize> {
        match &self.window {
            None => 0..block.keys.len(),
            Some(window) => {
                let Range { start, end } = window.of(query, place.keys.len());
                start - block.keys.start..end - block.keys.start
            }
        }
    }
}
