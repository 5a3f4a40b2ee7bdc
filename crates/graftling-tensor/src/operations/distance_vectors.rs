//! What attention multiplies queries and keys with by their distance: vectors of distances, projected. Knows nothing of where the
//! vectors come from.

use crate::graph::{Sink, Var};
use crate::kernels::relative::Relative;
use crate::kernels::rows::for_blocks;
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

/// Vectors of distances.
#[derive(Clone, Copy, Debug)]
pub struct DistanceVectors<'a> {
    /// What queries are multiplied with (content to position), `[rows, hidden]`.
    pub key: Option<&'a Var>,
    /// What keys are multiplied with (position to content), `[rows, hidden]`.
    pub query: Option<&'a Var>,
    /// The row for each distance from `1 - longest` to `longest - 1`, counted by how far the key stands behind its query, where
    /// `longest` is the most keys of a sequence.
    pub rows: &'a [u32],
    /// The place of each query in its sequence, from 0.
    pub positions: &'a [u32],
}

impl DistanceVectors<'_> {
    pub(super) fn keep(&self, hidden: usize, [queries, keys]: [&Spans; 2]) -> ByVectors {
        let longest = keys.lengths().max().unwrap_or(0).max(1);
        assert_eq!(self.rows.len(), 2 * longest - 1, "attention: rows of distances for {longest} keys");
        assert!(keys.lengths().all(|keys| keys > 0), "attention: vectors of distances and a sequence without keys");
        for vectors in [self.key, self.query].into_iter().flatten() {
            assert_eq!(vectors.tensor.columns(), hidden, "attention: width of the vectors of distances");
            let count = vectors.tensor.rows();
            assert!(self.rows.iter().all(|row| (*row as usize) < count), "attention: a distance without one of {count} vectors");
        }
        assert_eq!(self.positions.len(), queries.rows(), "attention: places of queries");
        for sequence in 0..queries.count() {
            let within =
                self.positions[queries.range(sequence)].iter().all(|place| (*place as usize) < keys.range(sequence).len());
            assert!(within, "attention: the place of a query outside its sequence");
        }
        ByVectors {
            vectors: [self.key.cloned(), self.query.cloned()],
            rows: self.rows.to_vec(),
            positions: self.positions.to_vec(),
            longest,
        }
    }
}

/// Vectors of distances as an attention keeps them.
pub(super) struct ByVectors {
    /// What queries, and what keys are multiplied with.
    pub vectors: [Option<Var>; 2],
    rows: Vec<u32>,
    positions: Vec<u32>,
    longest: usize,
}

impl ByVectors {
    /// The vector of each distance, of both kinds; nothing where there are none of a kind.
    pub fn laid_out(&self) -> [Option<Buffer>; 2] {
        [0, 1].map(|kind| {
            let vectors = &self.vectors[kind].as_ref()?.tensor;
            let columns = vectors.columns();
            let mut laid_out = Buffer::stale(self.rows.len() * columns);
            for (to, row) in laid_out.chunks_exact_mut(columns).zip(&self.rows) {
                to.copy_from_slice(&vectors.values()[*row as usize * columns..][..columns]);
            }
            Some(laid_out)
        })
    }

    pub fn view<'a>(&'a self, [key, query]: &'a [Option<Buffer>; 2]) -> Relative<'a> {
        Relative { key: key.as_deref(), query: query.as_deref(), longest: self.longest, positions: &self.positions }
    }

    /// How many rows the gradients of each kind have that [`accumulate`](Self::accumulate) adds up.
    pub fn gradient_rows(&self, keys: &Spans) -> [usize; 2] {
        [0, 1].map(|kind| self.vectors[kind].as_ref().map_or(0, |_| 2 * keys.rows() - keys.count()))
    }

    /// Adds up the gradients of each sequence's distances, `[gradient rows, hidden]`, by vector.
    pub fn accumulate(&self, gradients: [&[f32]; 2], keys: &Spans, sink: &mut Sink) {
        // For each vector the distances that share it.
        let mut distances = vec![Vec::new(); self.rows.iter().max().map_or(0, |last| *last as usize + 1)];
        for (distance, row) in self.rows.iter().enumerate() {
            distances[*row as usize].push(distance);
        }
        for (vectors, from) in self.vectors.iter().zip(gradients) {
            let Some(vectors) = vectors else { continue };
            let columns = vectors.tensor.columns();
            let mut gradient = Buffer::zeroed(vectors.tensor.values().len());
            for_blocks(
                &mut gradient,
                columns,
                #[inline(always)]
                |first, block| {
                    for (to, distances) in block.chunks_exact_mut(columns).zip(distances.iter().skip(first)) {
                        for sequence in 0..keys.count() {
                            let keys = keys.range(sequence);
                            let (reached, base) =
                                (self.longest - keys.len()..self.longest + keys.len() - 1, 2 * keys.start - sequence);
                            for distance in distances.iter().filter(|distance| reached.contains(distance)) {
                                let from = &from[(base + distance - reached.start) * columns..][..columns];
                                for (to, from) in to.iter_mut().zip(from) {
                                    *to += from;
                                }
                            }
                        }
                    }
                },
            );
            sink.add(vectors.node, Tensor::from_buffer(vectors.tensor.shape(), gradient));
        }
    }
}
