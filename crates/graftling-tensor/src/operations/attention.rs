//! Scaled dot-product attention within each sequence of a packed batch (Vaswani and others, 2017, equation 1).

use super::distance_bias::{ByDistance, DistanceBias};
use super::distance_vectors::{ByVectors, DistanceVectors};
use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::attention::{Heads, Window};
use crate::kernels::dropout::DropoutKey;
use crate::parameters::{ParameterId, Parameters};
use crate::pool::Buffer;
use crate::spans::Spans;
use crate::tensor::Tensor;

/// What attention needs to know beside queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub struct AttentionOptions {
    /// How many heads the queries are cut into.
    pub heads: usize,
    /// How many heads the keys and the values are cut into: as many, or so few that each is shared by as many query heads (Ainslie and
    /// others, "GQA", 2023): query head `h` looks at key head `h / (heads / key_heads)`.
    pub key_heads: usize,
    /// The probability of dropping an attention weight in training.
    pub dropout: f32,
}

/// That each query looks at the keys near its own place alone; or, as in a decoder, at those before it alone.
#[derive(Clone, Copy, Debug)]
pub struct AttentionWindow<'a> {
    /// How many keys it sees before its place, `usize::MAX` for all; its own it always sees.
    pub before: usize,
    /// How many keys it sees behind its place, 0 where attention is causal.
    pub behind: usize,
    /// The place of each query in its sequence, from 0, ascending within a sequence.
    pub positions: &'a [u32],
}

impl Graph<'_> {
    /// `dropout(softmax(q k^T / sqrt(head size))) v` for each head within each sequence: q `[queries, heads * head size]`, k and v
    /// `[keys, key heads * head size]`; gives `[queries, heads * head size]`.
    ///
    /// Sequence `i` of the queries attends to sequence `i` of the keys. The two have the same spans in plain self-attention;
    /// they differ where only some rows' outputs are wanted, and where a decoder attends to an encoder.
    ///
    /// # Panics
    /// If the shapes, spans and heads do not fit, or a sequence has queries but no keys.
    pub fn attention(
        &self,
        query: &Var,
        key: &Var,
        value: &Var,
        query_spans: &Spans,
        key_spans: &Spans,
        options: AttentionOptions,
    ) -> Var {
        self.attend([query, key, value], [query_spans, key_spans], options, Distances::Unknown, None)
    }

    /// The same, where each query sees a window of the keys alone (Beltagy and others, "Longformer", 2020, section 3.1), or those before it.
    /// What no query of a block sees is not computed: time grows with the number of keys times the window, and is halved where
    /// attention is causal.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if there is not a place for each query that lies within its sequence, or those of a
    /// sequence do not ascend.
    pub fn attention_in_window(
        &self,
        tokens: [&Var; 3],
        spans: [&Spans; 2],
        options: AttentionOptions,
        window: AttentionWindow<'_>,
    ) -> Var {
        self.attend(tokens, spans, options, Distances::Unknown, Some(window))
    }

    /// The same, with a trained value added to each scaled product, by how far the key stands behind its query (Raffel and others,
    /// 2020, section 2.1). Nothing is kept of the products, and of the bias as little.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if the table has not one column a head and a row for every bucket, or there is not a
    /// place for each query that lies within its sequence.
    pub fn attention_by_distance(
        &self,
        tokens: [&Var; 3],
        spans: [&Spans; 2],
        options: AttentionOptions,
        bias: &DistanceBias<'_>,
    ) -> Var {
        self.attend(tokens, spans, options, Distances::Bias(bias), None)
    }

    /// The same in a window: what a decoder with a trained bias does.
    ///
    /// # Panics
    /// As [`attention_by_distance`](Self::attention_by_distance) and [`attention_in_window`](Self::attention_in_window).
    pub fn attention_by_distance_in_window(
        &self,
        tokens: [&Var; 3],
        spans: [&Spans; 2],
        options: AttentionOptions,
        bias: &DistanceBias<'_>,
        window: AttentionWindow<'_>,
    ) -> Var {
        self.attend(tokens, spans, options, Distances::Bias(bias), Some(window))
    }

    /// Disentangled attention (He and others, "DeBERTa", 2021, equation 4): the score of a query and a key is the sum of their product, of
    /// the query's with one vector of their distance, and of the key's with another, over `sqrt(head size * products)`. Either kind of
    /// vectors may be absent; one product less is counted then. Nothing is kept of the products.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if key heads are shared, a sequence has no keys, the vectors are not as wide as the queries, there is not a row of
    /// them for each distance, or not a place for each query that lies within its sequence.
    pub fn disentangled_attention(
        &self,
        tokens: [&Var; 3],
        spans: [&Spans; 2],
        options: AttentionOptions,
        distances: &DistanceVectors<'_>,
    ) -> Var {
        assert_eq!(options.heads, options.key_heads, "attention: vectors of distances and shared key heads");
        self.attend(tokens, spans, options, Distances::Vectors(distances), None)
    }

    fn attend(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        distances: Distances<'_>,
        window: Option<AttentionWindow<'_>>,
    ) -> Var {
        let hidden = query.tensor.columns();
        let AttentionOptions { heads, key_heads, dropout } = options;
        assert!(heads > 0 && hidden.is_multiple_of(heads), "attention: {heads} heads for queries of width {hidden}");
        assert!(key_heads > 0 && heads.is_multiple_of(key_heads), "attention: {heads} heads that share {key_heads} key heads");
        let key_hidden = hidden / heads * key_heads;
        assert_eq!([key.tensor.columns(), value.tensor.columns()], [key_hidden; 2], "attention: widths of keys and values");
        assert_eq!(query.tensor.rows(), query_spans.rows(), "attention: queries and their spans");
        assert_eq!([key.tensor.rows(), value.tensor.rows()], [key_spans.rows(); 2], "attention: keys, values and their spans");
        assert_eq!(query_spans.count(), key_spans.count(), "attention: sequences of queries and keys");
        for (queries, keys) in query_spans.lengths().zip(key_spans.lengths()) {
            assert!(queries == 0 || keys > 0, "attention: a sequence with {queries} queries and no keys");
        }
        let kept = AttentionBackward {
            query: query.clone(),
            key: key.clone(),
            value: value.clone(),
            query_spans: query_spans.clone(),
            key_spans: key_spans.clone(),
            heads,
            key_heads,
            dropout: self.dropout_key(dropout),
            window: window.and_then(|window| window.keep([query_spans, key_spans])),
            distances: distances.keep(self.parameters(), [heads, hidden], [query_spans, key_spans]),
            normalizers: Buffer::default(),
        };
        let mut normalizers = Buffer::stale(query_spans.rows() * heads);
        let mut output = Buffer::stale(query_spans.rows() * hidden);
        kept.heads(&kept.distances.laid_out()).forward(&mut output, &mut normalizers);
        let (vectors, trained) = distances.inputs();
        let inputs: Vec<&Var> = [query, key, value].into_iter().chain(vectors).collect();
        let wanted = self.wants_gradient(&inputs, &trained);
        let backward = wanted.then(|| -> Box<dyn Backward> { Box::new(AttentionBackward { normalizers, ..kept }) });
        self.record(Tensor::from_buffer(query.tensor.shape(), output), backward)
    }
}

impl AttentionWindow<'_> {
    /// The window as an attention keeps it; nothing where every query sees all keys.
    fn keep(self, [queries, keys]: [&Spans; 2]) -> Option<KeptWindow> {
        let Self { before, behind, positions } = self;
        assert_eq!(positions.len(), queries.rows(), "attention: places of queries");
        for sequence in 0..queries.count() {
            let places = &positions[queries.range(sequence)];
            assert!(
                places.is_sorted_by(|left, right| left < right),
                "attention: the places of a sequence's queries do not ascend"
            );
            let keys = keys.range(sequence).len();
            assert!(
                places.last().is_none_or(|place| (*place as usize) < keys),
                "attention: the place of a query outside its sequence"
            );
        }
        let sees_all = keys.lengths().all(|keys| keys <= before.min(behind).saturating_add(1));
        (!sees_all).then(|| KeptWindow { before, behind, positions: positions.to_vec() })
    }
}

/// How far queries see, and where they stand.
struct KeptWindow {
    before: usize,
    behind: usize,
    positions: Vec<u32>,
}

/// What attention knows of distances.
#[derive(Clone, Copy)]
enum Distances<'a> {
    Unknown,
    Bias(&'a DistanceBias<'a>),
    Vectors(&'a DistanceVectors<'a>),
}

/// The same, as it is kept.
enum KeptDistances {
    Unknown,
    Bias(ByDistance),
    Vectors(ByVectors),
}

impl<'a> Distances<'a> {
    fn keep(self, parameters: &Parameters, [heads, hidden]: [usize; 2], spans: [&Spans; 2]) -> KeptDistances {
        match self {
            Self::Unknown => KeptDistances::Unknown,
            Self::Bias(bias) => KeptDistances::Bias(bias.by_distance(parameters, heads, spans)),
            Self::Vectors(vectors) => KeptDistances::Vectors(vectors.keep(hidden, spans)),
        }
    }

    /// What of it may want a gradient.
    fn inputs(self) -> (Vec<&'a Var>, Vec<ParameterId>) {
        match self {
            Self::Unknown => (Vec::new(), Vec::new()),
            Self::Bias(bias) => (Vec::new(), vec![bias.table]),
            Self::Vectors(vectors) => (vectors.key.into_iter().chain(vectors.query).collect(), Vec::new()),
        }
    }
}

impl KeptDistances {
    /// The vectors of distances, where there are any.
    fn laid_out(&self) -> [Option<Buffer>; 2] {
        if let Self::Vectors(vectors) = self { vectors.laid_out() } else { [None, None] }
    }
}

/// Keeps queries, keys, values and one number for each row and head; never the attention weights.
struct AttentionBackward {
    query: Var,
    key: Var,
    value: Var,
    query_spans: Spans,
    key_spans: Spans,
    heads: usize,
    key_heads: usize,
    dropout: Option<DropoutKey>,
    window: Option<KeptWindow>,
    distances: KeptDistances,
    normalizers: Buffer,
}

impl AttentionBackward {
    fn heads<'a>(&'a self, laid_out: &'a [Option<Buffer>; 2]) -> Heads<'a> {
        let window = self.window.as_ref();
        let heads = Heads {
            query: self.query.tensor.values(),
            key: self.key.tensor.values(),
            value: self.value.tensor.values(),
            query_spans: &self.query_spans,
            key_spans: &self.key_spans,
            heads: self.heads,
            key_heads: self.key_heads,
            head_size: self.query.tensor.columns() / self.heads,
            dropout: self.dropout,
            bias: None,
            window: window.map(|KeptWindow { before, behind, positions }| Window { before: *before, behind: *behind, positions }),
            relative: None,
        };
        match &self.distances {
            KeptDistances::Unknown => heads,
            KeptDistances::Bias(bias) => Heads { bias: Some(bias.view()), ..heads },
            KeptDistances::Vectors(vectors) => Heads { relative: Some(vectors.view(laid_out)), ..heads },
        }
    }
}

impl Backward for AttentionBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        // A sequence without queries reaches no task, and its keys' gradients must still be written.
        let all_written = self.query_spans.lengths().all(|queries| queries > 0);
        let room = |len: usize| if all_written { Buffer::stale(len) } else { Buffer::zeroed(len) };
        let buffer = |var: &Var| room(var.tensor.values().len());
        let (mut query, mut key, mut value) = (buffer(&self.query), buffer(&self.key), buffer(&self.value));
        let hidden = self.query.tensor.columns();
        let (biases, vectors) = match &self.distances {
            KeptDistances::Unknown => (0, [0, 0]),
            KeptDistances::Bias(bias) => (self.query_spans.count() * self.heads * bias.view().width(), [0, 0]),
            KeptDistances::Vectors(vectors) => (0, vectors.gradient_rows(&self.key_spans).map(|rows| rows * hidden)),
        };
        let mut bias = Buffer::zeroed(biases);
        let [mut for_queries, mut for_keys] = vectors.map(room);
        self.heads(&self.distances.laid_out()).backward(
            upstream.values(),
            &self.normalizers,
            [&mut query, &mut key, &mut value],
            &mut bias,
            [&mut for_queries, &mut for_keys],
        );
        match &self.distances {
            KeptDistances::Unknown => {}
            KeptDistances::Bias(by_distance) => by_distance.accumulate(&bias, self.heads, sink),
            KeptDistances::Vectors(vectors) => vectors.accumulate([&for_queries, &for_keys], &self.key_spans, sink),
        }
        for (var, gradient) in [(&self.query, query), (&self.key, key), (&self.value, value)] {
            sink.add(var.node, Tensor::from_buffer(var.tensor.shape(), gradient));
        }
    }
}
