//! Scaled dot-product attention within each sequence of a packed batch (Vaswani and others, 2017, equation 1).

use super::distance_bias::{ByDistance, DistanceBias};
use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::attention::{Heads, Window};
use crate::kernels::dropout::DropoutKey;
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
        self.attend([query, key, value], [query_spans, key_spans], options, None, None)
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
        self.attend([query, key, value], [query_spans, key_spans], options, None, (!sees_all).then_some(window))
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
        self.attend([query, key, value], [query_spans, key_spans], options, Some(bias), None)
    }

    fn attend(
        &self,
        [query, key, value]: [&Var; 3],
        [query_spans, key_spans]: [&Spans; 2],
        options: AttentionOptions,
        bias: Option<&DistanceBias<'_>>,
        window: Option<AttentionWindow<'_>>,
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
            bias: bias.map(|bias| bias.by_distance(self.parameters(), heads, [query_spans, key_spans])),
            window: window.map(|AttentionWindow { reach, positions }| (reach, positions.to_vec())),
            normalizers: Buffer::default(),
        };
        let mut normalizers = Buffer::stale(query_spans.rows() * heads);
        let mut output = Buffer::stale(query_spans.rows() * hidden);
        kept.heads().forward(&mut output, &mut normalizers);
        let trained: Vec<_> = bias.map(|bias| bias.table).into_iter().collect();
        let wanted = self.wants_gradient(&[query, key, value], &trained);
        let backward = wanted.then(|| -> Box<dyn Backward> { Box::new(AttentionBackward { normalizers, ..kept }) });
        self.record(Tensor::from_buffer(query.tensor.shape(), output), backward)
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
    bias: Option<ByDistance>,
    /// How far queries see, and where they stand.
    window: Option<(usize, Vec<u32>)>,
    normalizers: Buffer,
}

impl AttentionBackward {
    fn heads(&self) -> Heads<'_> {
        Heads {
            query: self.query.tensor.values(),
            key: self.key.tensor.values(),
            value: self.value.tensor.values(),
            query_spans: &self.query_spans,
            key_spans: &self.key_spans,
            heads: self.heads,
            head_size: self.query.tensor.columns() / self.heads,
            dropout: self.dropout,
            bias: self.bias.as_ref().map(ByDistance::view),
            window: self.window.as_ref().map(|(reach, positions)| Window { reach: *reach, positions }),
        }
    }
}

impl Backward for AttentionBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        // A sequence without queries reaches no task, and its keys' gradients must still be written.
        let all_written = self.query_spans.lengths().all(|queries| queries > 0);
        let buffer = |var: &Var| {
            let len = var.tensor.values().len();
            if all_written { Buffer::stale(len) } else { Buffer::zeroed(len) }
        };
        let (mut query, mut key, mut value) = (buffer(&self.query), buffer(&self.key), buffer(&self.value));
        let distances = self.bias.as_ref().map_or(0, |bias| bias.view().width());
        let mut bias = Buffer::zeroed(self.query_spans.count() * self.heads * distances);
        self.heads().backward(upstream.values(), &self.normalizers, [&mut query, &mut key, &mut value], &mut bias);
        if let Some(by_distance) = &self.bias {
            by_distance.accumulate(&bias, self.heads, sink);
        }
        for (var, gradient) in [(&self.query, query), (&self.key, key), (&self.value, value)] {
            sink.add(var.node, Tensor::from_buffer(var.tensor.shape(), gradient));
        }
    }
}
