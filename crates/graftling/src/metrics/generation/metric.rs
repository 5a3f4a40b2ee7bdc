//! The kinds of figures of generated texts, each with its settings: what is counted of a text, and how figures follow from the sums.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::JudgedText;
use super::bleu::Bleu;
use super::chrf::{Chrf, ChrfVariant};
use super::rates::{self, DistinctCounts};
use super::rouge::{Rouge, RougeScores};
use super::ter::Ter;
use crate::metrics::bootstrap::FigureName;

/// A kind of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextMetric {
    /// BLEU, in percent.
    Bleu(Bleu),
    /// chrF or chrF++, in percent.
    Chrf(Chrf),
    /// TER, in percent; lower is better.
    Ter(Ter),
    /// ROUGE-1, -2, -L and -Lsum: their F1.
    Rouge(Rouge),
    /// The share of outputs that are one of their references, but for white space at both ends, in percent.
    ExactMatch,
    /// How many different words (distinct-1) and pairs of words (distinct-2) there are for each word of all outputs. A drawing in which texts
    /// come again has fewer different words than other texts of the same kind would, so that none of its figures would be near the one
    /// of all texts. In drawings, therefore, what no other text has counts as often as its text is drawn, and what several have stays: the
    /// figure in the first order, as the jackknife has it (Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982, chapter 6).
    Distinct,
    /// The share of runs of four words that have come before in the same output.
    Repetition,
    /// The share of pairs of words of the outputs that stand in their source, and the share of outputs that are their source although no
    /// reference is. It takes texts with sources.
    Copying,
}

impl TextMetric {
    /// What its figures are called.
    pub fn names(&self) -> Vec<FigureName> {
        let name = |(key, name)| FigureName { key, name };
        match self {
            Self::Bleu(_) => vec![name(("bleu", "BLEU"))],
            Self::Chrf(Chrf { variant: ChrfVariant::Characters, .. }) => vec![name(("chrf", "chrF"))],
            Self::Chrf(Chrf { variant: ChrfVariant::CharactersAndWords, .. }) => vec![name(("chrf++", "chrF++"))],
            Self::Ter(_) => vec![name(("ter", "TER"))],
            Self::Rouge(_) => RougeScores::default().named().map(|(key, told, _)| name((key, told))).to_vec(),
            Self::ExactMatch => vec![name(("exact_match", "exact match"))],
            Self::Distinct => [("distinct_1", "distinct-1"), ("distinct_2", "distinct-2")].map(name).to_vec(),
            Self::Repetition => vec![name(("repetition_rate", "repetition rate"))],
            Self::Copying => [("copy_rate", "copy rate"), ("untranslated_rate", "untranslated rate")].map(name).to_vec(),
        }
    }

    /// What was done, in the line that sacrebleu writes, where there are settings to tell.
    pub fn signature(&self, texts: &[JudgedText<'_>]) -> Option<String> {
        match self {
            Self::Bleu(bleu) => Some(bleu.signature(texts)),
            Self::Chrf(chrf) => Some(chrf.signature(texts)),
            Self::Ter(ter) => Some(ter.signature(texts)),
            Self::Rouge(rouge) => Some(rouge.signature(texts)),
            Self::ExactMatch | Self::Distinct | Self::Repetition | Self::Copying => None,
        }
    }

    /// How many numbers a text has.
    pub(in crate::metrics) fn width(&self) -> usize {
        match self {
            Self::Bleu(_) => Bleu::WIDTH,
            Self::Chrf(chrf) => chrf.width(),
            Self::Ter(_) => Ter::WIDTH,
            Self::Rouge(_) => Rouge::WIDTH,
            Self::ExactMatch => 1,
            Self::Distinct => 3,
            Self::Repetition => 2,
            Self::Copying => 3,
        }
    }

    /// The numbers of each text, which add up over texts, text after text; and what is added to their sums, whichever texts are drawn.
    pub(in crate::metrics) fn statistics(&self, texts: &[JudgedText<'_>]) -> (Vec<f64>, Vec<f64>) {
        if let Self::Distinct = self {
            let DistinctCounts { texts, shared } = rates::distinct(texts);
            return (texts.concat(), shared.to_vec());
        }
        let each: Vec<Vec<f64>> = texts.par_iter().map(|text| self.of_text(text)).collect();
        (each.concat(), vec![0.0; self.width()])
    }

    /// The numbers of a text, where they are of it alone.
    fn of_text(&self, text: &JudgedText<'_>) -> Vec<f64> {
        match self {
            Self::Bleu(bleu) => bleu.statistics(text),
            Self::Chrf(chrf) => chrf.statistics(text),
            Self::Ter(ter) => ter.statistics(text),
            Self::Rouge(rouge) => rouge.statistics(text),
            Self::ExactMatch => vec![f64::from(u8::from(rates::is_exact_match(text)))],
            Self::Distinct => panic!("distinct words: they are those of all texts"),
            Self::Repetition => rates::repetition(text).to_vec(),
            Self::Copying => rates::copying(text).to_vec(),
        }
    }

    /// The figures of sums over so many texts, in the order of the names; not a number where one is not defined.
    pub(in crate::metrics) fn values(&self, sums: &[f64], texts: f64) -> Vec<f64> {
        match self {
            Self::Bleu(bleu) => vec![bleu.of(sums).score],
            Self::Chrf(chrf) => vec![chrf.of(sums)],
            Self::Ter(ter) => vec![ter.of(sums).score],
            Self::Rouge(_) => RougeScores::of(sums, texts).named().map(|(_, _, score)| score.f1).to_vec(),
            Self::ExactMatch => vec![100.0 * sums[0] / texts],
            Self::Distinct => rates::distinct_of(sums).to_vec(),
            Self::Repetition => vec![sums[0] / sums[1]],
            Self::Copying => vec![sums[0] / sums[1], sums[2] / texts],
        }
    }

    /// What there is to tell beside the figures, by the names that the programs of the field give it.
    pub(super) fn details(&self, sums: &[f64], texts: f64) -> Map<String, Value> {
        let mut details = Map::new();
        let mut put = |name: &str, value: Value| details.insert(name.to_owned(), value);
        match self {
            Self::Bleu(bleu) => {
                let score = bleu.of(sums);
                put("bleu_precisions", json!(score.precisions));
                put("bleu_bp", json!(score.brevity_penalty));
                put("bleu_sys_len", json!(score.output_length));
                put("bleu_ref_len", json!(score.reference_length));
            }
            Self::Ter(ter) => {
                let score = ter.of(sums);
                put("ter_num_edits", json!(score.edits));
                put("ter_ref_length", json!(score.reference_length));
            }
            Self::Rouge(_) => {
                for (key, _, score) in RougeScores::of(sums, texts).named() {
                    put(&format!("{key}_precision"), json!(score.precision));
                    put(&format!("{key}_recall"), json!(score.recall));
                }
            }
            Self::Chrf(_) | Self::ExactMatch | Self::Distinct | Self::Repetition | Self::Copying => {}
        }
        details
    }
}
