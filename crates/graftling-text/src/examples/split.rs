//! Sets examples of any task aside for validation: the same examples for the same seed.
//! Knows nothing of labels.

use std::collections::HashMap;

use super::{Examples, SameText};
use crate::TextError;
use crate::split::{Group, Random, draw};

/// The two parts of a file's examples, each in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ExampleSplit<E> {
    /// What the model learns from.
    pub train: Examples<E>,
    /// What it is measured on.
    pub validation: Examples<E>,
}

/// Sets aside a fraction of the examples, to within rounding. Examples with the same texts stay on one side; the draw depends on
/// nothing but the examples' order and the seed.
pub fn random_split<E: SameText>(dataset: Examples<E>, fraction: f64, seed: u64) -> Result<ExampleSplit<E>, TextError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(TextError::SplitFraction { fraction });
    }
    let Examples { source, examples, mut notices } = dataset;
    let total = examples.len();
    let mut aside = vec![false; total];
    let mut groups = groups(&examples);
    Random { state: seed }.shuffle(&mut groups);
    draw(&groups, (total as f64 * fraction).round() as usize, &mut aside);
    let count = aside.iter().filter(|&&aside| aside).count();
    if count == 0 {
        return Err(TextError::SplitTooSmall { path: source, examples: total, fraction });
    }
    notices.push(format!(
        "{}: {count} of {total} examples are set aside for validation (fraction {fraction}, seed {seed})",
        source.display()
    ));
    let (validation, train): (Vec<_>, Vec<_>) = examples.into_iter().zip(aside).partition(|(_, aside)| *aside);
    let part = |part: Vec<(E, bool)>| part.into_iter().map(|(example, _)| example).collect();
    let validation = Examples { source: source.clone(), examples: part(validation), notices: Vec::new() };
    Ok(ExampleSplit { train: Examples { source, examples: part(train), notices }, validation })
}

/// The examples with the same texts, in the order of their first ones.
fn groups<E: SameText>(examples: &[E]) -> Vec<Group> {
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        let place = *places.entry(example.texts()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.examples.push(index),
            None => groups.push(Group { examples: vec![index] }),
        }
    }
    groups
}
