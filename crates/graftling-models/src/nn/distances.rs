//! What all layers of an encoder or a decoder share of what they know of distances. Knows no family.

use graftling_tensor::{DistanceBuckets, Graph, ParameterId, Spans, Var};

use super::declarations::Declarations;
use super::norm::Norm;
use crate::architecture::{Architecture, Disentangled, Distance, DistanceNorm};
use crate::facts::Depth;

/// The parameters that all layers share.
pub(crate) enum SharedDistances {
    None,
    /// `[buckets, heads]`.
    Bias(ParameterId),
    Vectors(VectorTable),
}

/// A trained vector for each bucket of distances.
pub(crate) struct VectorTable {
    /// `[buckets, hidden_size]`.
    table: ParameterId,
    norm: Option<Norm>,
    buckets: DistanceBuckets,
    used: bool,
}

/// What the layers are given of it in one pass.
pub(crate) enum Distances {
    Unknown,
    /// The table of a bias.
    Bias(ParameterId),
    Vectors {
        /// The vectors that the sequences of the pass reach, `[reached, hidden_size]`.
        vectors: Var,
        /// Which of them each distance has, from the farthest key before its query to the farthest behind it.
        rows: Vec<u32>,
    },
}

impl SharedDistances {
    pub fn new(declarations: &mut Declarations, architecture: &Architecture) -> Self {
        match architecture.distance {
            Distance::Unknown => Self::None,
            Distance::Biased(buckets) => {
                let mut scope = declarations.scope(&format!("{}.distance_bias", architecture.stack()), Depth::Embeddings);
                Self::Bias(scope.weight("weight", &[buckets.count(), architecture.num_attention_heads]))
            }
            Distance::Disentangled(disentangled) => Self::Vectors(VectorTable::new(declarations, architecture, disentangled)),
        }
    }

    /// What the layers are given in a pass over sequences that lie like this.
    pub fn of_pass(&self, graph: &Graph<'_>, spans: &Spans) -> Distances {
        match self {
            Self::Bias(table) => Distances::Bias(*table),
            Self::Vectors(table) if table.used => table.of_pass(graph, spans),
            Self::None | Self::Vectors(_) => Distances::Unknown,
        }
    }
}

impl VectorTable {
    fn new(declarations: &mut Declarations, architecture: &Architecture, disentangled: Disentangled) -> Self {
        let Disentangled { buckets, vectors, content_to_position, position_to_content, .. } = disentangled;
        let size = architecture.hidden_size;
        let mut scope = declarations.scope("encoder.distance_vectors", Depth::Embeddings);
        Self {
            table: scope.weight("weight", &[buckets.count(), size]),
            norm: match vectors {
                DistanceNorm::Normed => Some(Norm::new(&mut scope.part("norm"), size, architecture)),
                DistanceNorm::Plain => None,
            },
            buckets,
            used: content_to_position || position_to_content,
        }
    }

    /// The rows that no pair of tokens reaches are left out: for short texts they are most of the table.
    fn of_pass(&self, graph: &Graph<'_>, spans: &Spans) -> Distances {
        let longest = spans.lengths().max().unwrap_or(0).max(1) as i64;
        let buckets: Vec<u32> = (1 - longest..longest).map(|distance| self.buckets.of(distance) as u32).collect();
        let first = buckets.iter().min().copied().unwrap_or(0);
        let last = buckets.iter().max().copied().unwrap_or(0);
        let reached: Vec<u32> = (first..=last).collect();
        let vectors = graph.embedding_sum(&[(self.table, &reached)]);
        let vectors = self.norm.as_ref().map_or_else(|| vectors.clone(), |norm| norm.forward(graph, &vectors));
        Distances::Vectors { vectors, rows: buckets.iter().map(|bucket| bucket - first).collect() }
    }
}
