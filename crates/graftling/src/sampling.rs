//! Which examples an epoch has, and in which order. Knows neither lengths nor batches.

use crate::random;
use crate::recipe::Sampling;
use crate::tasks::Target;

/// Draws the examples of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sampler {
    /// Every example once.
    All,
    /// As many of each label, which has these examples: if not enough, each of them at least as often as the others less one.
    Even {
        /// The places of the examples of each label.
        labels: Vec<Vec<usize>>,
        /// How many of each.
        each: usize,
    },
}

impl Sampler {
    /// # Panics
    /// If labels are to be evened out and the examples have none.
    pub fn new(sampling: Sampling, targets: &[Target]) -> Self {
        if sampling == Sampling::All {
            return Self::All;
        }
        let mut labels: Vec<Vec<usize>> = Vec::new();
        for (place, target) in targets.iter().enumerate() {
            let Target::Class(class) = target else { panic!("sampling: an example without a label of its own: {target:?}") };
            labels.resize_with(labels.len().max(class + 1), Vec::new);
            labels[*class].push(place);
        }
        // Small classes may be wholly in the validation split.
        labels.retain(|examples| !examples.is_empty());
        let counts = labels.iter().map(Vec::len);
        let each = if sampling == Sampling::Oversample { counts.max() } else { counts.min() };
        Self::Even { labels, each: each.unwrap_or(0) }
    }

    /// The examples of an epoch, out of `count`, in an order that follows from the key.
    pub fn order(&self, count: usize, key: u64) -> Vec<usize> {
        let Self::Even { labels, each } = self else { return random::permutation(count, key) };
        let mut drawn = Vec::with_capacity(labels.len() * each);
        for (label, examples) in labels.iter().enumerate() {
            let order = random::permutation(examples.len(), random::key(key, &[label as u64]));
            drawn.extend(order.into_iter().cycle().take(*each).map(|place| examples[place]));
        }
        random::permutation(drawn.len(), key).into_iter().map(|place| drawn[place]).collect()
    }

    /// What a person should know of it.
    pub fn notice(&self) -> Option<String> {
        let Self::Even { labels, each } = self else { return None };
        let (count, before) = (labels.len() * each, labels.iter().map(Vec::len).sum::<usize>());
        Some(format!("sampling: an epoch has {each} examples of each of {} labels, {count} in place of {before}", labels.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [usize; 12] = [0, 0, 1, 0, 0, 2, 0, 1, 0, 2, 0, 1];

    fn drawn(sampling: Sampling, epoch: u64) -> Vec<usize> {
        let targets = CLASSES.map(Target::Class);
        Sampler::new(sampling, &targets).order(targets.len(), random::key(42, &[epoch]))
    }

    fn of(examples: &[usize], class: usize) -> Vec<usize> {
        let mut of: Vec<usize> = examples.iter().copied().filter(|&example| CLASSES[example] == class).collect();
        of.sort_unstable();
        of
    }

    #[test]
    fn oversampling_repeats_the_examples_of_rare_labels_evenly() {
        let examples = drawn(Sampling::Oversample, 0);
        assert_eq!(of(&examples, 0), [0, 1, 3, 4, 6, 8, 10]);
        for class in [1, 2] {
            let counts: Vec<usize> = (0..12)
                .filter(|&example| CLASSES[example] == class)
                .map(|example| examples.iter().filter(|&&drawn| drawn == example).count())
                .collect();
            assert_eq!(counts.iter().sum::<usize>(), 7, "{class}");
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{class}: {counts:?}");
        }
    }

    #[test]
    fn undersampling_takes_others_in_every_epoch() {
        let epochs: Vec<Vec<usize>> = (0..8).map(|epoch| drawn(Sampling::Undersample, epoch)).collect();
        assert!(epochs.iter().all(|examples| (0..3).all(|class| of(examples, class).len() == 2)));
        assert!(epochs.iter().any(|examples| of(examples, 0) != of(&epochs[0], 0)));
        assert!(epochs.iter().all(|examples| of(examples, 2) == [5, 9]));
    }

    #[test]
    fn the_order_follows_from_the_key() {
        for sampling in [Sampling::All, Sampling::Oversample, Sampling::Undersample] {
            assert_eq!(drawn(sampling, 3), drawn(sampling, 3));
            assert_ne!(drawn(sampling, 3), drawn(sampling, 4));
        }
        assert_eq!(Sampler::new(Sampling::All, &[Target::Labels(vec![true])]).notice(), None);
    }
}
