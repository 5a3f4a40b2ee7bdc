//! The tags of a dataset, and what is odd about them. Knows nothing of how files hold them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{TokenDataset, TokenExample, WordOrigin};
use crate::LabelSet;
use crate::wording::counted;

impl TokenDataset {
    /// All tags that occur, sorted.
    pub fn tag_set(&self) -> LabelSet {
        let distinct: BTreeSet<&String> = self.examples.iter().filter_map(|example| example.tags.as_ref()).flatten().collect();
        LabelSet::from_names(&distinct.into_iter().collect::<Vec<_>>())
    }
}

impl TokenExample {
    /// The line of a word, from 1.
    pub fn line_of(&self, word: usize) -> usize {
        match &self.origin {
            WordOrigin::Lines(lines) => lines.get(word).copied().unwrap_or(self.line),
            WordOrigin::List | WordOrigin::Text { .. } => self.line,
        }
    }
}

/// Tells entities that begin with `I-`: right in IOB1, a slip in IOB2.
pub(super) fn notices(source: &Path, examples: &[TokenExample]) -> Option<String> {
    let (mut entities, mut first_line) = (0, 0);
    for example in examples {
        let mut before = "O";
        for (index, tag) in example.tags.iter().flatten().enumerate() {
            let inside = |tag: &str| {
                tag.split_once('-').filter(|(prefix, _)| matches!(*prefix, "B" | "I")).map(|(_, kind)| kind.to_owned())
            };
            if tag.starts_with("I-") && inside(before) != inside(tag) {
                entities += 1;
                first_line = if entities == 1 { example.line_of(index) } else { first_line };
            }
            before = tag;
        }
    }
    let begin = counted(entities, "entity begins", "entities begin");
    let told = format!(
        "{}: {begin} with an I- tag and not with a B- tag (first on line {first_line}); a slip in IOB2, and right in IOB1, which the strict mode reads with tag_scheme = iob1",
        source.display()
    );
    (entities > 0).then_some(told)
}

/// Tells examples without a word, which only data to predict may have.
pub(super) fn wordless_notice(source: &Path, examples: &[TokenExample]) -> Option<String> {
    let mut wordless = examples.iter().filter(|example| example.words.is_empty());
    let first = wordless.next()?.line;
    let rows = counted(1 + wordless.count(), "row has", "rows have");
    Some(format!("{}: {rows} no word (first on line {first}) and get no tags", source.display()))
}
