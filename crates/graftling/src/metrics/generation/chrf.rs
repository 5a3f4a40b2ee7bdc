//! chrF and chrF++ (Popovic, 2015 and 2017), to the letter of sacrebleu 2. Knows characters and words; no model.

use super::JudgedText;
use super::ngrams::{count, matches, ngrams};
use super::signature::{Case, signature};
use super::tokenizers::words;
use crate::metrics::answer_words::is_space;

/// The longest n-grams of characters that count.
const CHARACTER_ORDER: usize = 6;
/// How many times as much recall counts as precision.
const BETA: f64 = 2.0;

/// How chrF is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chrf {
    /// Which of the two.
    pub variant: ChrfVariant,
    /// Whether capital letters count as small ones.
    pub lowercase: bool,
}

/// Which n-grams count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChrfVariant {
    /// chrF: of one to six characters, without white space.
    Characters,
    /// chrF++: these, and of one and two words.
    CharactersAndWords,
}

impl ChrfVariant {
    /// The longest n-grams of words that count.
    fn word_order(self) -> usize {
        match self {
            Self::Characters => 0,
            Self::CharactersAndWords => 2,
        }
    }
}

impl Chrf {
    /// Of this kind, capital letters as they are.
    pub fn new(variant: ChrfVariant) -> Self {
        Self { variant, lowercase: false }
    }

    /// The numbers that a text has: for each order n-grams of the output, of the reference, and those in both.
    pub(super) fn width(&self) -> usize {
        3 * (CHARACTER_ORDER + self.variant.word_order())
    }

    /// The figure of texts, in percent: their n-grams are counted together, each text by the reference that it agrees with best.
    pub fn score(&self, texts: &[JudgedText<'_>]) -> f64 {
        self.of(&super::summed(texts, self.width(), |text| self.statistics(text)))
    }

    /// What was done, as sacrebleu writes it, with our version.
    pub fn signature(&self, texts: &[JudgedText<'_>]) -> String {
        let (case, words) = (Case::mixed_unless(self.lowercase), self.variant.word_order());
        signature(texts, &format!("case:{case}|eff:yes|nc:{CHARACTER_ORDER}|nw:{words}|space:no"))
    }

    /// The counts of one text, which add up over texts.
    pub(super) fn statistics(&self, text: &JudgedText<'_>) -> Vec<f64> {
        let output = Parts::of(&self.cased(text.output));
        let of_reference = |reference: &String| {
            let reference = Parts::of(&self.cased(reference));
            let characters = (1..=CHARACTER_ORDER).flat_map(|order| counts(&output.characters, &reference.characters, order));
            let words = (1..=self.variant.word_order()).flat_map(|order| counts(&output.words, &reference.words, order));
            characters.chain(words).collect::<Vec<f64>>()
        };
        let mut best: Option<(f64, Vec<f64>)> = None;
        for counts in text.references.iter().map(of_reference) {
            let score = self.of(&counts);
            if best.as_ref().is_none_or(|(other, _)| score > *other) {
                best = Some((score, counts));
            }
        }
        best.map_or_else(|| vec![0.0; self.width()], |(_, counts)| counts)
    }

    /// The F of counts (`_compute_f_score`): of the means of precision and recall over the orders that output and reference both have.
    pub(super) fn of(&self, counts: &[f64]) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0_f64);
        for order in counts.chunks_exact(3).filter(|order| order[0] > 0.0 && order[1] > 0.0) {
            precision += order[2] / order[0];
            recall += order[2] / order[1];
            orders += 1.0;
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        let factor = BETA * BETA;
        100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
    }

    fn cased(&self, text: &str) -> String {
        if self.lowercase { text.to_lowercase() } else { text.to_owned() }
    }
}

/// What n-grams of a text are made of.
struct Parts {
    /// All but white space.
    characters: Vec<char>,
    words: Vec<String>,
}

impl Parts {
    fn of(text: &str) -> Self {
        Self {
            characters: text.chars().filter(|character| !is_space(*character)).collect(),
            words: words(text).flat_map(without_sign).map(str::to_owned).collect(),
        }
    }
}

/// A word, with one sign of ASCII at its end, or else at its beginning, apart.
fn without_sign(word: &str) -> Vec<&str> {
    let last = word.char_indices().next_back().filter(|(place, sign)| *place > 0 && sign.is_ascii_punctuation());
    let first = word.chars().next().filter(|sign| sign.is_ascii_punctuation() && word.len() > 1);
    match (last, first) {
        (Some((place, _)), _) => vec![&word[..place], &word[place..]],
        (None, Some(_)) => vec![&word[..1], &word[1..]],
        (None, None) => vec![word],
    }
}

/// N-grams of the output, of the reference, and those in both; the output's do not count where the reference has none.
fn counts<T: Eq + std::hash::Hash>(output: &[T], reference: &[T], order: usize) -> [f64; 3] {
    let (of_output, of_reference) = (count(output.len(), order), count(reference.len(), order));
    let shared = matches(&ngrams(output, order), &ngrams(reference, order));
    [if of_reference > 0 { of_output as f64 } else { 0.0 }, of_reference as f64, f64::from(shared)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_of_a_word_stands_apart() {
        for (word, parts) in [
            ("(hi)", &["(hi", ")"][..]),
            ("(hi", &["(", "hi"]),
            ("hi", &["hi"]),
            ("!", &["!"]),
            ("!?", &["!", "?"]),
            ("。", &["。"]),
            ("好,", &["好", ","]),
        ] {
            assert_eq!(without_sign(word), parts, "{word}");
        }
    }
}
