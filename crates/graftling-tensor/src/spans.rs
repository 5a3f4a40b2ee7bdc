//! Where each sequence of a packed batch begins and ends. Knows nothing of what the rows hold.

/// The boundaries of the sequences that lie end to end in the rows of a packed tensor.
///
/// Sequence `i` holds rows `offsets[i]..offsets[i + 1]` (the `cu_seqlens` of variable-length attention kernels).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    offsets: Vec<usize>,
}

impl Spans {
    /// The spans of sequences with these lengths, laid end to end.
    pub fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length;
            offsets.push(end);
        }
        Self { offsets }
    }

    /// How many sequences there are.
    pub fn count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many rows all sequences have together.
    pub fn rows(&self) -> usize {
        self.offsets[self.count()]
    }

    /// The rows of sequence `index`.
    pub fn range(&self, index: usize) -> std::ops::Range<usize> {
        self.offsets[index]..self.offsets[index + 1]
    }

    /// The first row of every sequence, in order.
    pub fn first_rows(&self) -> Vec<usize> {
        self.offsets[..self.count()].to_vec()
    }

    /// The last row of every sequence, in order.
    ///
    /// # Panics
    /// If a sequence is empty.
    pub fn last_rows(&self) -> Vec<usize> {
        let last = |(index, pair): (usize, &[usize])| {
            assert!(pair[0] < pair[1], "last rows: sequence {index} is empty");
            pair[1] - 1
        };
        self.offsets.windows(2).enumerate().map(last).collect()
    }

    /// The length of every sequence, in order.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.offsets.windows(2).map(|pair| pair[1] - pair[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_lie_end_to_end() {
        let spans = Spans::from_lengths([2, 0, 3]);
        assert_eq!((spans.count(), spans.rows()), (3, 5));
        assert_eq!([spans.range(0), spans.range(1), spans.range(2)], [0..2, 2..2, 2..5]);
        assert_eq!(spans.first_rows(), [0, 2, 2]);
        assert_eq!(spans.lengths().collect::<Vec<_>>(), [2, 0, 3]);
        assert_eq!(Spans::from_lengths([2, 1, 3]).last_rows(), [1, 2, 5]);
    }

    #[test]
    #[should_panic(expected = "last rows: sequence 1 is empty")]
    fn an_empty_sequence_has_no_last_row() {
        Spans::from_lengths([2, 0]).last_rows();
    }
}
