//! What a decoder has read of a text that it continues. Knows no sampling and no search.

use graftling_tensor::{Graph, PackedWeights, SequenceCache, Spans, Tensor};

use crate::batch::PackedBatch;
use crate::head::Head;
use crate::model::Model;

/// What a model has read so far of one text: its tokens, and what each layer made of them. A clone is a text that begins alike and may go
/// on otherwise; what both have read is kept once.
#[derive(Clone, Debug, Default)]
pub struct Past {
    tokens: Vec<u32>,
    cache: SequenceCache,
}

impl Past {
    /// Of a text of which nothing is read yet.
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
    /// Reads on in several texts, each with at least one token more, and says of each what comes next: the logits after its last token,
    /// `[texts, vocabulary]`. Texts may be of any lengths; none sees another. What was read before is not computed again.
    ///
    /// # Panics
    /// If the model is no causal language model, a text gets no token, an id has no embedding, or a text gets longer than the positions.
    pub fn read_on(&self, weights: &PackedWeights<'_>, texts: &mut [(&mut Past, &[u32])]) -> Tensor {
        assert_eq!(*self.head(), Head::CausalLanguageModelling, "read_on: no causal language model");
        let batch = |texts: &mut [(&mut Past, &[u32])], tokens: fn(&Past, usize) -> Vec<u32>| {
            let ids: Vec<Vec<u32>> = texts.iter().map(|(past, new)| tokens(past, new.len())).collect();
            let spans = Spans::from_lengths(ids.iter().map(Vec::len));
            let wanted = Some((0..spans.count()).map(|text| spans.range(text).end - 1).collect());
            PackedBatch { token_type_ids: vec![0; spans.rows()], input_ids: ids.concat(), spans, wanted }
        };
        for (past, new) in texts.iter_mut() {
            past.tokens.extend_from_slice(new);
        }
        let new = batch(texts, |past, count| past.tokens[past.tokens.len() - count..].to_vec());
        new.assert_whole();
        let graph = Graph::inference_packed(weights);
        let mut caches: Vec<&mut SequenceCache> = texts.iter_mut().map(|(past, _)| &mut past.cache).collect();
        if let Some(logits) = self.read_cached(&graph, &new, &mut caches) {
            return logits.tensor().clone();
        }
        self.forward(&graph, &batch(texts, |past, _| past.tokens.clone())).tensor().clone()
    }
}
