//! The way in: token ids to vectors. Knows nothing of texts or tokenizers.

use graftling_tensor::{Graph, ParameterId, Spans, Var};

use super::declarations::Scope;
use super::norm::LayerNorm;
use crate::architecture::{Architecture, Position};
use crate::batch::PackedBatch;

/// The sum of a token's word, position and (where the family has them) token type embeddings, then norm and dropout.
pub(crate) struct Embeddings {
    word: ParameterId,
    position: ParameterId,
    token_type: Option<ParameterId>,
    norm: LayerNorm,
    placing: Position,
}

impl Embeddings {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture) -> Self {
        let size = architecture.hidden_size;
        let Position::Learned { entries, .. } = architecture.position;
        Self {
            word: scope.part("word").weight("weight", &[architecture.vocabulary_size, size]),
            position: scope.part("position").weight("weight", &[entries, size]),
            token_type: architecture.type_vocabulary_size.map(|types| scope.part("token_type").weight("weight", &[types, size])),
            norm: LayerNorm::new(&mut scope.part("norm"), size, architecture.norm_epsilon),
            placing: architecture.position,
        }
    }

    /// Gives `[tokens, hidden_size]`.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch, dropout: f32) -> Var {
        let position_ids = position_ids(&batch.spans, self.placing);
        let mut tables = vec![(self.word, &batch.input_ids[..]), (self.position, &position_ids[..])];
        tables.extend(self.token_type.map(|table| (table, &batch.token_type_ids[..])));
        let sum = graph.embedding_sum(&tables);
        let normed = self.norm.forward(graph, &sum);
        graph.dropout(&normed, dropout)
    }
}

/// The row of the position table for each token: it counts up from the offset in every sequence anew.
fn position_ids(spans: &Spans, placing: Position) -> Vec<u32> {
    let Position::Learned { offset, .. } = placing;
    let longest = spans.lengths().max().unwrap_or(0);
    assert!(longest <= placing.longest(), "embeddings: a sequence of {longest} tokens but only {} positions", placing.longest());
    spans.lengths().flat_map(|length| (offset..offset + length).map(|place| place as u32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_the_offset_in_every_sequence() {
        let spans = Spans::from_lengths([3, 1, 2]);
        assert_eq!(position_ids(&spans, Position::Learned { entries: 3, offset: 0 }), [0, 1, 2, 0, 0, 1]);
        assert_eq!(position_ids(&spans, Position::Learned { entries: 5, offset: 2 }), [2, 3, 4, 2, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "a sequence of 4 tokens but only 3 positions")]
    fn sequences_longer_than_the_positions_are_a_mistake() {
        position_ids(&Spans::from_lengths([4]), Position::Learned { entries: 5, offset: 2 });
    }
}
