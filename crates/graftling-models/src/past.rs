//! What a decoder has read of a text that it continues, beside a text that it may look at. Knows no sampling and no search.

use graftling_tensor::{Graph, PackedWeights, Spans, Tensor};

use crate::batch::PackedBatch;
use crate::model::Model;
use crate::nn::memory::Memory;

/// What a model has read so far of one text: its tokens, and what each layer made of them; and in a model that writes one text from another
/// what it made of the source. A clone is a text that begins alike and may go on otherwise; what both have read is kept once, and so is their source.
#[derive(Clone, Debug, Default)]
pub struct Past {
    tokens: Vec<u32>,
    memory: Memory,
}

impl Past {
    /// Of a text of which nothing is read yet. Where there is a source, a text begins with [`Model::begin`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tokens are read.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether nothing is read yet.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens that are read.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }
}

impl Model {
    /// Reads the sources that a model writes other texts from, each with at least one token: gives for each a text of which nothing is
    /// read or written yet, but with the source in view. Sources may be of any lengths; none sees another.
    ///
    /// # Panics
    /// If the model does not write one text from another, a source is empty or longer than the positions, or an id has no embedding.
    pub fn begin(&self, weights: &PackedWeights<'_>, sources: &[&[u32]]) -> Vec<Past> {
        let batch = packed(sources.iter().copied());
        batch.assert_whole();
        let caches = self.sources(&Graph::inference_packed(weights), &batch);
        caches.into_iter().map(|cache| Past { tokens: Vec::new(), memory: Memory::beside(cache) }).collect()
    }

    /// Reads on in several texts, each with at least one token more, and says of each what comes next: the logits after its last token,
    /// `[texts, vocabulary]`. Texts may be of any lengths; none sees another. What was read before is not computed again.
    ///
    /// # Panics
    /// If the model does not say what comes next, a text gets no token, an id has no embedding, a text gets longer than the positions, or
    /// a text has no source in a model that looks at one.
    pub fn read_on(&self, weights: &PackedWeights<'_>, texts: &mut [(&mut Past, &[u32])]) -> Tensor {
        let new = packed(texts.iter().map(|(_, new)| *new));
        new.assert_whole();
        let read: Vec<usize> = texts.iter().map(|(past, _)| past.len()).collect();
        for (past, new) in texts.iter_mut() {
            past.tokens.extend_from_slice(new);
        }
        let mut memories: Vec<&mut Memory> = texts.iter_mut().map(|(past, _)| &mut past.memory).collect();
        self.next_tokens(&Graph::inference_packed(weights), &new, &read, &mut memories).tensor().clone()
    }
}

/// Texts end to end, each of one segment.
fn packed<'a>(texts: impl Iterator<Item = &'a [u32]> + Clone) -> PackedBatch {
    let spans = Spans::from_lengths(texts.clone().map(<[u32]>::len));
    let input_ids: Vec<u32> = texts.flatten().copied().collect();
    PackedBatch { token_type_ids: vec![0; input_ids.len()], input_ids, spans, wanted: None }
}
