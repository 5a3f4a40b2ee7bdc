//! Texts that occur more than once in a dataset, which weigh double and may contradict each other.
//! Knows nothing of where the examples come from.

use std::collections::HashMap;

use super::Example;
use crate::SameText;
use crate::wording::counted;

/// What to tell about texts that occur again, and about those that occur with another label.
pub(super) fn notices<L: PartialEq>(examples: &[Example<L>]) -> Vec<String> {
    let mut firsts: HashMap<(&str, &str), &Example<L>> = HashMap::new();
    let mut repeats = Repeats::default();
    let mut contradictions = Repeats::default();
    for example in examples {
        let first = *firsts.entry(example.texts()).or_insert(example);
        if std::ptr::eq(first, example) {
            continue;
        }
        repeats.add(first, example);
        if first.label != example.label {
            contradictions.add(first, example);
        }
    }
    let mut notices = Vec::new();
    if let Some((first, again)) = repeats.lines {
        let rows = counted(repeats.rows, "row repeats", "rows repeat");
        notices.push(format!("{rows} a text that stands earlier in the file (first: line {again} repeats line {first})"));
    }
    if let Some((first, again)) = contradictions.lines {
        let rows = counted(contradictions.rows, "row gives", "rows give");
        notices.push(format!(
            "{rows} such a text another label (first: line {again} against line {first}); a model can only learn one of them"
        ));
    }
    notices
}

#[derive(Default)]
struct Repeats {
    rows: usize,
    lines: Option<(usize, usize)>,
}

impl Repeats {
    fn add<L>(&mut self, first: &Example<L>, again: &Example<L>) {
        self.rows += 1;
        self.lines.get_or_insert((first.line, again.line));
    }
}

impl<L> SameText for Example<L> {
    fn texts(&self) -> Vec<&str> {
        [Some(&self.text), self.text_pair.as_ref()].into_iter().flatten().map(|text| text.trim()).collect()
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

impl<L> Example<L> {
    /// What makes two examples the same to a model: their texts without the white space around them.
    pub(crate) fn texts(&self) -> (&str, &str) {
        (self.text.trim(), self.text_pair.as_deref().unwrap_or_default().trim())
    }
}
