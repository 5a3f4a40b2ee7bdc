//! The examples of a split in figures: how many, how long, of which labels or numbers, cut or not, repeated or not.
//! Knows tokens and targets; no model.

use serde::{Deserialize, Serialize};

use super::MOST_LISTED;
use super::repeats::{Repeats, Texts};
use crate::SplitName;
use crate::data::Data;
use crate::features::Tokenized;
use crate::tasks::{Holds, Objective, Target};

/// How many bars a histogram has.
const BARS: usize = 30;
/// The most outputs whose numbers are drawn.
pub(super) const MOST_OUTPUTS: usize = 8;

/// The examples of a split in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SplitFacts {
    pub split: String,
    /// The file.
    pub source: String,
    pub examples: usize,
    /// Tokens of each text, those that were cut off included; what is to be written from it does not count.
    pub lengths: Distribution,
    /// Texts that were cut, and the tokens that they lost.
    pub truncated_texts: usize,
    pub cut_tokens: usize,
    /// The longest that a text may be.
    pub max_length: usize,
    /// Texts that are read in more than one window.
    pub texts_in_windows: usize,
    /// What is to be written from the texts, where something is.
    #[serde(default)]
    pub targets: Option<TargetFacts>,
    pub repeats: Repeats,
    /// How often each label occurs, the most frequent first.
    pub labels: Vec<LabelFacts>,
    /// How many labels there are, listed or not.
    pub labels_in_all: usize,
    /// Examples without any label, where examples may have several.
    pub without_labels: Option<usize>,
    /// The numbers of each output.
    pub numbers: Vec<Distribution>,
}

/// The texts that are to be written from others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetFacts {
    /// Tokens of each, those that were cut off included.
    pub lengths: Distribution,
    /// Those that were cut.
    pub cut_targets: usize,
    /// The longest that one may be.
    pub max_target_length: usize,
    /// How many tokens a model would write on the mean to write them whole, as `gen_len` counts.
    pub mean_written: f64,
}

/// How often a label occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LabelFacts {
    pub label: String,
    pub count: u64,
}

/// How numbers are spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distribution {
    pub least: f64,
    pub quartiles: [f64; 3],
    /// Nineteen of twenty are at most this.
    pub percentile_95: f64,
    pub most: f64,
    pub mean: f64,
    /// Where the first bar begins, and how wide each is. A bar of whole numbers begins half a one before the first of them.
    pub from: f64,
    pub width: f64,
    /// How many numbers each bar holds; a bar has its lower end and not its upper one, but for the last.
    pub counts: Vec<u64>,
}

impl SplitFacts {
    /// The figures of a split; `train` are the texts of the training split, where this is another.
    pub fn new(
        split: SplitName,
        data: &Data,
        objective: &dyn Objective,
        (tokenized, targets): (&Tokenized, &[Target]),
        train: Option<&Texts<'_>>,
    ) -> Self {
        let lengths = tokenized.whole_lengths.iter().map(|length| *length as f64);
        let (labels, labels_in_all, without_labels) = labels(objective, targets);
        Self {
            split: split.to_string(),
            source: data.source().display().to_string(),
            examples: data.len(),
            lengths: Distribution::of_whole(lengths.collect()),
            truncated_texts: tokenized.truncation.truncated_texts,
            cut_tokens: tokenized.truncation.cut_tokens,
            max_length: tokenized.truncation.max_length,
            texts_in_windows: tokenized.texts.iter().filter(|windows| windows.len() > 1).count(),
            targets: TargetFacts::of(tokenized),
            repeats: data.texts().repeats(targets, train),
            labels,
            labels_in_all,
            without_labels,
            numbers: numbers(objective, targets),
        }
    }
}

impl TargetFacts {
    fn of(tokenized: &Tokenized) -> Option<Self> {
        let lengths = &tokenized.target_lengths;
        let written: usize = lengths.iter().map(|target| target.written).sum();
        (!lengths.is_empty()).then(|| Self {
            lengths: Distribution::of_whole(lengths.iter().map(|target| target.tokens as f64).collect()),
            cut_targets: tokenized.truncation.cut_targets,
            max_target_length: tokenized.truncation.max_target_length,
            mean_written: written as f64 / lengths.len() as f64,
        })
    }
}

/// How often each label occurs, how many there are, and how many examples have none where an example may have several.
fn labels(objective: &dyn Objective, targets: &[Target]) -> (Vec<LabelFacts>, usize, Option<usize>) {
    let mut counts = vec![0_u64; objective.labels().len()];
    let (mut any, mut several, mut without) = (false, false, 0);
    for target in targets {
        let (held, is_set) = match objective.holds(target) {
            Holds::Labels(held) => (held, false),
            Holds::Set(held) => (held, true),
            Holds::Numbers(_) | Holds::Nothing => continue,
        };
        any = true;
        several |= is_set;
        without += usize::from(held.is_empty());
        held.into_iter().for_each(|label| counts[label] += 1);
    }
    if !any {
        return (Vec::new(), 0, None);
    }
    let named = objective.labels().iter().zip(counts).map(|(label, count)| LabelFacts { label: label.clone(), count });
    let mut labels: Vec<LabelFacts> = named.collect();
    let all = labels.len();
    labels.sort_by_key(|label| std::cmp::Reverse(label.count));
    labels.truncate(MOST_LISTED);
    (labels, all, several.then_some(without))
}

/// The numbers of each output.
fn numbers(objective: &dyn Objective, targets: &[Target]) -> Vec<Distribution> {
    let mut outputs: Vec<Vec<f64>> = Vec::new();
    for target in targets {
        let Holds::Numbers(numbers) = objective.holds(target) else { continue };
        outputs.resize(numbers.len().min(MOST_OUTPUTS).max(outputs.len()), Vec::new());
        outputs.iter_mut().zip(numbers).for_each(|(output, number)| output.push(f64::from(number)));
    }
    outputs.into_iter().map(Distribution::of).collect()
}

impl Distribution {
    /// Of numbers of any kind.
    pub fn of(values: Vec<f64>) -> Self {
        let (least, most) = ends(&values);
        Self::with_width(values, (most - least) / BARS as f64, least)
    }

    /// Of whole numbers, each of which stands in the middle of a bar or of its share of one.
    pub fn of_whole(values: Vec<f64>) -> Self {
        let (least, most) = ends(&values);
        Self::with_width(values, ((most - least + 1.0) / BARS as f64).ceil(), least - 0.5)
    }

    fn with_width(mut values: Vec<f64>, width: f64, from: f64) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_by(f64::total_cmp);
        // Where all numbers are alike there is one bar.
        let width = if width > 0.0 { width } else { 1.0 };
        let most = values[values.len() - 1];
        let bar = |value: f64| (((value - from) / width) as usize).min(BARS - 1);
        let mut counts = vec![0; bar(most) + 1];
        values.iter().for_each(|&value| counts[bar(value)] += 1);
        // The nearest rank: a number that occurs.
        let rank = |share: f64| values[((share * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
        Self {
            least: values[0],
            quartiles: [rank(0.25), rank(0.5), rank(0.75)],
            percentile_95: rank(0.95),
            most,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            from,
            width,
            counts,
        }
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_one_bar() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let whole = Distribution::of_whole(values.clone());
        assert_eq!((whole.width, whole.counts.len(), whole.counts.iter().sum::<u64>()), (4.0, 25, 100));
        assert_eq!(whole.from, 0.5);
        assert!(whole.counts.iter().all(|count| *count == 4), "{whole:?}");
        assert_eq!((whole.quartiles, whole.percentile_95, whole.mean), ([25.0, 50.0, 75.0], 95.0, 50.5));
        let any = Distribution::of(values.iter().map(|value| value / 7.0).collect());
        assert_eq!((any.counts.len(), any.counts.iter().sum::<u64>()), (30, 100));
    }

    #[test]
    fn numbers_that_are_all_alike_and_none_at_all_have_a_distribution() {
        assert_eq!(Distribution::of(vec![2.5; 3]).counts, [3]);
        assert_eq!(Distribution::of_whole(vec![7.0; 3]).counts, [3]);
        assert_eq!(Distribution::of(Vec::new()), Distribution::default());
    }
}
