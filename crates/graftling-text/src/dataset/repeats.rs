//! Texts that occur more than once in a dataset, which weigh double and may contradict each other.
//! Knows nothing of where the examples come from.

use std::collections::HashMap;

use super::Example;
use crate::SameText;
use crate::wording::counted;

/// What is looked at of an example: its texts without the white space around them, and what it should be answered with.
pub(crate) struct TextRow<'a, L> {
    /// The text and the second text.
    pub texts: (&'a str, &'a str),
    /// What it should be answered with.
    pub label: L,
    /// Where it stands.
    pub line: usize,
}

/// What to tell about texts that occur again, and about those that occur with another label, which is called so.
pub(crate) fn repeats_notices<'a, L: PartialEq>(rows: impl Iterator<Item = TextRow<'a, L>>, label: &str) -> Vec<String> {
    let mut firsts: HashMap<(&str, &str), (L, usize)> = HashMap::new();
    let mut repeats = Repeats::default();
    let mut contradictions = Repeats::default();
    for row in rows {
        let Some((first, line)) = firsts.get(&row.texts) else {
            firsts.insert(row.texts, (row.label, row.line));
            continue;
        };
        repeats.add(*line, row.line);
        if *first != row.label {
            contradictions.add(*line, row.line);
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
            "{rows} such a text another {label} (first: line {again} against line {first}); a model can only learn one of them"
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
    fn add(&mut self, first: usize, again: usize) {
        self.rows += 1;
        self.lines.get_or_insert((first, again));
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

    /// What is looked at of it.
    pub(super) fn row(&self) -> TextRow<'_, &Option<L>> {
        TextRow { texts: self.texts(), label: &self.label, line: self.line }
    }
}
