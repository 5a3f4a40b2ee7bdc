//! How often each run of so many tokens occurs. Knows not what a token is.

use std::collections::HashMap;
use std::hash::Hash;

/// How often each n-gram occurs.
pub(super) type Counts<'a, T> = HashMap<&'a [T], u32>;

/// The n-grams of `order` tokens; none where there are fewer tokens.
pub(super) fn ngrams<T: Eq + Hash>(tokens: &[T], order: usize) -> Counts<'_, T> {
    let mut counts = Counts::new();
    for ngram in tokens.windows(order) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

/// How many n-grams of one are found in the other, each at most as often as it occurs there.
pub(super) fn matches<T: Eq + Hash>(counts: &Counts<'_, T>, others: &Counts<'_, T>) -> u32 {
    counts.iter().map(|(ngram, count)| others.get(ngram).map_or(0, |other| *other.min(count))).sum()
}

/// How many n-grams of `order` a text of `tokens` has.
pub(super) fn count(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}
