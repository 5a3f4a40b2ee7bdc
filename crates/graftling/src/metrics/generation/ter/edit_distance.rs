//! The edit distance of two texts within a beam around the diagonal (sacrebleu's `BeamEditDistance`), and how one becomes the other. Knows
//! words by their numbers; no shift.

/// How far from the diagonal edits are looked for.
const BEAM_WIDTH: usize = 25;
/// The distance of what the beam does not reach.
const FAR: u32 = u32::MAX / 2;

/// What is done to the output, a word at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Keep,
    Replace,
    /// A word of the output goes.
    Delete,
    /// A word of the reference comes.
    Insert,
}

/// The distances of the beginnings of a text from those of its reference, kept so that a text that begins alike need not begin anew.
pub(super) struct Distances<'a> {
    reference: &'a [u32],
    /// How many words the text has, and every text that is compared with it.
    length: usize,
    /// Row by row: after so many words of the text, the distance from each beginning of the reference, and the last edit.
    rows: Vec<Vec<(u32, Edit)>>,
}

impl<'a> Distances<'a> {
    pub fn new(text: &[u32], reference: &'a [u32]) -> Self {
        let first = (0..=reference.len()).map(|words| (words as u32, Edit::Insert)).collect();
        let mut distances = Self { reference, length: text.len(), rows: vec![first] };
        for (place, word) in text.iter().enumerate() {
            let mut row = Vec::new();
            distances.next_row(&distances.rows[place], place, *word, &mut row);
            distances.rows.push(row);
        }
        distances
    }

    /// The edits of the whole text.
    pub fn total(&self) -> u32 {
        self.rows[self.length][self.reference.len()].0
    }

    /// The edits of another text of the same words in another order, which is the same for `same` words.
    pub fn of_reordered(&self, text: &[u32], same: usize) -> u32 {
        let (mut row, mut next) = (self.rows[same].clone(), Vec::new());
        for (place, word) in text.iter().enumerate().skip(same) {
            self.next_row(&row, place, *word, &mut next);
            std::mem::swap(&mut row, &mut next);
        }
        row[self.reference.len()].0
    }

    /// The edits from the first word to the last.
    pub fn edits(&self) -> Vec<Edit> {
        let (mut row, mut column, mut edits) = (self.length, self.reference.len(), Vec::new());
        while row > 0 || column > 0 {
            let edit = self.rows[row][column].1;
            edits.push(edit);
            row -= usize::from(edit != Edit::Insert);
            column -= usize::from(edit != Edit::Delete);
        }
        edits.reverse();
        edits
    }

    /// The row after the word at `place`, from the one before it. Of equal ways, keeping and replacing go first, then deleting.
    fn next_row(&self, before: &[(u32, Edit)], place: usize, word: u32, row: &mut Vec<(u32, Edit)>) {
        let columns = self.reference.len();
        let ratio = columns as f64 / self.length as f64;
        // Where one text is much longer, the beams of two neighbouring rows must still meet.
        let width =
            if (BEAM_WIDTH as f64) < ratio / 2.0 { (ratio / 2.0 + BEAM_WIDTH as f64).ceil() as usize } else { BEAM_WIDTH };
        let diagonal = ((place + 1) as f64 * ratio).floor() as usize;
        let end = if place + 1 == self.length { columns + 1 } else { (columns + 1).min(diagonal + width) };
        row.clear();
        row.resize(columns + 1, (FAR, Edit::Insert));
        for column in diagonal.saturating_sub(width)..end {
            if column == 0 {
                row[0] = (before[0].0 + 1, Edit::Delete);
                continue;
            }
            let same = self.reference[column - 1] == word;
            let ways = [
                (before[column - 1].0 + u32::from(!same), if same { Edit::Keep } else { Edit::Replace }),
                (before[column].0 + 1, Edit::Delete),
                (row[column - 1].0 + 1, Edit::Insert),
            ];
            for way in ways {
                if way.0 < row[column].0 {
                    row[column] = way;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_turn_one_text_into_the_other() {
        let distances = Distances::new(&[1, 2, 3], &[1, 4, 3, 5]);
        assert_eq!((distances.total(), distances.edits()), (2, vec![Edit::Keep, Edit::Replace, Edit::Keep, Edit::Insert]));
        assert_eq!(Distances::new(&[], &[7]).edits(), [Edit::Insert]);
        assert_eq!(distances.of_reordered(&[1, 3, 2], 1), Distances::new(&[1, 3, 2], &[1, 4, 3, 5]).total());
    }
}
