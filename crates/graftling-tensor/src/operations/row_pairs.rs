//! Rows of one value compared with the rows of another that stand at the same place.

use super::unit_rows::length;
use crate::graph::{Backward, Graph, Sink, Var};
use crate::tensor::Tensor;

/// Two lengths are multiplied as if neither were less (the `eps` of torch's `cosine_similarity`).
const SHORTEST: f64 = 1e-8;
/// What torch's `pairwise_distance` adds to every difference.
const SHIFT: f64 = 1e-6;

/// What two rows come to; it writes the slopes by each value of either.
type Compare = fn([&[f32]; 2], [&mut [f32]; 2]) -> f64;

impl Graph<'_> {
    /// The cosine of each row of a with the row of b at the same place: both `[rows, hidden]`; gives `[rows, 1]` (torch's
    /// `cosine_similarity`).
    ///
    /// # Panics
    /// If the shapes are not the same.
    pub fn cosine_of_rows(&self, a: &Var, b: &Var) -> Var {
        self.compare_rows(a, b, cosine)
    }

    /// The Euclidean distance of each row of a to the row of b at the same place: both `[rows, hidden]`; gives `[rows, 1]`. As in
    /// torch's `pairwise_distance`, 1e-6 is added to every difference, so that there is a slope where two rows are alike.
    ///
    /// # Panics
    /// If the shapes are not the same.
    pub fn distance_of_rows(&self, a: &Var, b: &Var) -> Var {
        self.compare_rows(a, b, distance)
    }

    fn compare_rows(&self, a: &Var, b: &Var, compare: Compare) -> Var {
        assert_eq!(a.tensor.shape(), b.tensor.shape(), "rows in pairs: shapes");
        let columns = a.tensor.columns().max(1);
        let count = a.tensor.values().len();
        let mut slopes = [vec![0.0; count], vec![0.0; count]];
        let [by_a, by_b] = &mut slopes;
        let rows = a.tensor.values().chunks_exact(columns).zip(b.tensor.values().chunks_exact(columns));
        let slope_rows = by_a.chunks_exact_mut(columns).zip(by_b.chunks_exact_mut(columns));
        let output: Vec<f32> = rows.zip(slope_rows).map(|((a, b), (by_a, by_b))| compare([a, b], [by_a, by_b]) as f32).collect();
        let nodes = [a.node, b.node];
        let backward = self.wants_gradient(&[a, b], &[]).then(|| -> Box<dyn Backward> {
            let slopes = slopes.map(|slopes| Tensor::from_vec(a.tensor.shape(), slopes));
            Box::new(PairsBackward { nodes, slopes })
        });
        self.record(Tensor::from_vec(&[output.len(), 1], output), backward)
    }
}

fn cosine([a, b]: [&[f32]; 2], [by_a, by_b]: [&mut [f32]; 2]) -> f64 {
    let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let [of_a, of_b] = [a, b].map(|row| length(row).max(SHORTEST));
    let cosine = product / (of_a * of_b);
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        let (a, b) = (f64::from(*a) / of_a, f64::from(*b) / of_b);
        by_a[place] = ((b - cosine * a) / of_a) as f32;
        by_b[place] = ((a - cosine * b) / of_b) as f32;
    }
    cosine
}

fn distance([a, b]: [&[f32]; 2], [by_a, by_b]: [&mut [f32]; 2]) -> f64 {
    let differences = || a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b) + SHIFT);
    let distance = differences().map(|difference| difference.powi(2)).sum::<f64>().sqrt();
    for (place, difference) in differences().enumerate() {
        let slope = if distance > 0.0 { difference / distance } else { 0.0 };
        (by_a[place], by_b[place]) = (slope as f32, -slope as f32);
    }
    distance
}

struct PairsBackward {
    nodes: [Option<usize>; 2],
    /// By each value of a and of b.
    slopes: [Tensor; 2],
}

impl Backward for PairsBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        for (node, mut slopes) in self.nodes.into_iter().zip(self.slopes) {
            let columns = slopes.columns().max(1);
            for (row, factor) in slopes.values_mut().chunks_exact_mut(columns).zip(upstream.values()) {
                row.iter_mut().for_each(|slope| *slope *= factor);
            }
            sink.add(node, slopes);
        }
    }
}
