//! How well the second texts of pairs are found by the first: every first one is compared with every second one. Knows no text.

use graftling_tensor::{Graph, Parameters, Tensor, Var};

use crate::metrics::place_of_first;

/// How many queries are compared with all candidates at a time.
const QUERIES_TOGETHER: usize = 256;

/// The place, from 0, of each first text's own candidate among all, and how many candidates there are: of pairs of vectors whose texts
/// have these numbers, which are given out in the order in which the texts first occur.
pub(crate) fn places(pairs: &[[&[f32]; 2]], identities: &[[usize; 2]]) -> (Vec<usize>, u64) {
    let [queries, candidates] = [0, 1].map(|side| {
        let mut distinct: Vec<&[f32]> = Vec::new();
        for (pair, identity) in pairs.iter().zip(identities) {
            if identity[side] == distinct.len() {
                distinct.push(pair[side]);
            }
        }
        distinct
    });
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); queries.len()];
    for [query, candidate] in identities {
        own[*query].push(*candidate);
    }
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let rows = |vectors: &[&[f32]]| -> Var {
        let columns = vectors.first().map_or(0, |vector| vector.len());
        let tensor = Tensor::from_vec(&[vectors.len(), columns], vectors.concat());
        graph.unit_rows(&graph.constant(tensor))
    };
    let all = rows(&candidates);
    let mut places = Vec::with_capacity(queries.len());
    for (queries, own) in queries.chunks(QUERIES_TOGETHER).zip(own.chunks(QUERIES_TOGETHER)) {
        let cosines = graph.row_products(&rows(queries), &all, 1.0).tensor().to_vec();
        places.extend(cosines.chunks_exact(candidates.len().max(1)).zip(own).map(|(cosines, own)| place_of_first(cosines, own)));
    }
    (places, candidates.len() as u64)
}
