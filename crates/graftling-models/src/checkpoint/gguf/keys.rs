//! Reads the keys of an architecture with their defaults and collects everything that is wrong with them. Knows no architecture.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::container::Gguf;
use super::value::Value;
use crate::error::ConfigProblem;

/// The keys of an architecture. A key that is wrong gives a stand-in and a problem, so that all problems come out at once.
pub(super) struct Keys<'a> {
    pub gguf: &'a Gguf<'a>,
    /// The architecture, which its keys begin with.
    prefix: &'static str,
    asked_for: BTreeSet<String>,
    problems: Vec<ConfigProblem>,
}

impl<'a> Keys<'a> {
    pub fn new(gguf: &'a Gguf<'a>, prefix: &'static str) -> Self {
        Self { gguf, prefix, asked_for: BTreeSet::new(), problems: Vec::new() }
    }

    /// All that was wrong, or else the keys of the architecture that nobody asked for.
    pub fn finish(self) -> Result<Vec<String>, Vec<ConfigProblem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let own = self.gguf.keys().filter(|key| key.strip_prefix(self.prefix).is_some_and(|rest| rest.starts_with('.')));
        Ok(own.filter(|key| !self.asked_for.contains(*key)).map(str::to_owned).collect())
    }

    /// Says that a key is wrong.
    pub fn refuse(&mut self, name: &str, found: String, accepted: String) {
        self.problems.push(ConfigProblem { key: self.full(name), found, accepted });
    }

    /// Names of the architecture stand behind its prefix, all others are whole.
    fn full(&self, name: &str) -> String {
        if name.starts_with("tokenizer.") { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }

    fn value(&mut self, name: &str) -> Option<Value<'a>> {
        self.pass_over(name);
        self.gguf.value(&self.full(name)).copied()
    }

    /// Knows a key of which nothing is made.
    pub fn pass_over(&mut self, name: &str) {
        let key = self.full(name);
        self.asked_for.insert(key);
    }

    /// A whole number from 1 to `largest`, which must be there.
    pub fn size(&mut self, name: &str, largest: usize) -> usize {
        self.size_if_there(name, largest).unwrap_or_else(|| {
            if self.value(name).is_none() {
                self.refuse(name, "missing".to_owned(), format!("whole numbers from 1 to {largest}"));
            }
            1
        })
    }

    /// A whole number from 1 to `largest`, where it is there.
    pub fn size_if_there(&mut self, name: &str, largest: usize) -> Option<usize> {
        let value = self.value(name)?;
        let size = match value {
            Value::Whole(number) => usize::try_from(number).ok().filter(|size| (1..=largest).contains(size)),
            _ => None,
        };
        if size.is_none() {
            self.refuse(name, value.shown(), format!("whole numbers from 1 to {largest}"));
        }
        size
    }

    /// The id of a token below `vocabulary`, where it is there.
    pub fn token(&mut self, name: &str, vocabulary: usize) -> Option<u64> {
        let value = self.value(name)?;
        let id = match value {
            Value::Whole(number) => u64::try_from(number).ok().filter(|id| *id < vocabulary as u64),
            _ => None,
        };
        if id.is_none() {
            self.refuse(name, value.shown(), format!("ids of tokens, from 0 below {vocabulary}"));
        }
        id
    }

    /// A number within `range`, where it is there; one of single precision becomes the decimal fraction that it was written as.
    pub fn number_if_there(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(name)?;
        let number = match value {
            Value::Whole(number) => Some(number as f64),
            Value::F32(number) => number.to_string().parse().ok(),
            Value::F64(number) => Some(number),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(name, value.shown(), format!("numbers from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A number within `range`, which must be there.
    pub fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> f64 {
        self.number_if_there(name, range.clone()).unwrap_or_else(|| {
            if self.value(name).is_none() {
                self.refuse(name, "missing".to_owned(), format!("numbers from {} to {}", range.start(), range.end()));
            }
            *range.start()
        })
    }

    /// One of the `accepted` words, the first where nothing is said.
    pub fn word(&mut self, name: &str, accepted: &[&'static str]) -> &'static str {
        let Some(value) = self.value(name) else { return accepted[0] };
        let word = match value {
            Value::Text(bytes) => accepted.iter().find(|word| word.as_bytes() == bytes),
            _ => None,
        };
        if word.is_none() {
            self.refuse(name, value.shown(), accepted.join(", "));
        }
        word.unwrap_or(&accepted[0])
    }

    /// Refuses a key that asks for something else than what is done here: all that it may say is `accepted`, a number or 1 for on.
    pub fn only(&mut self, name: &str, accepted: i32) {
        let Some(value) = self.value(name) else { return };
        let says_so = match value {
            Value::Whole(number) => number == i128::from(accepted),
            Value::F32(number) => f64::from(number) == f64::from(accepted),
            Value::F64(number) => number == f64::from(accepted),
            Value::Bool(on) => i32::from(on) == accepted,
            Value::Text(_) | Value::Array(_) => false,
        };
        if !says_so {
            let only = if matches!(value, Value::Bool(_)) { (accepted != 0).to_string() } else { accepted.to_string() };
            self.refuse(name, value.shown(), format!("only {only}"));
        }
    }
}
