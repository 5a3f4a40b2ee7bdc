//! The translation edit rate (Snover and others, 2006), to the letter of sacrebleu 2. Knows words; no model.

mod edit_distance;
mod shifts;
mod words;

use super::JudgedText;
use super::language::TargetLanguage;
use super::signature::{Case, signature};

/// How TER is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ter {
    /// Whether punctuation stands apart and entities are read, as Tercom's normalizer does.
    pub normalized: bool,
    /// Whether punctuation is left out.
    pub no_punctuation: bool,
    /// Whether the two also see to Chinese and Japanese: with `normalized` each Chinese character stands by itself, with
    /// `no_punctuation` theirs is left out too. It does nothing without either.
    pub asian_support: bool,
    /// Whether capital letters count.
    pub case_sensitive: bool,
}

/// TER of a corpus, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TerScore {
    /// Edits for each word of the references, in percent; lower is better.
    pub score: f64,
    /// Insertions, deletions, replacements and shifts of runs of words.
    pub edits: u64,
    /// Words of the references, of each text the mean of its references.
    pub reference_length: f64,
}

impl Ter {
    /// The numbers that a text has: edits, and the mean length of its references.
    pub(super) const WIDTH: usize = 2;

    /// For texts of a language: sacrebleu's defaults, but for Chinese and Japanese, which write words without blanks between them, `normalized`
    /// with `asian_support`, so that Chinese characters are compared one by one.
    pub fn of_language(language: &TargetLanguage) -> Self {
        let asian = language.is_chinese() || language.is_japanese();
        Self { normalized: asian, asian_support: asian, ..Self::default() }
    }

    /// TER of texts: their edits are counted together, each text by the reference that takes the fewest.
    pub fn score(&self, texts: &[JudgedText<'_>]) -> TerScore {
        self.of(&super::summed(texts, Self::WIDTH, |text| self.statistics(text)))
    }

    /// What was done, as sacrebleu writes it, with our version.
    pub fn signature(&self, texts: &[JudgedText<'_>]) -> String {
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let case = Case::mixed_unless(!self.case_sensitive);
        let (normalized, punctuation, asian) = (word(self.normalized), word(!self.no_punctuation), word(self.asian_support));
        signature(texts, &format!("case:{case}|tok:tercom|norm:{normalized}|punct:{punctuation}|asian:{asian}"))
    }

    /// The counts of one text, which add up over texts.
    pub(super) fn statistics(&self, text: &JudgedText<'_>) -> Vec<f64> {
        let output = words::words(text.output, *self);
        let (mut fewest, mut lengths) = (None, 0);
        for reference in text.references {
            // sacrebleu does it twice to references, which shows in entities of entities and in signs next to signs.
            let reference = words::words(&words::words(reference, *self).join(" "), *self);
            let edits = shifts::edits(&output, &reference);
            lengths += reference.len();
            fewest = Some(fewest.map_or(edits, |fewest: usize| fewest.min(edits)));
        }
        vec![fewest.unwrap_or(0) as f64, lengths as f64 / text.references.len().max(1) as f64]
    }

    /// TER of counts. Edits where no reference has a word count as 100.
    pub(super) fn of(&self, counts: &[f64]) -> TerScore {
        let (edits, reference_length) = (counts[0], counts[1]);
        let rate = match (edits > 0.0, reference_length > 0.0) {
            (_, true) => edits / reference_length,
            (true, false) => 1.0,
            (false, false) => 0.0,
        };
        TerScore { score: 100.0 * rate, edits: edits as u64, reference_length }
    }
}
