//! What a decoder has read of a text that it continues. Knows no sampling and no search.

use graftling_tensor::{Graph, PackedWeights, Spans, Tensor};

use crate::batch::PackedBatch;
use crate::model::Model;

/// The tokens of one text that a model has read so far. A clone is a text that begins alike and may go on otherwise.
#[derive(Clone, Debug, Default)]
pub struct Past {
    tokens: Vec<u32>,
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
}

impl Model {
    /// Reads on in several texts, each with at least one token more, and says of each what comes next: the logits after its last token,
    /// `[texts, vocabulary]`. Texts may be of any lengths; none sees another.
    ///
    /// # Panics
    /// If the model is no causal language model, a text gets no token, an id has no embedding, or a text gets longer than the positions.
    pub fn read_on(&self, weights: &PackedWeights<'_>, texts: &mut [(&mut Past, &[u32])]) -> Tensor {
        for (past, tokens) in texts.iter_mut() {
            past.tokens.extend_from_slice(tokens);
        }
        let spans = Spans::from_lengths(texts.iter().map(|(past, _)| past.len()));
        let rows = spans.rows();
        let batch = PackedBatch {
            input_ids: texts.iter().flat_map(|(past, _)| past.tokens.iter().copied()).collect(),
            token_type_ids: vec![0; rows],
            wanted: Some((0..spans.count()).map(|text| spans.range(text).end - 1).collect()),
            spans,
        };
        let graph = Graph::inference_packed(weights);
        self.forward(&graph, &batch).tensor().clone()
    }
}
