//! The rows of the table of finite differences for attention with vectors of distances, one for each option.

use graftling_tensor::{AttentionOptions, DistanceBuckets, DistanceVectors, Graph, ParameterId, Var};

use super::{Case, spans};

/// Attention with vectors of distances at these of the inputs, of the buckets that transformers would take.
fn disentangled(
    graph: &Graph,
    ids: &[ParameterId],
    vectors: [Option<usize>; 2],
    queries: &[usize],
    positions: &[u32],
    drop: f32,
) -> Var {
    let buckets = DistanceBuckets::Growing { reach: 4, farthest: 9 };
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    let longest = if queries.len() == 1 { queries[0] as i64 } else { 5 };
    let rows: Vec<u32> = (1 - longest..longest).map(|distance| buckets.of(distance) as u32).collect();
    let [for_queries, for_keys] = vectors.map(|vectors| vectors.map(|i| graph.parameter(ids[i])));
    let distances = DistanceVectors { key: for_queries.as_ref(), query: for_keys.as_ref(), rows: &rows, positions };
    let keys = if queries.len() == 1 { spans(queries) } else { spans(&[3, 1, 5]) };
    let options = AttentionOptions { heads: 2, key_heads: 2, dropout: drop };
    graph.disentangled_attention([&query, &key, &value], [&spans(queries), &keys], options, &distances)
}

const EVERY_PLACE: [u32; 9] = [0, 1, 2, 0, 0, 1, 2, 3, 4];

pub const DISENTANGLED: &[Case] = &[
    Case {
        name: "disentangled attention",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 4], &[8, 4]],
        build: |graph, ids| disentangled(graph, ids, [Some(3), Some(4)], &[3, 1, 5], &EVERY_PLACE, 0.0),
    },
    Case {
        name: "disentangled attention, content to position alone",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 4]],
        build: |graph, ids| disentangled(graph, ids, [Some(3), None], &[3, 1, 5], &EVERY_PLACE, 0.0),
    },
    Case {
        name: "disentangled attention, position to content alone",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 4]],
        build: |graph, ids| disentangled(graph, ids, [None, Some(3)], &[3, 1, 5], &EVERY_PLACE, 0.0),
    },
    Case {
        name: "disentangled attention, neither",
        shapes: &[&[9, 4], &[9, 4], &[9, 4]],
        build: |graph, ids| disentangled(graph, ids, [None, None], &[3, 1, 5], &EVERY_PLACE, 0.0),
    },
    Case {
        name: "disentangled attention, the same vectors for both, with dropout",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 4]],
        build: |graph, ids| disentangled(graph, ids, [Some(3), Some(3)], &[3, 1, 5], &EVERY_PLACE, 0.3),
    },
    Case {
        name: "disentangled attention of some queries with dropout",
        shapes: &[&[4, 4], &[9, 4], &[9, 4], &[8, 4], &[8, 4]],
        build: |graph, ids| disentangled(graph, ids, [Some(3), Some(4)], &[1, 0, 3], &[2, 0, 2, 4], 0.4),
    },
    Case {
        name: "disentangled attention over more queries and keys than blocks hold",
        shapes: &[&[140, 4], &[140, 4], &[140, 4], &[8, 4], &[8, 4]],
        build: |graph, ids| {
            let places: Vec<u32> = (0..140).collect();
            disentangled(graph, ids, [Some(3), Some(4)], &[140], &places, 0.1)
        },
    },
];
