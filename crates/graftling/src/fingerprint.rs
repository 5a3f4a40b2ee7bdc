//! A number by which the examples of a split are known again: it changes with any token, with any target and with their order.
//! Knows nothing of files.

use serde::{Deserialize, Serialize};

use crate::SplitName;
use crate::evaluate::Examples;
use crate::features::Features;
use crate::tasks::Target;

/// The fingerprints of all splits of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprints {
    train: String,
    validation: String,
    test: Option<String>,
}

impl Fingerprints {
    /// Those of the examples of a run.
    pub fn of(train: &Examples, validation: &Examples, test: Option<&Examples>) -> Self {
        Self { train: fingerprint(train), validation: fingerprint(validation), test: test.map(fingerprint) }
    }

    /// The splits that are others here.
    pub fn differences(&self, other: &Self) -> Vec<SplitName> {
        let splits = [
            (SplitName::Train, self.train != other.train),
            (SplitName::Validation, self.validation != other.validation),
            (SplitName::Test, self.test != other.test),
        ];
        splits.into_iter().filter_map(|(split, differs)| differs.then_some(split)).collect()
    }
}

/// The fingerprint of the examples of a split, in hexadecimal digits.
fn fingerprint(examples: &Examples) -> String {
    let mut hash = Hash::default();
    hash.list(&examples.tokenized.features, Hash::features);
    hash.list(&examples.windows, |hash, windows| hash.counts(&[windows.start, windows.end]));
    hash.list(&examples.targets, Hash::target);
    format!("{:016x}", hash.0)
}

/// 64-bit FNV-1a. Everything of varying length goes in with its length before it, so that no two lists look alike end to end.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
    }

    fn count(&mut self, count: usize) {
        self.bytes(&(count as u64).to_le_bytes());
    }

    fn list<T>(&mut self, list: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.count(list.len());
        list.iter().for_each(|entry| each(self, entry));
    }

    fn ids(&mut self, ids: &[u32]) {
        self.list(ids, |hash, id| hash.bytes(&id.to_le_bytes()));
    }

    fn counts(&mut self, counts: &[usize]) {
        self.list(counts, |hash, count| hash.count(*count));
    }

    fn numbers(&mut self, numbers: &[f32]) {
        self.list(numbers, |hash, number| hash.bytes(&number.to_bits().to_le_bytes()));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    fn option<T>(&mut self, option: Option<T>, each: impl FnOnce(&mut Self, T)) {
        self.count(usize::from(option.is_some()));
        if let Some(value) = option {
            each(self, value);
        }
    }

    /// What follows from the rest (how much was cut, where a passage stands) is left out.
    fn features(&mut self, features: &Features) {
        let Features { input_ids, token_type_ids, truncated_tokens: _, wanted, word_ids, passages: _, source } = features;
        self.ids(input_ids);
        self.ids(token_type_ids);
        self.option(wanted.as_ref(), |hash, wanted| {
            hash.counts(&wanted.tokens);
            hash.counts(&wanted.words);
        });
        self.option(word_ids.as_ref(), |hash, words| {
            hash.list(words, |hash, word| hash.option(*word, |hash, word| hash.bytes(&word.to_le_bytes())));
        });
        self.option(source.as_ref(), |hash, source| hash.ids(source));
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Class(class) => self.count(*class),
            Target::Labels(labels) => self.list(labels, |hash, holds| hash.count(usize::from(*holds))),
            Target::Numbers(numbers) => self.numbers(numbers),
            Target::Tags { tags, classes, seen } => {
                self.list(tags, |hash, tag| hash.text(tag));
                self.list(classes, |hash, class| hash.option(*class, Self::count));
                self.counts(seen);
            }
            Target::Tokens(tokens) | Target::Next(tokens) => self.ids(tokens),
            Target::Written { tokens, reference } => {
                self.ids(tokens);
                self.option(reference.as_ref(), |hash, reference| {
                    hash.option(reference.source.as_deref(), Self::text);
                    hash.text(&reference.target);
                });
            }
            Target::Passage(gold) => {
                self.list(&gold.texts, |hash, text| hash.text(text));
                self.option(gold.bytes, |hash, (start, end)| hash.counts(&[start, end]));
                self.list(&gold.windows, |hash, (tokens, ends)| {
                    hash.count(*tokens);
                    hash.counts(ends);
                });
            }
            Target::Compared(compared) => {
                self.count(compared.form as usize);
                self.numbers(&[compared.score]);
                self.counts(&compared.identities);
                self.list(&compared.windows, |hash, windows| hash.counts(windows));
            }
        }
    }
}
