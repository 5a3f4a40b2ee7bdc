//! BLEU of a corpus (Papineni and others, 2002), to the letter of sacrebleu 2 (Post, 2018). Knows texts and tokens; no model.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use super::JudgedText;
use super::ngrams::{count, matches, ngrams};
use super::signature::{Case, signature};
use super::tokenizers::{BleuTokenizer, words};
use crate::metrics::answer_words::is_space;

/// The longest n-grams that count.
pub(super) const ORDER: usize = 4;

/// How BLEU is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bleu {
    /// How texts are taken apart.
    pub tokenizer: BleuTokenizer,
    /// What stands in for a precision without a match.
    pub smoothing: Smoothing,
    /// Whether capital letters count as small ones.
    pub lowercase: bool,
}

/// What stands in for the precision of an order without a match (Chen and Cherry, 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smoothing {
    /// Half of one match for the first such order, a quarter for the second, and so on: method 3, mteval's.
    Exp,
    /// So much of a match: method 1.
    Floor(f64),
    /// So many matches and n-grams more in every order but the first: method 2.
    AddK(f64),
    /// Nothing: BLEU is 0.
    None,
}

/// BLEU of a corpus, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BleuScore {
    /// BLEU, in percent.
    pub score: f64,
    /// The share of n-grams of one to four tokens that a reference has, smoothed, in percent.
    pub precisions: [f64; ORDER],
    /// The factor for outputs that are shorter than their references.
    pub brevity_penalty: f64,
    /// The tokens of all outputs.
    pub output_length: u64,
    /// The tokens of all references, of each text the one whose length is nearest to the output's.
    pub reference_length: u64,
}

impl Display for BleuScore {
    /// What the score is made of.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let precisions = self.precisions.map(|precision| format!("{precision:.1}")).join("/");
        let Self { output_length, reference_length, brevity_penalty, .. } = self;
        let lengths = format!("{output_length} tokens against {reference_length} of the references");
        write!(formatter, "precisions {precisions}; {lengths}, brevity penalty {brevity_penalty:.3}")
    }
}

impl Default for Bleu {
    /// As sacrebleu where nothing is said: `13a`, smoothed by `exp`, capital letters count.
    fn default() -> Self {
        Self { tokenizer: BleuTokenizer::Western, smoothing: Smoothing::Exp, lowercase: false }
    }
}

impl Bleu {
    /// The numbers that a text has: output length, reference length, matches of each order, n-grams of each order.
    pub(super) const WIDTH: usize = 2 + 2 * ORDER;

    /// BLEU of texts: their n-grams are counted together.
    pub fn score(&self, texts: &[JudgedText<'_>]) -> BleuScore {
        self.of(&super::summed(texts, Self::WIDTH, |text| self.statistics(text)))
    }

    /// What was done, as sacrebleu writes it, with our version.
    pub fn signature(&self, texts: &[JudgedText<'_>]) -> String {
        let smoothing = match self.smoothing {
            Smoothing::Exp => "exp".to_owned(),
            Smoothing::Floor(value) => format!("floor[{value:.2}]"),
            Smoothing::AddK(value) => format!("add-k[{value:.2}]"),
            Smoothing::None => "none".to_owned(),
        };
        let case = Case::mixed_unless(self.lowercase);
        signature(texts, &format!("case:{case}|eff:no|tok:{}|smooth:{smoothing}", self.tokenizer))
    }

    /// The counts of one text, which add up over texts.
    pub(super) fn statistics(&self, text: &JudgedText<'_>) -> Vec<f64> {
        let output = self.apart(text.output);
        let output: Vec<&str> = words(&output).collect();
        let references: Vec<String> = text.references.iter().map(|reference| self.apart(reference)).collect();
        let references: Vec<Vec<&str>> = references.iter().map(|reference| words(reference).collect()).collect();
        let nearest = references.iter().map(Vec::len).min_by_key(|length| (length.abs_diff(output.len()), *length));
        let mut counts = vec![output.len() as f64, nearest.unwrap_or(0) as f64];
        counts.extend((1..=ORDER).map(|order| {
            let mut most: HashMap<&[&str], u32> = HashMap::new();
            for (ngram, count) in references.iter().flat_map(|reference| ngrams(reference, order)) {
                let known = most.entry(ngram).or_default();
                *known = count.max(*known);
            }
            f64::from(matches(&ngrams(&output, order), &most))
        }));
        counts.extend((1..=ORDER).map(|order| count(output.len(), order) as f64));
        counts
    }

    /// BLEU of counts (`compute_bleu`).
    pub(super) fn of(&self, counts: &[f64]) -> BleuScore {
        let (output_length, reference_length) = (counts[0], counts[1]);
        let (matches, all) = counts[2..].split_at(ORDER);
        let brevity_penalty = match output_length < reference_length {
            true if output_length > 0.0 => (1.0 - reference_length / output_length).exp(),
            true => 0.0,
            false => 1.0,
        };
        let precisions = self.precisions(matches, all);
        // A precision of 0 makes the mean of logarithms endless, and its exponential 0.
        let mean = precisions.iter().map(|precision| precision.ln()).sum::<f64>() / ORDER as f64;
        BleuScore {
            score: brevity_penalty * mean.exp(),
            precisions,
            brevity_penalty,
            output_length: output_length as u64,
            reference_length: reference_length as u64,
        }
    }

    /// In percent, smoothed; all are 0 where nothing matches at all, and those of orders longer than every output.
    fn precisions(&self, matches: &[f64], all: &[f64]) -> [f64; ORDER] {
        let mut precisions = [0.0; ORDER];
        if matches.iter().all(|count| *count == 0.0) {
            return precisions;
        }
        let mut halved = 1.0;
        for (order, precision) in precisions.iter_mut().enumerate() {
            let more = match self.smoothing {
                Smoothing::AddK(value) if order > 0 => value,
                _ => 0.0,
            };
            let (matches, all) = (matches[order] + more, all[order] + more);
            if all == 0.0 {
                break;
            }
            let matches = match self.smoothing {
                _ if matches > 0.0 => matches,
                Smoothing::Exp => {
                    halved /= 2.0;
                    halved
                }
                Smoothing::Floor(value) => value,
                Smoothing::AddK(_) | Smoothing::None => 0.0,
            };
            *precision = 100.0 * matches / all;
        }
        precisions
    }

    fn apart(&self, text: &str) -> String {
        let text = text.trim_end_matches(is_space);
        if self.lowercase { self.tokenizer.apart(&text.to_lowercase()) } else { self.tokenizer.apart(text) }
    }
}
