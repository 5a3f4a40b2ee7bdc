//! Longest common subsequences. Knows words by their numbers.

/// The length of the longest common subsequence.
pub(super) fn length(one: &[u32], other: &[u32]) -> usize {
    let mut row = vec![0_usize; other.len() + 1];
    for word in one {
        let mut diagonal = 0;
        for (place, found) in other.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = if word == found { diagonal + 1 } else { above.max(row[place]) };
            diagonal = above;
        }
    }
    row[other.len()]
}

/// The places in a line of the reference of one of its longest common subsequences with another: the one that rouge_score reads out
/// (`_backtrack_norec`), from the last word to the first.
pub(super) fn places(line: &[u32], other: &[u32]) -> Vec<usize> {
    let width = other.len() + 1;
    let mut table = vec![0_u32; (line.len() + 1) * width];
    for (row, word) in line.iter().enumerate() {
        for (column, found) in other.iter().enumerate() {
            let here = row * width + column;
            table[here + width + 1] = if word == found { table[here] + 1 } else { table[here + 1].max(table[here + width]) };
        }
    }
    let (mut row, mut column, mut places) = (line.len(), other.len(), Vec::new());
    while row > 0 && column > 0 {
        let here = row * width + column;
        if line[row - 1] == other[column - 1] {
            places.push(row - 1);
            (row, column) = (row - 1, column - 1);
        } else if table[here - 1] > table[here - width] {
            column -= 1;
        } else {
            row -= 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_found_and_told_by_its_places() {
        for (one, other, expected) in
            [(&[1, 2, 3, 4][..], &[2, 4, 3, 4][..], 3), (&[1, 1, 2], &[1, 2, 1], 2), (&[], &[1], 0), (&[1], &[], 0)]
        {
            assert_eq!((length(one, other), places(one, other).len()), (expected, expected), "{one:?} {other:?}");
        }
        assert_eq!(places(&[1, 2, 3, 4], &[2, 4, 3, 4]), [3, 2, 1]);
    }
}
