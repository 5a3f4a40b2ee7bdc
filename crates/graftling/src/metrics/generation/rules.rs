//! Patterns that are replaced in a text, one after the other. Knows not what for.

use regex::Regex;

/// What to look for, and what to put there; `$1` is what the first group found.
pub(super) type Rule = (&'static str, &'static str);

/// Rules, ready to be applied.
pub(super) struct Rules(Vec<(Regex, &'static str)>);

impl Rules {
    /// # Panics
    /// If a pattern is none.
    pub fn new(rules: &[Rule]) -> Self {
        Self(rules.iter().map(|(pattern, instead)| (Regex::new(pattern).expect("a pattern of a rule"), *instead)).collect())
    }

    /// The text after all of them.
    pub fn applied(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, instead) in &self.0 {
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        text
    }
}
