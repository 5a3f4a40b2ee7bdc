//! The keys and values of the tokens that a decoder has read of a sequence. Knows nothing of attention, nor what the tokens are.

use std::ops::Range;
use std::sync::Arc;

use crate::kernels::cached_attention::{Block as BlockView, LANES, TOKENS};
use crate::pool::Buffer;
use crate::tensor::Tensor;

/// The keys and values of one sequence in every layer, to which those of more tokens are appended.
///
/// Tokens lie in blocks that clones share until one of them writes to it: a clone costs a few words a block, and what is copied
/// later is the last block alone. So a beam forks by cloning, and a prompt that many continuations have in common is kept once.
/// Sequences of a batch are caches of their own, so that any may end, and others join, at every step.
///
/// ```
/// use graftling_tensor::{AttentionOptions, CachedKeys, CachedWindow, Graph, Parameters, SequenceCache, Spans, Tensor};
///
/// let parameters = Parameters::new();
/// let graph = Graph::inference(&parameters);
/// let mut cache = SequenceCache::new();
/// // Three tokens of a prompt, with two heads of two values; in a decoder they come from a layer's projections.
/// let prompt = Tensor::from_vec(&[3, 4], (0..12).map(|i| i as f32 / 12.0).collect());
/// cache.append(0, [&prompt, &prompt], 0..3, 2);
/// let mut fork = cache.clone();
/// let token = Tensor::from_vec(&[1, 4], vec![0.5; 4]);
/// fork.append(0, [&token, &token], 0..1, 2);
/// assert_eq!((cache.len(), fork.len()), (3, 4));
///
/// let options = AttentionOptions { heads: 2, key_heads: 2, dropout: 0.0 };
/// let one_token = Spans::from_lengths([1]);
/// let keys = CachedKeys { caches: &[fork], layer: 0, window: CachedWindow::PAST, bias: None };
/// let context = graph.cached_attention(&graph.constant(token), &one_token, &keys, options);
/// assert_eq!(context.tensor().shape(), [1, 4]);
/// ```
#[derive(Clone, Default)]
pub struct SequenceCache {
    layers: Vec<Layer>,
}

#[derive(Clone)]
struct Layer {
    tokens: usize,
    key_heads: usize,
    head_size: usize,
    blocks: Vec<Arc<Block>>,
}

/// Room for the keys and values of [`TOKENS`] tokens. What lies behind the last of them is left over from earlier use.
struct Block {
    /// `[key heads, head size, TOKENS]`.
    keys: Buffer,
    /// `[key heads, TOKENS, head size]`.
    values: Buffer,
}

impl std::fmt::Debug for SequenceCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SequenceCache").field("layers", &self.layers.len()).field("tokens", &self.len()).finish()
    }
}

impl SequenceCache {
    /// Of a sequence of which nothing has been read.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tokens have been read; between passes, for a pass appends to one layer after the other.
    pub fn len(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.tokens)
    }

    /// Whether nothing has been read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends to a layer these rows of keys and values, both `[tokens, key_heads * head size]`. The first pass appends to the layers in order.
    ///
    /// # Panics
    /// If the shapes do not fit each other or what the layer holds, or a layer is left out.
    pub fn append(&mut self, layer: usize, [key, value]: [&Tensor; 2], rows: Range<usize>, key_heads: usize) {
        let width = key.columns();
        assert_eq!(key.shape(), value.shape(), "cache: keys and values");
        assert!(key_heads > 0 && width.is_multiple_of(key_heads), "cache: {key_heads} key heads for keys of width {width}");
        assert!(layer <= self.layers.len(), "cache: layer {layer} before layer {}", self.layers.len());
        let head_size = width / key_heads;
        if layer == self.layers.len() {
            self.layers.push(Layer { tokens: 0, key_heads, head_size, blocks: Vec::new() });
        }
        let layer = &mut self.layers[layer];
        assert_eq!([layer.key_heads, layer.head_size], [key_heads, head_size], "cache: key heads and their size");
        for row in rows {
            let range = row * width..(row + 1) * width;
            layer.push(&key.values()[range.clone()], &value.values()[range]);
        }
    }

    /// Forgets all tokens but the first `tokens`.
    pub fn truncate(&mut self, tokens: usize) {
        for layer in &mut self.layers {
            layer.tokens = layer.tokens.min(tokens);
            layer.blocks.truncate(layer.tokens.div_ceil(TOKENS));
        }
    }

    /// How many keys a layer holds, their heads and the size of those, and the blocks that they lie in.
    pub(crate) fn layer(&self, layer: usize) -> (usize, [usize; 2], Vec<BlockView<'_>>) {
        let Layer { tokens, key_heads, head_size, blocks } =
            self.layers.get(layer).unwrap_or_else(|| panic!("cache: layer {layer} of {}", self.layers.len()));
        let blocks = blocks.iter().map(|block| BlockView { keys: &block.keys, values: &block.values }).collect();
        (*tokens, [*key_heads, *head_size], blocks)
    }
}

impl Layer {
    fn push(&mut self, key: &[f32], value: &[f32]) {
        let at = self.tokens % TOKENS;
        if at == 0 {
            self.blocks.push(Arc::new(Block::of(key.len())));
        }
        let shared = self.blocks.last_mut().expect("a block that is not full");
        if Arc::get_mut(shared).is_none() {
            *shared = Arc::new(shared.copy(at, self.head_size));
        }
        let block = Arc::get_mut(shared).expect("a block of this sequence alone");
        for (to, from) in block.keys[at..].iter_mut().step_by(TOKENS).zip(key) {
            *to = *from;
        }
        for (to, from) in block.values.chunks_exact_mut(TOKENS * self.head_size).zip(value.chunks_exact(self.head_size)) {
            to[at * self.head_size..][..self.head_size].copy_from_slice(from);
        }
        self.tokens += 1;
    }
}

impl Block {
    /// Room for keys and values of this width.
    fn of(width: usize) -> Self {
        let room = || Buffer::stale(width * TOKENS);
        Self { keys: room(), values: room() }
    }

    /// A block of its own with the first `tokens`.
    fn copy(&self, tokens: usize, head_size: usize) -> Self {
        let mut copy = Self::of(self.keys.len() / TOKENS);
        let lanes = tokens.next_multiple_of(LANES);
        for (to, from) in copy.keys.chunks_exact_mut(TOKENS).zip(self.keys.chunks_exact(TOKENS)) {
            to[..lanes].copy_from_slice(&from[..lanes]);
        }
        let (size, filled) = (TOKENS * head_size, tokens * head_size);
        for (to, from) in copy.values.chunks_exact_mut(size).zip(self.values.chunks_exact(size)) {
            to[..filled].copy_from_slice(&from[..filled]);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(count: usize) -> Tensor {
        Tensor::from_vec(&[count, 6], (0..count * 6).map(|i| i as f32).collect())
    }

    fn filled(count: usize) -> SequenceCache {
        let mut cache = SequenceCache::new();
        (0..2).for_each(|layer| cache.append(layer, [&tokens(count); 2], 0..count, 2));
        cache
    }

    #[test]
    fn clones_share_all_blocks_but_those_they_write_to() {
        let parent = filled(2 * TOKENS + 3);
        let mut child = parent.clone();
        child.append(0, [&tokens(5); 2], 1..5, 2);
        let shared = |layer: usize| -> Vec<bool> {
            let blocks = parent.layers[layer].blocks.iter().zip(&child.layers[layer].blocks);
            blocks.map(|(parent, child)| Arc::ptr_eq(parent, child)).collect()
        };
        assert_eq!([shared(0), shared(1)], [vec![true, true, false], vec![true; 3]]);
        assert_eq!((parent.layers[0].tokens, child.layers[0].tokens), (2 * TOKENS + 3, 2 * TOKENS + 7));
    }

    #[test]
    fn a_fork_holds_what_a_sequence_of_its_own_would() {
        for count in [1, 15, 16, 17, TOKENS - 1, TOKENS, TOKENS + 1] {
            let parent = filled(count);
            let mut fork = parent.clone();
            let mut alone = SequenceCache::new();
            for layer in 0..2 {
                fork.append(layer, [&tokens(count + 1); 2], count..count + 1, 2);
                alone.append(layer, [&tokens(count + 1); 2], 0..count + 1, 2);
                assert_eq!(held(&fork, layer), held(&alone, layer), "{count} tokens before the fork");
                assert_eq!(held(&parent, layer), held(&filled(count), layer), "what the fork began with");
            }
        }
    }

    /// The keys and the values of a layer, token for token.
    fn held(cache: &SequenceCache, layer: usize) -> Vec<[Vec<f32>; 2]> {
        let Layer { tokens, head_size, blocks, .. } = &cache.layers[layer];
        let of_token = |token: usize| {
            let (block, at) = (&blocks[token / TOKENS], token % TOKENS);
            let keys = block.keys.iter().skip(at).step_by(TOKENS).copied().collect();
            let values = block.values.chunks_exact(TOKENS * head_size);
            [keys, values.flat_map(|head| &head[at * head_size..(at + 1) * head_size]).copied().collect()]
        };
        (0..*tokens).map(of_token).collect()
    }

    #[test]
    fn a_cache_is_truncated_in_every_layer_and_its_clones_are_not() {
        let whole = filled(2 * TOKENS + 3);
        for tokens in [0, 1, TOKENS, TOKENS + 1, 2 * TOKENS + 3, 500] {
            let mut cut = whole.clone();
            cut.truncate(tokens);
            let expected = tokens.min(whole.len());
            assert_eq!((cut.len(), cut.is_empty(), whole.len()), (expected, expected == 0, 2 * TOKENS + 3));
            assert!(cut.layers.iter().all(|layer| layer.blocks.len() == expected.div_ceil(TOKENS)));
        }
    }

    #[test]
    #[should_panic(expected = "cache: key heads and their size")]
    fn keys_of_other_heads_are_a_mistake() {
        filled(3).append(1, [&tokens(1); 2], 0..1, 3);
    }
}
