//! ROUGE (Lin, 2004), to the letter of rouge_score 0.1.2: shared words, pairs of words, and common subsequences. Knows words; no model.

mod porter;
mod subsequence;
mod words;

use std::collections::HashMap;

use super::JudgedText;
use super::ngrams::{count, matches, ngrams};
use super::signature::signature;
use words::Words;
pub(super) use words::unicode;

/// How ROUGE is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rouge {
    /// What a word is.
    pub tokenizer: RougeTokenizer,
    /// Whether English words of more than three letters are compared by their stems (Porter's, as NLTK has it).
    pub stemmer: bool,
}

/// What a word is, in small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RougeTokenizer {
    /// `unicode`: letters, marks and numbers of any script in a row; each Chinese character and each kana by itself. The words of a text in
    /// ASCII are those of `rouge_score`.
    #[default]
    Unicode,
    /// `rouge_score`: `a` to `z` and digits in a row; all else parts words. A text of other letters has no words, and what is empty
    /// agrees with nothing: two equal Chinese sentences have a ROUGE of 0.
    RougeScore,
}

/// How far the words of an output and a reference agree.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct RougeScore {
    /// The share of the output's that the reference has.
    pub precision: f64,
    /// The share of the reference's that the output has.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

/// The kinds of ROUGE, each a mean over texts.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct RougeScores {
    /// Of words.
    pub rouge1: RougeScore,
    /// Of pairs of words.
    pub rouge2: RougeScore,
    /// Of the longest common subsequence.
    pub rouge_l: RougeScore,
    /// Of the longest common subsequences of each line of the reference with all lines of the output.
    pub rouge_lsum: RougeScore,
}

impl RougeTokenizer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Unicode, Self::RougeScore];
    /// What they are called.
    pub const WORDS: [&'static str; 2] = ["unicode", "rouge_score"];

    /// What it is called.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Rouge {
    /// The numbers that a text has: precision, recall and F1 of each kind.
    pub(super) const WIDTH: usize = 12;

    /// The means over texts, of each text and kind by the reference with the highest F1 (`score_multi`); 0 without texts.
    pub fn score(&self, texts: &[JudgedText<'_>]) -> RougeScores {
        RougeScores::of(&super::summed(texts, Self::WIDTH, |text| self.statistics(text)), texts.len().max(1) as f64)
    }

    /// What was done, in the manner of sacrebleu.
    pub fn signature(&self, texts: &[JudgedText<'_>]) -> String {
        let stem = if self.stemmer { "porter" } else { "no" };
        signature(texts, &format!("tok:{}|stem:{stem}", self.tokenizer.word()))
    }

    /// The scores of one text, which add up over texts.
    pub(super) fn statistics(&self, text: &JudgedText<'_>) -> Vec<f64> {
        let mut words = Words::new(*self);
        let output = words.lines(text.output);
        let mut best = [RougeScore::default(); 4];
        for reference in text.references {
            let scores = scores(&output, &words.lines(reference));
            for (best, score) in best.iter_mut().zip(scores) {
                if score.f1 > best.f1 {
                    *best = score;
                }
            }
        }
        best.iter().flat_map(|score| [score.precision, score.recall, score.f1]).collect()
    }
}

impl RougeScores {
    /// The means of sums over so many texts.
    pub(super) fn of(sums: &[f64], texts: f64) -> Self {
        let score = |place: usize| {
            let [precision, recall, f1] = [0, 1, 2].map(|part| sums[3 * place + part] / texts);
            RougeScore { precision, recall, f1 }
        };
        Self { rouge1: score(0), rouge2: score(1), rouge_l: score(2), rouge_lsum: score(3) }
    }

    /// Each kind with its key in files and its name in a line of text.
    pub(super) fn named(&self) -> [(&'static str, &'static str, RougeScore); 4] {
        [
            ("rouge1", "ROUGE-1", self.rouge1),
            ("rouge2", "ROUGE-2", self.rouge2),
            ("rougeL", "ROUGE-L", self.rouge_l),
            ("rougeLsum", "ROUGE-Lsum", self.rouge_lsum),
        ]
    }
}

impl RougeScore {
    /// Of `shared` of so many in the output and in the reference; 0 where there are none.
    fn of(shared: usize, output: usize, reference: usize) -> Self {
        let [precision, recall] = [output, reference].map(|all| shared as f64 / all.max(1) as f64);
        let f1 = if shared == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Self { precision, recall, f1 }
    }
}

/// ROUGE-1, -2, -L and -Lsum of texts whose words are given line by line, by their numbers.
fn scores(output: &[Vec<u32>], reference: &[Vec<u32>]) -> [RougeScore; 4] {
    let (all, wanted) = (output.concat(), reference.concat());
    let of_ngrams = |order| {
        let shared = matches(&ngrams(&all, order), &ngrams(&wanted, order));
        RougeScore::of(shared as usize, count(all.len(), order), count(wanted.len(), order))
    };
    let of_sequences = |shared| RougeScore::of(shared, all.len(), wanted.len());
    let longest = subsequence::length(&wanted, &all);
    [of_ngrams(1), of_ngrams(2), of_sequences(longest), of_sequences(shared_by_line(output, reference))]
}

/// Of each line of the reference the words that are in a longest common subsequence with some line of the output, each word at most as often
/// as either text has it (`_summary_level_lcs`, as ROUGE-1.5.5).
fn shared_by_line(output: &[Vec<u32>], reference: &[Vec<u32>]) -> usize {
    let counted = |lines: &[Vec<u32>]| {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        lines.iter().flatten().for_each(|word| *counts.entry(*word).or_default() += 1);
        counts
    };
    let mut left = [counted(output), counted(reference)];
    let mut shared = 0;
    for line in reference {
        let mut found = vec![false; line.len()];
        output.iter().flat_map(|other| subsequence::places(line, other)).for_each(|place| found[place] = true);
        for (word, _) in line.iter().zip(found).filter(|(_, found)| *found) {
            if left.iter().all(|counts| counts.get(word).is_some_and(|count| *count > 0)) {
                shared += 1;
                left.iter_mut().filter_map(|counts| counts.get_mut(word)).for_each(|count| *count -= 1);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_chinese_sentences_agree_wholly_by_unicode_and_not_at_all_by_rouge_score() {
        let references = ["今天天气很好，我们去北京。".to_owned()];
        let text = JudgedText { output: &references[0], references: &references, source: None };
        let whole = RougeScore { precision: 1.0, recall: 1.0, f1: 1.0 };
        let scores = Rouge::default().score(&[text]);
        assert_eq!(scores.named().map(|(_, _, score)| score), [whole; 4]);
        let as_rouge_score = Rouge { tokenizer: RougeTokenizer::RougeScore, stemmer: false };
        assert_eq!(as_rouge_score.score(&[text]), RougeScores::default());
        assert!(as_rouge_score.signature(&[text]).starts_with("nrefs:1|tok:rouge_score|stem:no|version:graftling-"));
    }

    #[test]
    fn half_of_a_chinese_sentence_agrees_by_half() {
        let references = ["我们去北京".to_owned()];
        let scores =
            Rouge::default().score(&[JudgedText { output: "我们去上海。", references: &references, source: None }]);
        assert_eq!((scores.rouge1.f1, scores.rouge_l.recall), (0.6, 0.6));
        assert_eq!(scores.rouge2.precision, 0.5);
    }
}
