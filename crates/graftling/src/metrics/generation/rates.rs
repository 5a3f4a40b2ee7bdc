//! What outputs look like beside how well they agree with references: exact matches, repetitions, what is copied from the source, how many
//! different words there are. Knows words; no model.

use std::collections::HashSet;

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

/// Distinct-1 and distinct-2 (Li and others, "A Diversity-Promoting Objective Function for Neural Conversation Models", 2016): how many
/// different words and pairs of words all outputs have together, for each of their words; 0 without words.
pub(super) fn distinct(texts: &[JudgedText<'_>]) -> [f64; 2] {
    let outputs: Vec<Vec<String>> = texts.iter().map(|text| unicode(text.output)).collect();
    let words: usize = outputs.iter().map(Vec::len).sum();
    let different = |order| outputs.iter().flat_map(|output| output.windows(order)).collect::<HashSet<_>>().len();
    [1, 2].map(|order| different(order) as f64 / words.max(1) as f64)
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
        assert_eq!(distinct(&[text("a b a b", ""), text("B c", "")]), [0.5, 0.5]);
        assert_eq!(distinct(&[text("。", "")]), [0.0, 0.0]);
    }
}
