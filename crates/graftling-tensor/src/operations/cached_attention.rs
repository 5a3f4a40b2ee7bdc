//! Attention of new tokens to the keys and values of all tokens of their sequences, which lie in caches: for decoding.

use std::borrow::Borrow;

use super::attention::AttentionOptions;
use super::distance_bias::{ByDistance, DistanceBias};
use crate::graph::{Graph, Var};
use crate::kernels::cached_attention::{CachedHeads, Sequence};
use crate::pool::Buffer;
use crate::sequence_cache::SequenceCache;
use crate::spans::Spans;
use crate::tensor::Tensor;

/// How far queries see of what a cache holds.
#[derive(Clone, Copy, Debug)]
pub struct CachedWindow {
    /// How many keys before its place a query sees; its own it always sees.
    pub before: usize,
    /// How many behind its place.
    pub behind: usize,
}

impl CachedWindow {
    /// All that was read before a query, and nothing that was read behind it: causal attention.
    pub const PAST: Self = Self { before: usize::MAX, behind: 0 };
    /// All that a cache holds, wherever queries stand: attention of a decoder to what an encoder has read.
    pub const EVERYTHING: Self = Self { before: usize::MAX, behind: usize::MAX };
}

impl Graph<'_> {
    /// [`attention`](Self::attention) of queries `[queries, heads * head size]` to one layer of caches, one for each span of queries: the
    /// queries of a sequence are the last tokens of what its cache holds, so that keys and values are appended first
    /// ([`SequenceCache::append`]). Gives `[queries, heads * head size]`.
    ///
    /// One query a sequence is a step of decoding, more are a prompt, or a part of it; spans may mix both.
    ///
    /// # Panics
    /// If the graph is one for training, the shapes, spans, heads and caches do not fit, or a sequence has more queries than keys, unless
    /// they see everything.
    pub fn cached_attention<C: Borrow<SequenceCache>>(
        &self,
        query: &Var,
        query_spans: &Spans,
        caches: &[C],
        layer: usize,
        options: AttentionOptions,
        window: CachedWindow,
    ) -> Var {
        self.attend_to_cached(query, query_spans, (caches, layer), options, (window, None))
    }

    /// The same, with a bias by distance added to the scaled products, as in [`attention_by_distance`](Self::attention_by_distance).
    ///
    /// # Panics
    /// As there, and if the bias has another number of heads, or places that are outside of what caches hold.
    pub fn cached_attention_by_distance<C: Borrow<SequenceCache>>(
        &self,
        query: &Var,
        query_spans: &Spans,
        (caches, layer): (&[C], usize),
        options: AttentionOptions,
        window: CachedWindow,
        bias: &DistanceBias<'_>,
    ) -> Var {
        self.attend_to_cached(query, query_spans, (caches, layer), options, (window, Some(bias)))
    }

    fn attend_to_cached<C: Borrow<SequenceCache>>(
        &self,
        query: &Var,
        query_spans: &Spans,
        (caches, layer): (&[C], usize),
        options: AttentionOptions,
        (window, bias): (CachedWindow, Option<&DistanceBias<'_>>),
    ) -> Var {
        assert!(!self.is_training(), "cached_attention: this graph was made for training");
        let hidden = query.tensor.columns();
        let AttentionOptions { heads, key_heads, dropout: _ } = options;
        assert!(heads > 0 && hidden.is_multiple_of(heads), "cached_attention: {heads} heads for queries of width {hidden}");
        assert!(
            key_heads > 0 && heads.is_multiple_of(key_heads),
            "cached_attention: {heads} heads that share {key_heads} key heads"
        );
        assert_eq!(query.tensor.rows(), query_spans.rows(), "cached_attention: queries and their spans");
        assert_eq!(query_spans.count(), caches.len(), "cached_attention: spans and caches");
        let CachedWindow { before, behind } = window;
        let everything = [before, behind] == [usize::MAX; 2];
        let bias = bias.map(|bias| {
            let keys = Spans::from_lengths(caches.iter().map(|cache| cache.borrow().layer(layer).0));
            bias.by_distance(self.parameters(), heads, [query_spans, &keys])
        });
        let mut sequences = Vec::new();
        for (index, cache) in caches.iter().enumerate() {
            let queries = query_spans.range(index);
            if queries.is_empty() {
                continue;
            }
            let (keys, of_cache, blocks) = cache.borrow().layer(layer);
            assert_eq!(of_cache, [key_heads, hidden / heads], "cached_attention: key heads and their size in cache {index}");
            let fit = keys >= queries.len() || (everything && keys > 0);
            assert!(fit, "cached_attention: {} queries and {keys} keys in cache {index}", queries.len());
            sequences.push(Sequence { queries, keys, blocks });
        }
        let mut output = Buffer::stale(query_spans.rows() * hidden);
        CachedHeads {
            query: query.tensor.values(),
            sequences: &sequences,
            heads,
            key_heads,
            head_size: hidden / heads,
            before,
            behind,
            bias: bias.as_ref().map(ByDistance::view),
        }
        .forward(&mut output);
        self.record(Tensor::from_buffer(query.tensor.shape(), output), None)
    }
}
