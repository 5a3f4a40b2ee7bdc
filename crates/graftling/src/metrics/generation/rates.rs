//! What outputs look like beside how well they agree with references: exact matches, repetitions, what is copied from the source, how many
//! different words there are. Knows words; no model.

use std::collections::HashMap;

use super::JudgedText;
use super::ngrams::{count, ngrams};
use super::rouge::unicode;
use crate::metrics::answer_words::is_space;

/// Of how many words the runs are that should not come again: seq-rep-4 of Welleck and others ("Neural Text Generation With Unlikelihood
/// Training", 2020), pooled over all outputs.
const REPEATED_ORDER: usize = 4;
/// Of how many words the runs are that are looked for in the source.
const COPIED_ORDER: usize = 2;

/// Whether the output is one of its references, but for white space at both ends.
pub(super) fn is_exact_match(text: &JudgedText<'_>) -> bool {
    text.references.iter().any(|reference| same(reference, text.output))
}

/// The runs of four words that have come before in the same output, and all runs of four words.
pub(super) fn repetition(text: &JudgedText<'_>) -> [f64; 2] {
    let words = unicode(text.output);
    let all = count(words.len(), REPEATED_ORDER);
    [(all - ngrams(&words, REPEATED_ORDER).len()) as f64, all as f64]
}

/// The pairs of words of the output that its source has, all pairs of the output, and whether the output is the source although no
/// reference is.
///
/// # Panics
/// If the text has no source.
pub(super) fn copying(text: &JudgedText<'_>) -> [f64; 3] {
    let source = text.source.expect("what is copied is told of texts with a source");
    let (output, words) = (unicode(text.output), unicode(source));
    let known = ngrams(&words, COPIED_ORDER);
    let copied = output.windows(COPIED_ORDER).filter(|pair| known.contains_key(pair)).count();
    let untranslated = same(source, text.output) && !text.references.iter().any(|reference| same(reference, source));
    [copied as f64, count(output.len(), COPIED_ORDER) as f64, f64::from(u8::from(untranslated))]
}

/// Of how many words the runs are whose different ones are counted: distinct-1 and distinct-2 of Li and others ("A Diversity-Promoting
/// Objective Function for Neural Conversation Models", 2016).
const DISTINCT_ORDERS: [usize; 2] = [1, 2];

/// What the different words and pairs of words of a corpus are counted from.
pub(in crate::metrics) struct DistinctCounts {
    /// Of each text: the words and the pairs of words that no other text has, each counted once, and all its words.
    pub texts: Vec<[f64; 3]>,
    /// The words and the pairs of words that several texts have, each counted once.
    pub shared: [f64; 3],
}

/// Different words and pairs of words, so divided that the figures of all texts are the sums of `texts` with `shared`, and that those without
/// a text have its share taken off, which is how far each text moves them.
pub(super) fn distinct(texts: &[JudgedText<'_>]) -> DistinctCounts {
    let outputs: Vec<Vec<String>> = texts.iter().map(|text| unicode(text.output)).collect();
    let mut counts =
        DistinctCounts { texts: outputs.iter().map(|output| [0.0, 0.0, output.len() as f64]).collect(), shared: [0.0; 3] };
    for (place, order) in DISTINCT_ORDERS.into_iter().enumerate() {
        // The text that has it, or none where several have.
        let mut owners: HashMap<&[String], Option<usize>> = HashMap::new();
        for (text, output) in outputs.iter().enumerate() {
            for ngram in output.windows(order) {
                let owner = owners.entry(ngram).or_insert(Some(text));
                *owner = owner.filter(|owner| *owner == text);
            }
        }
        for owner in owners.into_values() {
            match owner {
                Some(text) => counts.texts[text][place] += 1.0,
                None => counts.shared[place] += 1.0,
            }
        }
    }
    counts
}

/// Distinct-1 and distinct-2 of sums of these counts: how many different words and pairs of words there are for each word; 0 without words.
pub(super) fn distinct_of(sums: &[f64]) -> [f64; 2] {
    [sums[0], sums[1]].map(|different| different / sums[2].max(1.0))
}

fn same(one: &str, other: &str) -> bool {
    one.trim_matches(is_space) == other.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every figure as it says of itself, counted by hand.
    #[test]
    fn rates_are_what_they_say() {
        let references = ["the cat sat".to_owned(), "a cat".to_owned()];
        let text = |output, source| JudgedText { output, references: &references, source: Some(source) };
        assert!(is_exact_match(&text(" a cat\n", "")) && !is_exact_match(&text("A cat", "")));
        assert_eq!(repetition(&text("a b c d a b c d e", "")), [1.0, 6.0]);
        assert_eq!(repetition(&text("no no no", "")), [0.0, 0.0]);
        assert_eq!(repetition(&text("好好好好好", "")), [1.0, 2.0]);
        assert_eq!(copying(&text("The cat sat down", "the cat sat up")), [2.0, 3.0, 0.0]);
        assert_eq!(copying(&text("la la la", "la la")), [2.0, 2.0, 0.0]);
        assert_eq!(copying(&text("le chat ", "le chat")), [1.0, 1.0, 1.0]);
        // What stays the same in the reference, too, is translated.
        assert_eq!(copying(&text("a cat", "a cat"))[2], 0.0);
        let distinct = |texts: &[JudgedText<'_>]| {
            let DistinctCounts { texts, shared } = distinct(texts);
            distinct_of(&texts.iter().fold(shared, |sums, text| [0, 1, 2].map(|place| sums[place] + text[place])))
        };
        assert_eq!(distinct(&[text("a b a b", ""), text("B c", "")]), [0.5, 0.5]);
        assert_eq!(distinct(&[text("。", "")]), [0.0, 0.0]);
    }
}
