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

/// What queries look at: one layer of caches.
#[derive(Clone, Copy, Debug)]
pub struct CachedKeys<'a, C> {
    /// A cache for each span of queries.
    pub caches: &'a [C],
    /// The layer of the caches.
    pub layer: usize,
    /// How much of what they hold is seen.
    pub window: CachedWindow,
    /// What is added to the scaled products by distance, as in [`Graph::attention_by_distance`].
    pub bias: Option<DistanceBias<'a>>,
}

impl Graph<'_> {
    /// [`attention`](Self::attention) of queries `[queries, heads * head size]` to what caches hold: the queries of a sequence are the last
    /// tokens of what its cache holds, so that keys and values are appended first ([`SequenceCache::append`]). Gives
    /// `[queries, heads * head size]`. The dropout of the options is that of training, and is not looked at.
    ///
    /// One query a sequence is a step of decoding, more are a prompt, or a part of it; spans may mix both.
    ///
    /// # Panics
    /// If the graph is one for training, the shapes, spans, heads and caches do not fit, a sequence has more queries than keys, unless
    /// they see everything, or the bias has another number of heads, or places that are outside of what caches hold.
    pub fn cached_attention<C: Borrow<SequenceCache>>(
        &self,
        query: &Var,
        query_spans: &Spans,
        keys: &CachedKeys<'_, C>,
        options: AttentionOptions,
    ) -> Var {
        assert!(!self.is_training(), "cached_attention: this graph was made for training");
        let hidden = query.tensor.columns();
        let AttentionOptions { heads, key_heads, dropout: _ } = options;
        assert!(heads > 0 && hidden.is_multiple_of(heads), "cached_attention: {heads} heads for queries of width {hidden}");
        assert!(
            key_heads > 0 && heads.is_multiple_of(key_heads),
            "cached_attention: {heads} heads that share {key_heads} key heads"
        );
        let &CachedKeys { caches, layer, window: CachedWindow { before, behind }, bias } = keys;
        assert_eq!(query.tensor.rows(), query_spans.rows(), "cached_attention: queries and their spans");
        assert_eq!(query_spans.count(), caches.len(), "cached_attention: spans and caches");
        let everything = [before, behind] == [usize::MAX; 2];
        let mut lengths = Vec::with_capacity(caches.len());
        let mut sequences = Vec::with_capacity(caches.len());
        for (index, cache) in caches.iter().enumerate() {
            let queries = query_spans.range(index);
            let (keys, of_cache, blocks) = cache.borrow().layer(layer);
            lengths.push(keys);
            if queries.is_empty() {
                continue;
            }
            assert_eq!(of_cache, [key_heads, hidden / heads], "cached_attention: key heads and their size in cache {index}");
            let fit = keys >= queries.len() || (everything && keys > 0);
            assert!(fit, "cached_attention: {} queries and {keys} keys in cache {index}", queries.len());
            sequences.push(Sequence { queries, keys, blocks });
        }
        let bias = bias.map(|bias| bias.by_distance(self.parameters(), heads, [query_spans, &Spans::from_lengths(lengths)]));
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
