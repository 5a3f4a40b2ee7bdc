//! What a model is run over: the token ids of several sequences, end to end. Knows nothing of texts.

use graftling_tensor::Spans;

/// The tokens of several sequences laid end to end, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedBatch {
    /// The token ids, one a row.
    pub input_ids: Vec<u32>,
    /// The segment of each token (0, or 1 in the second text of a pair), one a row.
    pub token_type_ids: Vec<u32>,
    /// Which rows belong to which sequence.
    pub spans: Spans,
    /// The rows that a head over tokens gives logits for, ascending; `None` is all. A head over sequences has one row each.
    pub wanted: Option<Vec<usize>>,
}

impl PackedBatch {
    /// Asserts that ids and spans agree and that no sequence is empty.
    pub(crate) fn assert_whole(&self) {
        let rows = self.spans.rows();
        assert_eq!(self.input_ids.len(), rows, "packed batch: {} input_ids but spans of {rows} rows", self.input_ids.len());
        let types = self.token_type_ids.len();
        assert_eq!(types, rows, "packed batch: {types} token_type_ids but spans of {rows} rows");
        assert!(self.spans.lengths().all(|length| length > 0), "packed batch: a sequence without tokens has no first token");
        if let Some(wanted) = &self.wanted {
            assert!(wanted.is_sorted_by(|left, right| left < right), "packed batch: the rows that are wanted are not ascending");
            assert!(wanted.last().is_none_or(|row| *row < rows), "packed batch: row {:?} is wanted of {rows}", wanted.last());
        }
    }
}
