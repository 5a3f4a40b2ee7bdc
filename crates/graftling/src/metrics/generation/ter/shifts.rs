//! Runs of words that stand elsewhere in the reference are moved there, one at a time, as long as that saves edits: the greedy search of
//! Tercom as sacrebleu has it (`translation_edit_rate`). Knows words by their numbers.

use std::collections::HashMap;
use std::ops::Range;

use super::edit_distance::{Distances, Edit};

/// The longest run that is moved.
const LONGEST_RUN: usize = 10;
/// How far apart a run may stand in both texts.
const FARTHEST: usize = 50;
/// Moves tried in all, after which the rest is edited where it stands.
const MOST_TRIED: usize = 1000;

/// The fewest edits and shifts found that make the output its reference.
pub(super) fn edits<'a, T: AsRef<str>>(output: &'a [T], reference: &'a [T]) -> usize {
    if reference.is_empty() {
        return output.len();
    }
    let mut numbers = HashMap::new();
    let mut numbered = |words: &'a [T]| -> Vec<u32> {
        let number = |word: &'a T| {
            let next = numbers.len() as u32;
            *numbers.entry(word.as_ref()).or_insert(next)
        };
        words.iter().map(number).collect()
    };
    let (mut output, reference) = (numbered(output), numbered(reference));
    let (mut shifts, mut tried) = (0, 0);
    loop {
        let distances = Distances::new(&output, &reference);
        let best = best_shift(&output, &reference, &distances, &mut tried);
        match best {
            Some(best) if tried < MOST_TRIED && best.saved > 0 => {
                shifts += 1;
                output = best.moved;
            }
            _ => return shifts + distances.total() as usize,
        }
    }
}

/// A run of words moved.
struct Shift {
    /// How many edits fewer the rest takes.
    saved: i64,
    run: Range<usize>,
    target: usize,
    moved: Vec<u32>,
}

impl Shift {
    /// Whether it goes before another: it saves more, is longer, starts earlier, or goes to an earlier place.
    fn is_before(&self, other: &Self) -> bool {
        let rank =
            |shift: &Self| (shift.saved, shift.run.len(), std::cmp::Reverse(shift.run.start), std::cmp::Reverse(shift.target));
        rank(self) > rank(other)
    }
}

/// The best move of a run that is wrong where it stands to a place where the reference has it and the output does not.
fn best_shift(output: &[u32], reference: &[u32], distances: &Distances<'_>, tried: &mut usize) -> Option<Shift> {
    let alignment = Alignment::of(&distances.edits());
    let mut best: Option<Shift> = None;
    for (run, in_reference) in shared_runs(output, reference) {
        let fits = !alignment.output_wrong[run.clone()].contains(&true)
            || !alignment.reference_wrong[in_reference.clone()].contains(&true);
        // A run is not moved within itself.
        let beside = alignment.before[in_reference.start];
        if fits || (beside > run.start && beside <= run.end) {
            continue;
        }
        // In front of the first word of the run in the reference, then behind each of them.
        let first = if in_reference.start == 0 { 0 } else { alignment.before[in_reference.start - 1] };
        let targets = [first].into_iter().chain(in_reference.map(|place| alignment.before[place]));
        let mut last = None;
        for target in targets {
            if last.replace(target) == Some(target) {
                continue;
            }
            let moved = moved(output, &run, target);
            let saved = i64::from(distances.total()) - i64::from(distances.of_reordered(&moved, run.start.min(target)));
            *tried += 1;
            let shift = Shift { saved, run: run.clone(), target, moved };
            if best.as_ref().is_none_or(|best| shift.is_before(best)) {
                best = Some(shift);
            }
        }
        if *tried >= MOST_TRIED {
            break;
        }
    }
    best
}

/// Which words stand across from each other, and which are wrong.
struct Alignment {
    /// How many words of the output stand before or across from each word of the reference.
    before: Vec<usize>,
    output_wrong: Vec<bool>,
    reference_wrong: Vec<bool>,
}

impl Alignment {
    fn of(edits: &[Edit]) -> Self {
        let mut alignment = Self { before: Vec::new(), output_wrong: Vec::new(), reference_wrong: Vec::new() };
        for edit in edits {
            if *edit != Edit::Insert {
                alignment.output_wrong.push(*edit != Edit::Keep);
            }
            if *edit != Edit::Delete {
                alignment.before.push(alignment.output_wrong.len());
                alignment.reference_wrong.push(*edit != Edit::Keep);
            }
        }
        alignment
    }
}

/// Every run of words that both texts have, not too long and not too far apart: its places in the output and in the reference.
fn shared_runs<'a>(output: &'a [u32], reference: &'a [u32]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + 'a {
    let near = |start: usize| start.saturating_sub(FARTHEST)..reference.len().min(start + FARTHEST + 1);
    let starts = (0..output.len()).flat_map(move |start| near(start).map(move |in_reference| (start, in_reference)));
    starts.flat_map(|(start, in_reference)| {
        let pairs = output[start..].iter().zip(&reference[in_reference..]);
        let longest = pairs.take(LONGEST_RUN).take_while(|(word, other)| word == other).count();
        (1..=longest).map(move |length| (start..start + length, in_reference..in_reference + length))
    })
}

/// The words with a run of them moved before the one at `target`; a target within the run moves it on by so many words.
fn moved(words: &[u32], run: &Range<usize>, target: usize) -> Vec<u32> {
    let (before, rest) = words.split_at(run.start);
    let (moved, after) = rest.split_at(run.len());
    if target < run.start {
        return [&before[..target], moved, &before[target..], after].concat();
    }
    let passed = if target > run.end { target - run.end } else { (target - run.start).min(after.len()) };
    [before, &after[..passed], moved, &after[passed..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_moved_as_a_whole() {
        let words = [0, 1, 2, 3, 4, 5];
        for (run, target, expected) in [
            (3..5, 1, [0, 3, 4, 1, 2, 5]),
            (1..3, 5, [0, 3, 4, 1, 2, 5]),
            (1..3, 2, [0, 3, 1, 2, 4, 5]),
            (4..6, 6, [0, 1, 2, 3, 4, 5]),
        ] {
            assert_eq!(moved(&words, &run, target), expected, "{run:?} to {target}");
        }
    }

    #[test]
    fn a_shift_counts_as_one_edit() {
        let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
        for (output, reference, expected) in
            [("a b c d e f", "d e f a b c", 1), ("a b c", "a b c", 0), ("a b c", "x y z", 3), ("b a", "a b", 1)]
        {
            assert_eq!(edits(&words(output), &words(reference)), expected, "{output}");
        }
        assert_eq!((edits(&["a", "b"][..], &[]), edits(&[], &["a"][..])), (2, 1));
    }
}
