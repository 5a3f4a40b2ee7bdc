//! What attention adds by the distance of query and key: a trained table with a row for each bucket of distances. Knows nothing of
//! queries and keys themselves.

use crate::graph::Sink;
use crate::kernels::attention::Bias;
use crate::operations::distance_buckets::DistanceBuckets;
use crate::parameters::{ParameterId, Parameters};
use crate::spans::Spans;

/// A trained bias of attention.
#[derive(Clone, Copy, Debug)]
pub struct DistanceBias<'a> {
    /// `[buckets, heads]`.
    pub table: ParameterId,
    /// Which distances share a row.
    pub buckets: DistanceBuckets,
    /// The place of each query in its sequence, from 0.
    pub positions: &'a [u32],
}

impl DistanceBias<'_> {
    /// The values for all distances that occur, for each head.
    pub(super) fn by_distance(&self, parameters: &Parameters, heads: usize, [queries, keys]: [&Spans; 2]) -> ByDistance {
        let shape = parameters.shape(self.table);
        assert_eq!(shape, [self.buckets.count(), heads], "attention: a bias by distance of shape {shape:?}");
        assert_eq!(self.positions.len(), queries.rows(), "attention: places of queries");
        for sequence in 0..queries.count() {
            let within =
                self.positions[queries.range(sequence)].iter().all(|place| (*place as usize) < keys.range(sequence).len());
            assert!(within, "attention: the place of a query outside its sequence");
        }
        let longest = keys.lengths().max().unwrap_or(0).max(1);
        let buckets: Vec<usize> = (1 - longest as i64..longest as i64).map(|distance| self.buckets.of(distance)).collect();
        let table = parameters.values(self.table);
        let values = (0..heads).flat_map(|head| buckets.iter().map(move |bucket| table[bucket * heads + head])).collect();
        ByDistance { table: self.table, buckets, values, longest, positions: self.positions.to_vec() }
    }
}

/// A bias laid out by distance.
pub(super) struct ByDistance {
    table: ParameterId,
    /// The bucket of each distance from `1 - longest` on.
    buckets: Vec<usize>,
    /// `[heads, distances]`.
    values: Vec<f32>,
    longest: usize,
    positions: Vec<u32>,
}

impl ByDistance {
    pub fn view(&self) -> Bias<'_> {
        Bias { by_distance: &self.values, longest: self.longest, positions: &self.positions }
    }

    /// Adds up the gradients `[sequences, heads, distances]` by bucket.
    pub fn accumulate(&self, gradient: &[f32], heads: usize, sink: &mut Sink) {
        let distances = self.buckets.len();
        sink.accumulate_parameter(self.table, |table, add| {
            if !add {
                table.fill(0.0);
            }
            for (place, of_head) in gradient.chunks_exact(distances).enumerate() {
                for (value, bucket) in of_head.iter().zip(&self.buckets) {
                    table[bucket * heads + place % heads] += value;
                }
            }
        });
    }
}
