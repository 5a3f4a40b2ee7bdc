//! Scaled dot-product attention within each sequence of a packed batch.
use crate::{Graph, Spans, Var};
/// What attention needs to know beside queries, keys and values.
#[derive(Clone, Debug)]
pub struct AttentionOptions {
    /// How many heads the hidden dimension is cut into.
    pub heads: usize,
    /// The probability of dropping an attention weight in training.
    pub dropout: f32,
}
impl Graph<'_> {
    /// `softmax(q k^T / sqrt(head size)) v` for each head within each sequence: q, k, v `[tokens, hidden]`; gives `[tokens, hidden]`.
    pub fn attention(&self, query: &Var, key: &Var, value: &Var, spans: &Spans, options: &AttentionOptions) -> Var {
        unimplemented!()
    }
}
