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
    /// How many heads the hidden dimension is cut into.
    pub heads: usize,
    /// The probability of dropping an attention weight in training.
    pub dropout: f32,
}

/// That each query looks at the keys near its own place alone.
#[derive(Clone, Copy, Debug)]
pub struct AttentionWindow<'a> {
    /// How many keys it sees before its place, and how many behind it; its own it always sees.
    pub reach: usize,
    /// The place of each query in its sequence, from 0, ascending within a sequence.
    pub positions: &'a [u32],
}

impl Graph<'_> {
    /// `dropout(softmax(q k^T / sqrt(head size))) v` for each head within each sequence: q `[queries, hidden]`, k and v
    /// `[keys, hidden]`; gives `[queries, hidden]`.
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
        self.attend([query, key, value], [query_spans, key_spans], options, Distances::Unknown)
    }

    /// The same, where each query sees a window of the keys alone (Beltagy and others, "Longformer", 2020, section 3.1). Time and
    /// memory grow with the number of keys times the window, not with its square.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if there is not a place for each query that lies within its sequence, or those of a
    /// sequence do not ascend.
    pub fn attention_in_window(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        window: AttentionWindow<'_>,
    ) -> Var {
        let positions = window.positions;
        assert_eq!(positions.len(), query_spans.rows(), "attention: places of queries");
        for sequence in 0..query_spans.count() {
            let places = &positions[query_spans.range(sequence)];
            assert!(
                places.is_sorted_by(|left, right| left < right),
                "attention: the places of a sequence's queries do not ascend"
            );
            let keys = key_spans.range(sequence).len();
            assert!(
                places.last().is_none_or(|place| (*place as usize) < keys),
                "attention: the place of a query outside its sequence"
            );
        }
        let sees_all = key_spans.lengths().all(|keys| keys <= window.reach + 1);
        let distances = if sees_all { Distances::Unknown } else { Distances::Window(window) };
        self.attend([query, key, value], [query_spans, key_spans], options, distances)
    }

    /// The same, with a trained value added to each scaled product, by how far the key stands behind its query (Raffel and others,
    /// 2020, section 2.1). Nothing is kept of the products, and of the bias as little.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if the table has not one column a head and a row for every bucket, or there is not a
    /// place for each query that lies within its sequence.
    pub fn attention_by_distance(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        bias: &DistanceBias<'_>,
    ) -> Var {
        self.attend([query, key, value], [query_spans, key_spans], options, Distances::Bias(bias))
    }

    /// Disentangled attention (He and others, "DeBERTa", 2021, equation 4): the score of a query and a key is the sum of their product, of
    /// the query's with one vector of their distance, and of the key's with another, over `sqrt(head size * products)`. Either kind of
    /// vectors may be absent; one product less is counted then. Nothing is kept of the products.
    ///
    /// # Panics
    /// As [`attention`](Self::attention); or if a sequence has no keys, the vectors are not as wide as the queries, there is not a row of
    /// them for each distance, or not a place for each query that lies within its sequence.
    pub fn disentangled_attention(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        distances: &DistanceVectors<'_>,
    ) -> Var {
        self.attend([query, key, value], [query_spans, key_spans], options, Distances::Vectors(distances))
    }

    fn attend(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        distances: Distances<'_>,
    ) -> Var {
        let hidden = query.tensor.columns();
        let AttentionOptions { heads, dropout } = options;
        assert!(heads > 0 && hidden.is_multiple_of(heads), "attention: {heads} heads for queries of width {hidden}");
        assert_eq!([key.tensor.columns(), value.tensor.columns()], [hidden; 2], "attention: widths of keys and values");
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
            dropout: self.dropout_key(dropout),
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

/// What attention knows of distances.
#[derive(Clone, Copy)]
enum Distances<'a> {
    Unknown,
    Window(AttentionWindow<'a>),
    Bias(&'a DistanceBias<'a>),
    Vectors(&'a DistanceVectors<'a>),
}

/// The same, as it is kept.
enum KeptDistances {
    Unknown,
    /// How far queries see, and where they stand.
    Window(usize, Vec<u32>),
    Bias(ByDistance),
    Vectors(ByVectors),
}

impl<'a> Distances<'a> {
    fn keep(self, parameters: &Parameters, [heads, hidden]: [usize; 2], spans: [&Spans; 2]) -> KeptDistances {
        match self {
            Self::Unknown => KeptDistances::Unknown,
            Self::Window(AttentionWindow { reach, positions }) => KeptDistances::Window(reach, positions.to_vec()),
            Self::Bias(bias) => KeptDistances::Bias(bias.by_distance(parameters, heads, spans)),
            Self::Vectors(vectors) => KeptDistances::Vectors(vectors.keep(hidden, spans)),
        }
    }

    /// What of it may want a gradient.
    fn inputs(self) -> (Vec<&'a Var>, Vec<ParameterId>) {
        match self {
            Self::Unknown | Self::Window(_) => (Vec::new(), Vec::new()),
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
    dropout: Option<DropoutKey>,
    distances: KeptDistances,
    normalizers: Buffer,
}

impl AttentionBackward {
    fn heads<'a>(&'a self, laid_out: &'a [Option<Buffer>; 2]) -> Heads<'a> {
        let heads = Heads {
            query: self.query.tensor.values(),
            key: self.key.tensor.values(),
            value: self.value.tensor.values(),
            query_spans: &self.query_spans,
            key_spans: &self.key_spans,
            heads: self.heads,
            head_size: self.query.tensor.columns() / self.heads,
            dropout: self.dropout,
            bias: None,
            window: None,
            relative: None,
        };
        match &self.distances {
            KeptDistances::Unknown => heads,
            KeptDistances::Window(reach, positions) => Heads { window: Some(Window { reach: *reach, positions }), ..heads },
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
            KeptDistances::Unknown | KeptDistances::Window(..) => (0, [0, 0]),
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
            KeptDistances::Unknown | KeptDistances::Window(..) => {}
            KeptDistances::Bias(by_distance) => by_distance.accumulate(&bias, self.heads, sink),
            KeptDistances::Vectors(vectors) => vectors.accumulate([&for_queries, &for_keys], &self.key_spans, sink),
        }
        for (var, gradient) in [(&self.query, query), (&self.key, key), (&self.value, value)] {
            sink.add(var.node, Tensor::from_buffer(var.tensor.shape(), gradient));
        }
    }
}
