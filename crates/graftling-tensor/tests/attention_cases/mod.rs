//! The rows of the table of finite differences for attention, alone, in windows, causal, with shared key heads and with a trained bias.

use graftling_tensor::{AttentionOptions, AttentionWindow, DistanceBias, DistanceBuckets, Graph, ParameterId, Var};

use super::{Case, spans};

fn attention(graph: &Graph, ids: &[ParameterId], queries: &[usize], keys: &[usize], dropout: f32) -> Var {
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    graph.attention(&query, &key, &value, &spans(queries), &spans(keys), AttentionOptions { heads: 2, key_heads: 2, dropout })
}

fn biased_attention(graph: &Graph, ids: &[ParameterId], queries: &[usize], positions: &[u32], dropout: f32) -> Var {
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    let bias = DistanceBias { table: ids[3], buckets: DistanceBuckets::BothWays { buckets: 8, farthest: 5 }, positions };
    let spans = [&spans(queries), &spans(&[3, 1, 5])];
    graph.attention_by_distance([&query, &key, &value], spans, AttentionOptions { heads: 2, key_heads: 2, dropout }, &bias)
}

fn windowed_attention(
    graph: &Graph,
    ids: &[ParameterId],
    queries: &[usize],
    positions: &[u32],
    [keys, reach]: [usize; 2],
) -> Var {
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    let spans = [&spans(queries), &spans(&[keys, 2])];
    let options = AttentionOptions { heads: 2, key_heads: 2, dropout: 0.2 };
    graph.attention_in_window([&query, &key, &value], spans, options, AttentionWindow { before: reach, behind: reach, positions })
}

/// The places 0, 1, 2 ... of a sequence, and those of one of two tokens behind it.
fn places(length: u32) -> Vec<u32> {
    (0..length).chain([0, 1]).collect()
}

/// The places of queries that are the last tokens of their sequences.
fn last_places(queries: &[usize], keys: &[usize]) -> Vec<u32> {
    queries.iter().zip(keys).flat_map(|(queries, keys)| keys - queries..*keys).map(|place| place as u32).collect()
}

/// Attention of the last tokens of sequences, with so many heads and key heads, to keys so far before and behind them.
fn causal_attention(
    graph: &Graph,
    ids: &[ParameterId],
    [heads, key_heads]: [usize; 2],
    [queries, keys]: [&[usize]; 2],
    [before, behind]: [usize; 2],
) -> Var {
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    let positions = last_places(queries, keys);
    let options = AttentionOptions { heads, key_heads, dropout: 0.2 };
    let window = AttentionWindow { before, behind, positions: &positions };
    graph.attention_in_window([&query, &key, &value], [&spans(queries), &spans(keys)], options, window)
}

/// The same with a trained bias, over sequences of three, one and five keys.
fn causal_biased_attention(
    graph: &Graph,
    ids: &[ParameterId],
    [heads, key_heads]: [usize; 2],
    queries: &[usize],
    [before, behind]: [usize; 2],
) -> Var {
    let [query, key, value] = [0, 1, 2].map(|i| graph.parameter(ids[i]));
    let keys = [3, 1, 5];
    let positions = last_places(queries, &keys);
    let buckets = DistanceBuckets::BothWays { buckets: 8, farthest: 5 };
    let bias = DistanceBias { table: ids[3], buckets, positions: &positions };
    let options = AttentionOptions { heads, key_heads, dropout: 0.2 };
    let window = AttentionWindow { before, behind, positions: &positions };
    graph.attention_by_distance_in_window([&query, &key, &value], [&spans(queries), &spans(&keys)], options, &bias, window)
}

pub const ATTENTION: &[Case] = &[
    Case {
        name: "attention with a bias by distance",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 2]],
        build: |graph, ids| biased_attention(graph, ids, &[3, 1, 5], &[0, 1, 2, 0, 0, 1, 2, 3, 4], 0.0),
    },
    Case {
        name: "attention with a bias by distance and dropout, some queries",
        shapes: &[&[4, 4], &[9, 4], &[9, 4], &[8, 2]],
        build: |graph, ids| biased_attention(graph, ids, &[1, 0, 3], &[2, 0, 2, 4], 0.4),
    },
    Case {
        name: "attention in a window",
        shapes: &[&[11, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[9, 2], &places(9), [9, 2]),
    },
    Case {
        name: "attention in a window of one key",
        shapes: &[&[7, 4], &[7, 4], &[7, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[5, 2], &places(5), [5, 0]),
    },
    Case {
        name: "attention in a window that holds all keys",
        shapes: &[&[5, 4], &[5, 4], &[5, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[3, 2], &places(3), [3, 2]),
    },
    Case {
        name: "attention in a window of some queries, and of none",
        shapes: &[&[3, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[3, 0], &[0, 3, 8], [9, 2]),
    },
    Case {
        name: "attention in a window over more queries than a block holds",
        shapes: &[&[142, 4], &[142, 4], &[142, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[140, 2], &places(140), [140, 20]),
    },
    Case {
        name: "attention in a window of queries far from each other",
        shapes: &[&[4, 4], &[142, 4], &[142, 4]],
        build: |graph, ids| windowed_attention(graph, ids, &[3, 1], &[5, 77, 139, 0], [140, 10]),
    },
    Case { name: "gather", shapes: &[&[5, 3]], build: |graph, ids| graph.gather_rows(&graph.parameter(ids[0]), &[4, 0, 4]) },
    Case {
        name: "attention",
        shapes: &[&[9, 8], &[9, 8], &[9, 8]],
        build: |graph, ids| attention(graph, ids, &[4, 1, 4], &[4, 1, 4], 0.0),
    },
    Case {
        name: "attention with dropout",
        shapes: &[&[9, 8], &[9, 8], &[9, 8]],
        build: |graph, ids| attention(graph, ids, &[2, 7], &[2, 7], 0.3),
    },
    Case {
        name: "attention of some queries, and of none",
        shapes: &[&[3, 8], &[9, 8], &[9, 8]],
        build: |graph, ids| attention(graph, ids, &[1, 0, 2], &[4, 2, 3], 0.0),
    },
    Case {
        name: "attention over more queries than a block holds",
        shapes: &[&[140, 4], &[140, 4], &[140, 4]],
        build: |graph, ids| attention(graph, ids, &[140], &[140], 0.1),
    },
    Case {
        name: "attention, causal",
        shapes: &[&[11, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| causal_attention(graph, ids, [2, 2], [&[9, 2], &[9, 2]], [usize::MAX, 0]),
    },
    Case {
        name: "attention, causal, of the last queries, and of none",
        shapes: &[&[4, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| causal_attention(graph, ids, [2, 2], [&[3, 0, 1], &[6, 3, 2]], [usize::MAX, 0]),
    },
    Case {
        name: "attention, causal in a window",
        shapes: &[&[11, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| causal_attention(graph, ids, [2, 2], [&[9, 2], &[9, 2]], [2, 0]),
    },
    Case {
        name: "attention in a window that is wider behind",
        shapes: &[&[11, 4], &[11, 4], &[11, 4]],
        build: |graph, ids| causal_attention(graph, ids, [2, 2], [&[9, 2], &[9, 2]], [1, 3]),
    },
    Case {
        name: "attention with shared key heads",
        shapes: &[&[9, 8], &[9, 4], &[9, 4]],
        build: |graph, ids| causal_attention(graph, ids, [4, 2], [&[4, 5], &[4, 5]], [usize::MAX; 2]),
    },
    Case {
        name: "attention with one key head, causal, of the last queries",
        shapes: &[&[4, 6], &[9, 2], &[9, 2]],
        build: |graph, ids| causal_attention(graph, ids, [3, 1], [&[1, 3], &[4, 5]], [usize::MAX, 0]),
    },
    Case {
        name: "attention with shared key heads, causal, over more queries than a block holds",
        shapes: &[&[140, 4], &[140, 2], &[140, 2]],
        build: |graph, ids| causal_attention(graph, ids, [2, 1], [&[140], &[140]], [usize::MAX, 0]),
    },
    Case {
        name: "attention with shared key heads, over more queries than a block holds",
        shapes: &[&[140, 4], &[140, 2], &[140, 2]],
        build: |graph, ids| causal_attention(graph, ids, [2, 1], [&[140], &[140]], [usize::MAX; 2]),
    },
    Case {
        name: "attention with a bias by distance, causal",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 2]],
        build: |graph, ids| causal_biased_attention(graph, ids, [2, 2], &[3, 1, 5], [usize::MAX, 0]),
    },
    Case {
        name: "attention with a bias by distance, causal, of the last queries, and of none",
        shapes: &[&[4, 4], &[9, 4], &[9, 4], &[8, 2]],
        build: |graph, ids| causal_biased_attention(graph, ids, [2, 2], &[1, 0, 3], [usize::MAX, 0]),
    },
    Case {
        name: "attention with a bias by distance in a window",
        shapes: &[&[9, 4], &[9, 4], &[9, 4], &[8, 2]],
        build: |graph, ids| causal_biased_attention(graph, ids, [2, 2], &[3, 1, 5], [2, 1]),
    },
    Case {
        name: "attention with a bias by distance and shared key heads",
        shapes: &[&[9, 8], &[9, 4], &[9, 4], &[8, 4]],
        build: |graph, ids| causal_biased_attention(graph, ids, [4, 2], &[3, 1, 5], [usize::MAX; 2]),
    },
    Case {
        name: "attention with a bias by distance and shared key heads, causal",
        shapes: &[&[9, 8], &[9, 4], &[9, 4], &[8, 4]],
        build: |graph, ids| causal_biased_attention(graph, ids, [4, 2], &[3, 1, 5], [usize::MAX, 0]),
    },
];
