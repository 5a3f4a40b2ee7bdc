//! The way in: token ids to vectors. Knows nothing of texts or tokenizers.

use std::borrow::Cow;
use std::collections::HashMap;

use graftling_tensor::{Graph, ParameterId, Spans, Tensor, Var};

use super::declarations::Scope;
use super::linear::Linear;
use super::norm::Norm;
use crate::architecture::{Architecture, Bias, EmbeddingNorm, EmbeddingWidth, Position, SineSpacing, Words};
use crate::batch::PackedBatch;

/// The sum of a token's word and, where the family has them, position, token type and task embeddings, then a norm in most families, dropout, and a
/// projection where embeddings are narrower than layers.
pub(crate) struct Embeddings {
    pub word: ParameterId,
    position: Option<ParameterId>,
    token_type: Option<TokenTypes>,
    /// The table of tasks, of which every text has the first.
    task_type: Option<ParameterId>,
    norm: Option<Norm>,
    projection: Projection,
    placing: Position,
    /// What word embeddings are multiplied with.
    scale: f32,
    padding: Option<u32>,
    no_word: Option<u32>,
}

/// How many tokens of each sequence were read before those of a batch.
pub(crate) enum Before<'a> {
    /// None of any.
    Nothing,
    Tokens(&'a [usize]),
}

impl Before<'_> {
    fn of(&self, sequence: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Tokens(tokens) => tokens[sequence],
        }
    }

    /// The place of each token in its sequence.
    pub fn places(&self, spans: &Spans) -> Vec<u32> {
        let places = |sequence: usize| {
            let first = self.of(sequence) as u32;
            first..first + spans.range(sequence).len() as u32
        };
        (0..spans.count()).flat_map(places).collect()
    }
}

/// Where embeddings that are narrower than layers are projected.
enum Projection {
    None,
    BeforeNorm(Linear),
    Last(Linear),
}

/// The table of segments and how many it has.
struct TokenTypes {
    table: ParameterId,
    entries: usize,
}

impl Embeddings {
    /// `encoder_words` is the table of the encoder that a decoder looks at.
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture, encoder_words: Option<ParameterId>) -> Self {
        let size = architecture.embedding_size();
        let normed = match architecture.embedding {
            EmbeddingWidth::ProjectedFirst(_) => architecture.hidden_size,
            EmbeddingWidth::Hidden | EmbeddingWidth::Projected(_) => size,
        };
        let projection = |scope: &mut Scope<'_>, bias: Bias| {
            Linear::with_bias(&mut scope.part("projection"), size, architecture.hidden_size, bias)
        };
        Self {
            word: match (architecture.layout.words, encoder_words) {
                (Words::OfEncoder, Some(words)) => words,
                (Words::OfEncoder | Words::Own, _) => scope.part("word").weight("weight", &[architecture.vocabulary_size, size]),
            },
            position: match architecture.position {
                Position::Learned { entries, .. } => Some(scope.part("position").weight("weight", &[entries, size])),
                Position::Rotary { .. } | Position::Sinusoidal { .. } | Position::Unembedded => None,
            },
            token_type: architecture
                .type_vocabulary_size
                .map(|entries| TokenTypes { table: scope.part("token_type").weight("weight", &[entries, size]), entries }),
            task_type: architecture.layout.task_types.map(|entries| scope.part("task_type").weight("weight", &[entries, size])),
            norm: match architecture.layout.embedding_norm {
                EmbeddingNorm::Normed => Some(Norm::new(&mut scope.part("norm"), normed, architecture)),
                EmbeddingNorm::Plain => None,
            },
            projection: match architecture.embedding {
                EmbeddingWidth::Hidden => Projection::None,
                EmbeddingWidth::Projected(_) => Projection::Last(projection(scope, Bias::Added)),
                EmbeddingWidth::ProjectedFirst(_) => Projection::BeforeNorm(projection(scope, Bias::Absent)),
            },
            placing: architecture.position,
            scale: architecture.layout.embedding_scale,
            padding: architecture.layout.padding,
            no_word: architecture.layout.no_word,
        }
    }

    /// Gives `[tokens, hidden_size]`. Of each sequence so many tokens were read before.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch, before: &Before<'_>, dropout: f32) -> Var {
        let position_ids = position_ids(batch, before, self.placing);
        let types = self.token_type.as_ref().map(|types| (types.table, segments(batch, types.entries)));
        let mut others: Vec<(ParameterId, &[u32])> = self.position.map(|table| (table, &position_ids[..])).into_iter().collect();
        others.extend(types.iter().map(|(table, ids)| (*table, &ids[..])));
        let first_task = vec![0; batch.input_ids.len()];
        others.extend(self.task_type.map(|table| (table, &first_task[..])));
        let rows_with = |id: Option<u32>| -> Vec<usize> {
            id.map_or_else(Vec::new, |id| (0..batch.input_ids.len()).filter(|row| batch.input_ids[*row] == id).collect())
        };
        let [padded, wordless] = [self.padding, self.no_word].map(rows_with);
        let ids = with_words(&batch.input_ids, &wordless);
        let words = (self.word, &ids[..]);
        let mut sum = if self.scale == 1.0 && padded.is_empty() && wordless.is_empty() {
            graph.embedding_sum(&[&[words], &others[..]].concat())
        } else {
            let words = graph.detached_rows(graph.embedding_sum(&[words]), &padded);
            let words = graph.zeroed_rows(words, &wordless);
            // Where padding has a place of its own that is not trained either.
            let is_detached = matches!(self.placing, Position::Learned { padding: Some(_), .. });
            others.iter().fold(graph.scaled(words, self.scale), |sum, (table, ids)| {
                let rows = graph.embedding_sum(&[(*table, *ids)]);
                let rows = if is_detached && Some(*table) == self.position { graph.detached_rows(rows, &padded) } else { rows };
                graph.residual_sum(&rows, &sum, 0.0)
            })
        };
        if let Position::Sinusoidal { spacing, .. } = self.placing {
            let sines = graph.constant(sines(&before.places(&batch.spans), sum.tensor().columns(), spacing));
            sum = graph.residual_sum(&sines, &sum, 0.0);
        }
        let finish = |sum: &Var| {
            let normed = self.norm.as_ref().map(|norm| norm.forward(graph, sum));
            graph.dropout(normed.as_ref().unwrap_or(sum), dropout)
        };
        match &self.projection {
            Projection::None => finish(&sum),
            Projection::BeforeNorm(projection) => finish(&projection.forward(graph, &sum)),
            Projection::Last(projection) => projection.forward(graph, &finish(&sum)),
        }
    }
}

/// The ids of a batch with any word in place of none.
fn with_words<'a>(input_ids: &'a [u32], wordless: &[usize]) -> Cow<'a, [u32]> {
    let mut ids = Cow::Borrowed(input_ids);
    wordless.iter().for_each(|row| ids.to_mut()[*row] = 0);
    ids
}

/// Of each token the sines of its place over one half of the values, and the cosines over the other: `[tokens, size]`
/// (`MarianSinusoidalPositionalEmbedding` of transformers; `addPositionalEmbeddings` of Marian).
fn sines(places: &[u32], size: usize, spacing: SineSpacing) -> Tensor {
    let half = size.div_ceil(2);
    // How many pairs lie between the first and the one that is 10,000 times slower.
    let steps = match spacing {
        SineSpacing::PastLast => size as f64 / 2.0,
        SineSpacing::ToLast => (half - 1).max(1) as f64,
    };
    let slowness: Vec<f64> = (0..half).map(|pair| 10_000_f64.powf(pair as f64 / steps)).collect();
    let row_of = |place: u32| -> Vec<f32> {
        let angles = || slowness.iter().map(|slowness| f64::from(place) / slowness);
        angles().map(f64::sin).chain(angles().take(size - half).map(f64::cos)).map(|value| value as f32).collect()
    };
    // Sequences have most places in common.
    let mut rows: HashMap<u32, Vec<f32>> = HashMap::new();
    let mut values = Vec::with_capacity(places.len() * size);
    for place in places {
        values.extend_from_slice(rows.entry(*place).or_insert_with_key(|place| row_of(*place)));
    }
    Tensor::from_vec(&[places.len(), size], values)
}

/// The segment of each token; a family that has one only counts all tokens to it, whatever the tokenizer says.
fn segments(batch: &PackedBatch, entries: usize) -> Cow<'_, [u32]> {
    if entries == 1 { Cow::Owned(vec![0; batch.token_type_ids.len()]) } else { Cow::Borrowed(&batch.token_type_ids) }
}

/// The row of the position table for each token: it counts up from the offset in every sequence anew. None where there is no table.
fn position_ids(batch: &PackedBatch, before: &Before<'_>, placing: Position) -> Vec<u32> {
    let spans = &batch.spans;
    let longest = (0..spans.count()).map(|sequence| before.of(sequence) + spans.range(sequence).len()).max().unwrap_or(0);
    if let Some(positions) = placing.longest() {
        assert!(longest <= positions, "embeddings: a sequence of {longest} tokens but only {positions} positions");
    }
    let Position::Learned { offset, padding, .. } = placing else { return Vec::new() };
    let mut ids = Vec::with_capacity(spans.rows());
    for sequence in 0..spans.count() {
        let mut place = (offset + before.of(sequence)) as u32;
        for token in &batch.input_ids[spans.range(sequence)] {
            if padding == Some(*token) {
                ids.push(*token);
            } else {
                ids.push(place);
                place += 1;
            }
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lengths: &[usize], input_ids: &[u32]) -> PackedBatch {
        PackedBatch {
            input_ids: input_ids.to_vec(),
            token_type_ids: vec![0; input_ids.len()],
            spans: Spans::from_lengths(lengths.iter().copied()),
            wanted: None,
        }
    }

    #[test]
    fn positions_count_from_the_offset_in_every_sequence() {
        let batch = batch(&[3, 1, 2], &[7, 1, 8, 9, 9, 9]);
        let placed =
            |entries, offset, padding| position_ids(&batch, &Before::Nothing, Position::Learned { entries, offset, padding });
        assert_eq!(placed(3, 0, None), [0, 1, 2, 0, 0, 1]);
        assert_eq!(placed(5, 2, None), [2, 3, 4, 2, 2, 3]);
        assert_eq!(placed(5, 2, Some(1)), [2, 1, 3, 2, 2, 3], "padding has its own row and no place");
        let learned = Position::Learned { entries: 9, offset: 0, padding: None };
        assert_eq!(position_ids(&batch, &Before::Tokens(&[5, 0, 2]), learned), [5, 6, 7, 0, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "a sequence of 4 tokens but only 3 positions")]
    fn sequences_longer_than_the_positions_are_a_mistake() {
        position_ids(&batch(&[4], &[1, 2, 3, 4]), &Before::Nothing, Position::Learned { entries: 5, offset: 2, padding: None });
    }
}
