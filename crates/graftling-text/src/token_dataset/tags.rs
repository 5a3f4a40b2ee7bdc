//! The tags of a dataset: their numbers, and what is odd about them. Knows nothing of how files hold them.

use std::collections::BTreeSet;
use std::path::Path;

use super::problem::TokenProblem;
use super::{TokenDataset, TokenExample, WordOrigin, at};
use crate::problem::Problems;
use crate::wording::counted;
use crate::{LabelSet, TextError};

impl TokenDataset {
    /// All tags that occur, sorted.
    pub fn tag_set(&self) -> LabelSet {
        let distinct: BTreeSet<&String> = self.examples.iter().filter_map(|example| example.tags.as_ref()).flatten().collect();
        LabelSet::from_names(&distinct.into_iter().collect::<Vec<_>>())
    }

    /// The number of every tag in a set; all tags that are not in it are told in one error. An example without tags has none.
    pub fn tag_ids(&self, tags: &LabelSet) -> Result<Vec<Vec<usize>>, TextError> {
        let mut problems = Problems::new(&self.source);
        let mut ids = Vec::with_capacity(self.examples.len());
        for example in &self.examples {
            let written = example.tags.as_deref().unwrap_or_default();
            let number = |(index, tag): (usize, &String)| {
                tags.id(tag).unwrap_or_else(|| {
                    problems.add_with(|| {
                        let unknown = TokenProblem::UnknownTag {
                            word: example.words.get(index).cloned().unwrap_or_default(),
                            tag: tag.clone(),
                            accepted: tags.names().to_vec(),
                            near: tags.nearest(tag).map(str::to_owned),
                        };
                        at(example.line_of(index), unknown)
                    });
                    0
                })
            };
            ids.push(written.iter().enumerate().map(number).collect());
        }
        problems.check().map(|()| ids)
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
        "{}: {begin} with an I- tag and not with a B- tag (first on line {first_line}); right in IOB1, a slip in IOB2",
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
