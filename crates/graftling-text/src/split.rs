//! Sets examples aside for validation: the same share of every label, the same examples for the same seed.
//! Knows nothing of what is done with the parts.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use crate::{Dataset, Example, TextError};

/// The two parts of a dataset, each in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Split<L = String> {
    /// What the model learns from.
    pub train: Dataset<L>,
    /// What it is measured on.
    pub validation: Dataset<L>,
}

/// What examples have in common of which the same share is set aside.
pub trait Stratum {
    /// The name of the class; nothing where each example stands for itself.
    fn stratum(&self) -> &str {
        ""
    }
}

impl Stratum for String {
    fn stratum(&self) -> &str {
        self
    }
}

/// Sets of labels are mostly rare: a share of each would be none.
impl Stratum for Vec<String> {}

impl Stratum for Vec<f32> {}

/// Examples with one and the same text; they always stay together.
pub(crate) struct Group {
    pub examples: Vec<usize>,
}

/// Sets aside a fraction of the examples, of every label to within rounding.
///
/// Examples with the same text stay on one side, and every label keeps at least one example to train on. The draw depends on
/// nothing but the examples' order and the seed.
pub fn stratified_split<L: Stratum>(dataset: Dataset<L>, fraction: f64, seed: u64) -> Result<Split<L>, TextError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(TextError::SplitFraction { fraction });
    }
    let mut aside = vec![false; dataset.examples.len()];
    let groups = groups_by_label(&dataset.examples);
    let wanted = wanted(&groups, fraction);
    let mut random = Random { state: seed };
    for (mut groups, wanted) in groups.into_values().zip(wanted) {
        random.shuffle(&mut groups);
        draw(&groups, wanted, &mut aside);
    }
    let count = aside.iter().filter(|&&aside| aside).count();
    if count == 0 {
        return Err(TextError::SplitTooSmall { path: dataset.source, examples: aside.len(), fraction });
    }
    let notice = format!(
        "{}: {count} of {} examples are set aside for validation (fraction {fraction}, by label, seed {seed})",
        dataset.source.display(),
        aside.len()
    );
    Ok(divided(dataset, &aside, notice))
}

/// The groups of each label, in the order of their first examples. A group belongs to the label of its first example.
fn groups_by_label<L: Stratum>(examples: &[Example<L>]) -> BTreeMap<&str, Vec<Group>> {
    let mut places: HashMap<(&str, &str), (&str, usize)> = HashMap::new();
    let mut groups: BTreeMap<&str, Vec<Group>> = BTreeMap::new();
    for (index, example) in examples.iter().enumerate() {
        if let Some(&(label, place)) = places.get(&example.texts()) {
            if let Some(of_label) = groups.get_mut(label) {
                of_label[place].examples.push(index);
            }
            continue;
        }
        let label = example.label.as_ref().map_or("", Stratum::stratum);
        let of_label = groups.entry(label).or_default();
        places.insert(example.texts(), (label, of_label.len()));
        of_label.push(Group { examples: vec![index] });
    }
    groups
}

/// How many examples of each label to set aside: the whole part of each share, and the rest of the rounded total to the labels
/// with the largest remainders, so that labels with few examples are not all left out.
fn wanted(groups: &BTreeMap<&str, Vec<Group>>, fraction: f64) -> Vec<usize> {
    let sizes: Vec<usize> = groups.values().map(|groups| groups.iter().map(|group| group.examples.len()).sum()).collect();
    let shares: Vec<f64> = sizes.iter().map(|&size| size as f64 * fraction).collect();
    let mut wanted: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let total = (sizes.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    by_remainder.sort_by(|&left, &right| shares[right].fract().total_cmp(&shares[left].fract()));
    let rest = total.saturating_sub(wanted.iter().sum());
    for &label in by_remainder.iter().take(rest) {
        wanted[label] += 1;
    }
    wanted
}

/// Sets groups aside until the wanted number is reached; a group that would exceed it is passed over, and one group always stays.
pub(crate) fn draw(groups: &[Group], wanted: usize, aside: &mut [bool]) {
    let mut taken = 0;
    let mut staying = groups.len();
    for group in groups {
        if staying > 1 && taken + group.examples.len() <= wanted {
            taken += group.examples.len();
            staying -= 1;
            for &index in &group.examples {
                aside[index] = true;
            }
        }
    }
}

fn divided<L>(dataset: Dataset<L>, aside: &[bool], notice: String) -> Split<L> {
    let Dataset { source, examples, columns, mut notices } = dataset;
    notices.push(notice);
    let (validation, train): (Vec<_>, Vec<_>) = examples.into_iter().zip(aside).partition(|(_, aside)| **aside);
    let examples = |part: Vec<(Example<L>, &bool)>| part.into_iter().map(|(example, _)| example).collect();
    let validation =
        Dataset { source: source.clone(), examples: examples(validation), columns: columns.clone(), notices: Vec::new() };
    Split { train: Dataset { source, examples: examples(train), columns, notices }, validation }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine and in every version.
pub(crate) struct Random {
    pub state: u64,
}

impl Random {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`. The bias of the multiplication is below `end` in 2^64.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
