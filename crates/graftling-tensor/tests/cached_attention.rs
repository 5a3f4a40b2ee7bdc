//! Attention to caches, whatever the pieces that sequences are read in, against attention over whole sequences.

use graftling_tensor::{
    AttentionOptions, AttentionWindow, CachedKeys, CachedWindow, DistanceBias, DistanceBuckets, Graph, Parameters, SequenceCache,
    Spans, Tensor, Var,
};

/// Single-precision sums of at most a few hundred products of values of size one, in another order.
const TOLERANCE: f32 = 1e-5;

/// Values in [-1, 1], from a seed.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    heads: usize,
    key_heads: usize,
    head_size: usize,
}

impl Sizes {
    fn options(self) -> AttentionOptions {
        AttentionOptions { heads: self.heads, key_heads: self.key_heads, dropout: 0.1 }
    }
}

/// Queries, keys and values of a whole sequence.
#[derive(Clone)]
struct Text {
    sizes: Sizes,
    rows: [Vec<f32>; 3],
}

impl Text {
    fn new(sizes: Sizes, tokens: usize, seed: u32) -> Self {
        let Sizes { heads, key_heads, head_size } = sizes;
        let rows =
            [(heads, 0), (key_heads, 1), (key_heads, 2)].map(|(heads, kind)| values(tokens * heads * head_size, 3 * seed + kind));
        Self { sizes, rows }
    }

    fn width(&self, kind: usize) -> usize {
        self.sizes.head_size * if kind == 0 { self.sizes.heads } else { self.sizes.key_heads }
    }

    fn len(&self) -> usize {
        self.rows[0].len() / self.width(0)
    }

    /// Queries, keys and values of some tokens.
    fn tokens(&self, range: std::ops::Range<usize>) -> [Tensor; 3] {
        [0, 1, 2].map(|kind| {
            let width = self.width(kind);
            Tensor::from_vec(&[range.len(), width], self.rows[kind][range.start * width..range.end * width].to_vec())
        })
    }

    /// What each token finds in the tokens that it sees.
    fn attended(&self, graph: &Graph<'_>, window: CachedWindow) -> Vec<f32> {
        let [query, key, value] = self.tokens(0..self.len()).map(|tensor| graph.constant(tensor));
        let spans = Spans::from_lengths([self.len()]);
        let positions: Vec<u32> = (0..self.len() as u32).collect();
        let window = AttentionWindow { before: window.before, behind: window.behind, positions: &positions };
        let found = graph.attention_in_window([&query, &key, &value], [&spans; 2], self.sizes.options(), window);
        found.tensor().to_vec()
    }
}

/// Reads the next tokens of several texts, each up to a place, and gives what they find; layer 1 is read in a model of two.
fn read_on(graph: &Graph<'_>, window: CachedWindow, texts: &mut [(&Text, &mut SequenceCache, usize)]) -> Vec<Vec<f32>> {
    let sizes = texts[0].0.sizes;
    let lengths: Vec<usize> = texts.iter().map(|(_, cache, end)| end - cache.len()).collect();
    let spans = Spans::from_lengths(lengths.iter().copied());
    let pieces: Vec<[Tensor; 3]> = texts.iter().map(|(text, cache, end)| text.tokens(cache.len()..*end)).collect();
    let [query, key, value]: [Var; 3] = [0, 1, 2].map(|kind| {
        let rows: Vec<f32> = pieces.iter().flat_map(|piece| piece[kind].to_vec()).collect();
        graph.constant(Tensor::from_vec(&[spans.rows(), texts[0].0.width(kind)], rows))
    });
    for (index, (_, cache, _)) in texts.iter_mut().enumerate() {
        for layer in [0, 1] {
            cache.append(layer, [key.tensor(), value.tensor()], spans.range(index), sizes.key_heads);
        }
    }
    let caches: Vec<&SequenceCache> = texts.iter().map(|(_, cache, _)| &**cache).collect();
    let keys = CachedKeys { caches: &caches, layer: 1, window, bias: None };
    let found = graph.cached_attention(&query, &spans, &keys, sizes.options()).tensor().to_vec();
    let width = texts[0].0.width(0);
    (0..texts.len()).map(|index| found[spans.range(index).start * width..spans.range(index).end * width].to_vec()).collect()
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < TOLERANCE, "{case}: value {place}: {found} for {expected}");
    }
}

const SIZES: [Sizes; 5] = [
    Sizes { heads: 2, key_heads: 2, head_size: 8 },
    Sizes { heads: 4, key_heads: 2, head_size: 64 },
    Sizes { heads: 6, key_heads: 2, head_size: 20 },
    Sizes { heads: 5, key_heads: 1, head_size: 80 },
    Sizes { heads: 12, key_heads: 1, head_size: 3 },
];

#[test]
fn pieces_of_a_text_find_what_the_whole_text_finds() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let one_by_one: Vec<usize> = (1..=150).collect();
    for sizes in SIZES {
        let text = Text::new(sizes, 150, 1);
        for window in [CachedWindow::PAST, CachedWindow { before: 20, behind: 0 }, CachedWindow { before: 70, behind: 0 }] {
            let expected = text.attended(&graph, window);
            for ends in [&[150][..], &one_by_one, &[1, 64, 65, 129, 150], &[63, 64, 150], &[100, 101, 103, 106, 110, 119, 150]] {
                let mut cache = SequenceCache::new();
                let mut found = Vec::new();
                for end in ends {
                    found.extend(read_on(&graph, window, &mut [(&text, &mut cache, *end)]).remove(0));
                }
                assert_near(&found, &expected, &format!("{sizes:?}, {window:?}, pieces to {ends:?}"));
            }
        }
    }
}

#[test]
fn texts_join_and_end_at_any_step() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    for sizes in SIZES {
        let texts: Vec<Text> = (0..4).map(|index| Text::new(sizes, [70, 3, 150, 40][index], index as u32)).collect();
        let mut caches: Vec<SequenceCache> = vec![SequenceCache::new(); 4];
        let mut found: Vec<Vec<f32>> = vec![Vec::new(); 4];
        // The texts of each step, and up to where they are read: prompts beside single tokens, and a text that waits.
        let mut steps: Vec<Vec<(usize, usize)>> =
            vec![vec![(0, 66), (1, 2)], vec![(0, 67), (1, 3)], vec![(2, 148), (0, 68)], vec![(0, 68), (2, 149), (3, 1)]];
        steps.extend([vec![(3, 40), (2, 150), (0, 70)]]);
        for step in steps {
            let mut batch = Vec::new();
            for (index, cache) in caches.iter_mut().enumerate() {
                if let Some((_, end)) = step.iter().find(|(text, _)| *text == index) {
                    batch.push((&texts[index], cache, *end));
                }
            }
            let mut of_step = read_on(&graph, CachedWindow::PAST, &mut batch).into_iter();
            for (index, found) in found.iter_mut().enumerate() {
                if step.iter().any(|(text, _)| *text == index) {
                    found.extend(of_step.next().expect("a result for each text"));
                }
            }
        }
        for (index, (found, text)) in found.iter().zip(&texts).enumerate() {
            assert_near(found, &text.attended(&graph, CachedWindow::PAST), &format!("{sizes:?}: text {index}"));
        }
    }
}

#[test]
fn a_fork_goes_on_by_itself_and_a_truncated_text_anew() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    for sizes in SIZES {
        let width = sizes.heads * sizes.head_size;
        let text = Text::new(sizes, 140, 1);
        for fork in [1, 63, 64, 70, 128, 130] {
            // Another text with the same beginning.
            let mut other = Text::new(sizes, 140, 2);
            for kind in 0..3 {
                let shared = fork * text.width(kind);
                other.rows[kind][..shared].copy_from_slice(&text.rows[kind][..shared]);
            }
            let mut cache = SequenceCache::new();
            read_on(&graph, CachedWindow::PAST, &mut [(&text, &mut cache, fork)]);
            let mut forked = cache.clone();
            let both = &mut [(&text, &mut cache, 140), (&other, &mut forked, 140)];
            let found = read_on(&graph, CachedWindow::PAST, both);
            cache.truncate(fork);
            let again = read_on(&graph, CachedWindow::PAST, &mut [(&other, &mut cache, 140)]).remove(0);
            let expected = [&text, &other].map(|text| text.attended(&graph, CachedWindow::PAST)[fork * width..].to_vec());
            assert_near(&found[0], &expected[0], &format!("{sizes:?}: the first, from {fork}"));
            assert_near(&found[1], &expected[1], &format!("{sizes:?}: the fork, from {fork}"));
            assert_near(&again, &expected[1], &format!("{sizes:?}: truncated to {fork}"));
        }
    }
}

#[test]
fn queries_may_see_everything_and_be_more_than_the_keys() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    for sizes in SIZES {
        for (queries, count) in [(1, 100), (5, 3), (90, 70)] {
            let [asking, asked] = [(queries, 1), (count, 2)].map(|(tokens, seed)| Text::new(sizes, tokens, seed));
            let [query, ..] = asking.tokens(0..queries);
            let [_, key, value] = asked.tokens(0..count);
            let mut cache = SequenceCache::new();
            cache.append(0, [&key, &value], 0..count, sizes.key_heads);
            let spans = [queries, count].map(|rows| Spans::from_lengths([rows]));
            let [query, key, value] = [query, key, value].map(|tensor| graph.constant(tensor));
            let keys = CachedKeys { caches: &[cache], layer: 0, window: CachedWindow::EVERYTHING, bias: None };
            let found = graph.cached_attention(&query, &spans[0], &keys, sizes.options()).tensor().to_vec();
            let expected = graph.attention(&query, &key, &value, &spans[0], &spans[1], sizes.options()).tensor().to_vec();
            assert_near(&found, &expected, &format!("{sizes:?}, {queries} queries, {count} keys"));
        }
    }
}

#[test]
fn a_bias_by_distance_is_added_whatever_the_pieces() {
    let buckets = DistanceBuckets::Before { buckets: 8, farthest: 50 };
    for sizes in SIZES {
        let mut parameters = Parameters::new();
        let table =
            parameters.add("bias", &[8, sizes.heads], values(8 * sizes.heads, 9).iter().map(|value| 3.0 * value).collect());
        let graph = Graph::inference(&parameters);
        // The other text stands beside it at another place.
        let [text, other] = [(150, 1), (90, 2)].map(|(tokens, seed)| Text::new(sizes, tokens, seed));
        for window in [CachedWindow::PAST, CachedWindow { before: 70, behind: 0 }] {
            let [query, key, value] = text.tokens(0..150).map(|tensor| graph.constant(tensor));
            let (spans, positions) = (Spans::from_lengths([150]), (0..150).collect::<Vec<u32>>());
            let bias = DistanceBias { table, buckets, positions: &positions };
            let in_window = AttentionWindow { before: window.before, behind: window.behind, positions: &positions };
            let expected = graph
                .attention_by_distance_in_window([&query, &key, &value], [&spans; 2], sizes.options(), &bias, in_window)
                .tensor()
                .to_vec();
            for ends in [&[150][..], &[1, 2, 3, 64, 65, 129, 150], &[63, 64, 150]] {
                let (mut found, mut caches, mut read) = (Vec::new(), [SequenceCache::new(), SequenceCache::new()], [0; 2]);
                for end in ends {
                    let ranges = [read[0]..*end, read[1]..(read[1] + 7).min(90)];
                    read = ranges.each_ref().map(|range| range.end);
                    let spans = Spans::from_lengths(ranges.each_ref().map(|range| range.len()));
                    let pieces = [text.tokens(ranges[0].clone()), other.tokens(ranges[1].clone())];
                    for (cache, [_, key, value]) in caches.iter_mut().zip(&pieces) {
                        cache.append(0, [key, value], 0..key.rows(), sizes.key_heads);
                    }
                    let query: Vec<f32> = pieces.iter().flat_map(|[query, ..]| query.to_vec()).collect();
                    let query = graph.constant(Tensor::from_vec(&[spans.rows(), text.width(0)], query));
                    let positions: Vec<u32> = ranges.iter().cloned().flatten().map(|place| place as u32).collect();
                    let bias = DistanceBias { table, buckets, positions: &positions };
                    let keys = CachedKeys { caches: &caches, layer: 0, window, bias: Some(bias) };
                    let of_both = graph.cached_attention(&query, &spans, &keys, sizes.options());
                    found.extend_from_slice(&of_both.tensor().to_vec()[..spans.range(0).len() * text.width(0)]);
                }
                assert_near(&found, &expected, &format!("{sizes:?}, {window:?}, pieces to {ends:?}"));
            }
        }
    }
}

#[test]
#[should_panic(expected = "cached_attention: 2 queries and 1 keys in cache 0")]
fn queries_whose_keys_were_not_appended_are_a_mistake() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let [query, key, value] = Text::new(SIZES[0], 2, 1).tokens(0..2);
    let mut cache = SequenceCache::new();
    cache.append(0, [&key, &value], 0..1, SIZES[0].key_heads);
    let spans = Spans::from_lengths([2]);
    let keys = CachedKeys { caches: &[cache], layer: 0, window: CachedWindow::PAST, bias: None };
    graph.cached_attention(&graph.constant(query), &spans, &keys, SIZES[0].options());
}
