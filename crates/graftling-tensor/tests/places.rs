//! What attention in a window sees, and what turning by place does, against their definitions written out in double precision.

use graftling_tensor::{
    AttentionOptions, AttentionWindow, DistanceBias, DistanceBuckets, Graph, Parameters, RotaryAngles, Spans, Tensor, Var,
};

/// Single-precision sums of a few dozen products of values of size one.
const TOLERANCE: f64 = 1e-5;
const HIDDEN: usize = 8;
const HEADS: usize = 2;
const SIZE: usize = HIDDEN / HEADS;

/// Values in [-1, 1], from a seed.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn rows(graph: &Graph<'_>, [count, columns]: [usize; 2], seed: u32) -> Var {
    graph.constant(Tensor::from_vec(&[count, columns], values(count * columns, seed)))
}

/// Attention of a query, which stands at `place`, to keys that it sees, with what a head adds by the distance of a key.
fn attended(
    query: &[f32],
    [keys, contents]: [&[f32]; 2],
    key_heads: usize,
    place: usize,
    [before, behind]: [usize; 2],
    added: impl Fn(usize, i64) -> f32,
) -> Vec<f64> {
    let width = key_heads * SIZE;
    let seen = |key: &usize| if *key < place { place - key <= before } else { key - place <= behind };
    let near: Vec<usize> = (0..keys.len() / width).filter(seen).collect();
    let mut output = vec![0.0; HIDDEN];
    for head in 0..HEADS {
        let key_head = head / (HEADS / key_heads);
        let value = |from: &[f32], row: usize, column: usize| f64::from(from[row * width + key_head * SIZE + column]);
        let product = |key: usize| (0..SIZE).map(|c| f64::from(query[head * SIZE + c]) * value(keys, key, c)).sum::<f64>();
        let score = |key: usize| product(key) / (SIZE as f64).sqrt() + f64::from(added(head, key as i64 - place as i64));
        let weights: Vec<f64> = near.iter().map(|key| score(*key).exp()).collect();
        for (weight, key) in weights.iter().zip(&near) {
            for column in 0..SIZE {
                output[head * SIZE + column] += weight / weights.iter().sum::<f64>() * value(contents, *key, column);
            }
        }
    }
    output
}

#[test]
fn a_window_holds_the_keys_within_reach_and_no_others() {
    const ALL: usize = usize::MAX;
    let mut parameters = Parameters::new();
    let buckets = DistanceBuckets::BothWays { buckets: 8, farthest: 40 };
    let table = parameters.add("table", &[8, HEADS], values(8 * HEADS, 4));
    let graph = Graph::inference(&parameters);
    let added = |head: usize, distance: i64| parameters.values(table)[buckets.of(distance) * HEADS + head];
    let every_token: Vec<u32> = (0..300).collect();
    // All queries; a few far from each other; some in runs, with more tokens between them than a block has queries.
    let runs: Vec<u32> = (0..40).chain(70..150).chain(290..300).collect();
    for (length, sides, places) in [
        (300, [0, 0], &every_token[..]),
        (300, [3, 3], &every_token),
        (300, [64, 64], &every_token),
        (300, [298, 298], &every_token),
        (300, [400, 400], &every_token),
        (300, [10, 10], &[0]),
        (300, [10, 10], &[0, 63, 64, 128, 299]),
        (300, [10, 10], &runs),
        (65, [10, 10], &every_token[..65]),
        (300, [ALL, 0], &every_token),
        (300, [ALL, ALL], &every_token),
        (300, [0, ALL], &every_token),
        (300, [7, 0], &every_token),
        (300, [2, 90], &runs),
        (300, [ALL, 0], &every_token[220..]),
        (300, [ALL, 0], &every_token[299..]),
        (300, [ALL, 0], &runs),
        (1, [ALL, 0], &every_token[..1]),
    ] {
        for (key_heads, biased) in [(2, false), (1, false), (2, true), (1, true)] {
            let (query_shape, key_shape) = ([places.len(), HIDDEN], [length, key_heads * SIZE]);
            let (query, [key, value]) = (rows(&graph, query_shape, 1), [2, 3].map(|seed| rows(&graph, key_shape, seed)));
            let (tokens, spans) = ([&query, &key, &value], [places.len(), length].map(|rows| Spans::from_lengths([rows])));
            let options = AttentionOptions { heads: HEADS, key_heads, dropout: 0.0 };
            let window = AttentionWindow { before: sides[0], behind: sides[1], positions: places };
            let output = if biased {
                let bias = DistanceBias { table, buckets, positions: places };
                graph.attention_by_distance_in_window(tokens, spans.each_ref(), options, &bias, window)
            } else {
                graph.attention_in_window(tokens, spans.each_ref(), options, window)
            };
            let (output, query, [key, value]) =
                (output.tensor().to_vec(), query.tensor().to_vec(), [key, value].map(|var| var.tensor().to_vec()));
            for (row, place) in places.iter().enumerate() {
                let query = &query[row * HIDDEN..][..HIDDEN];
                let added = |head: usize, distance: i64| if biased { added(head, distance) } else { 0.0 };
                let expected = attended(query, [&key, &value], key_heads, *place as usize, sides, added);
                for (found, expected) in output[row * HIDDEN..][..HIDDEN].iter().zip(expected) {
                    let apart = (f64::from(*found) - expected).abs();
                    let case = format!("{length} keys, {key_heads} heads, {sides:?}, biased: {biased}");
                    assert!(apart < TOLERANCE, "{case}: query {row} at {place}: {found} instead of {expected}");
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "the places of a sequence's queries do not ascend")]
fn places_that_do_not_ascend_are_a_mistake() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let x = rows(&graph, [4, HIDDEN], 1);
    let spans = Spans::from_lengths([4]);
    let window = AttentionWindow { before: 1, behind: 1, positions: &[0, 2, 1, 3] };
    graph.attention_in_window([&x; 3], [&spans; 2], AttentionOptions { heads: 1, key_heads: 1, dropout: 0.0 }, window);
}

#[test]
fn pairs_are_turned_by_place_times_frequency() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let angles = RotaryAngles::new(&[1.0, 0.25], 1.0, 1000);
    let turned = graph.rotary(rows(&graph, [3, HIDDEN], 5), HEADS, &angles, &[0, 1, 999]).tensor().to_vec();
    let before = values(3 * HIDDEN, 5);
    assert_eq!(turned[..HIDDEN], before[..HIDDEN], "place 0 is where everything stays");
    for (row, place) in [(1, 1.0_f64), (2, 999.0)] {
        for head in 0..HEADS {
            for (pair, frequency) in [(0, 1.0), (1, 0.25)] {
                let left = row * HIDDEN + head * SIZE + pair;
                let (x, y) = (f64::from(before[left]), f64::from(before[left + SIZE / 2]));
                let (sine, cosine) = (place * frequency).sin_cos();
                for (at, expected) in [(left, x * cosine - y * sine), (left + SIZE / 2, y * cosine + x * sine)] {
                    let found = f64::from(turned[at]);
                    assert!((found - expected).abs() < TOLERANCE, "value {at}: {found} instead of {expected}");
                }
            }
        }
    }
}

#[test]
fn products_of_what_is_turned_know_the_distance_alone() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let angles = RotaryAngles::new(&[1.0, 0.03, 0.001], 1.0, 8192);
    // The last two values of each head have no angles.
    let turned = |place: u32, seed: u32| graph.rotary(rows(&graph, [1, HIDDEN], seed), 1, &angles, &[place]).tensor().to_vec();
    let product =
        |left: u32, right: u32| -> f64 { turned(left, 7).iter().zip(turned(right, 8)).map(|(x, y)| f64::from(x * y)).sum() };
    // An angle of thousands is known to 1e-4 in single precision.
    for (left, right) in [(10, 17), (500, 507), (4000, 4007)] {
        assert!((product(left, right) - product(0, 7)).abs() < 1e-3, "{left}, {right}");
    }
    assert!((product(0, 8) - product(0, 7)).abs() > 1e-2, "another distance has another product");
}
