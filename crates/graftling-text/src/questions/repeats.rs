//! Questions that occur more than once about a text, which weigh double and may contradict each other.
//! Knows nothing of where the questions come from.

use std::collections::HashMap;
use std::path::Path;

use super::QuestionExample;
use crate::wording::{counted, quoted};

/// What to tell about questions that are asked again about the same text.
pub(super) fn notices(source: &Path, examples: &[QuestionExample]) -> Option<String> {
    let mut firsts: HashMap<(&str, &str), &QuestionExample> = HashMap::new();
    let mut repeats = Vec::new();
    for example in examples {
        let first = *firsts.entry((example.context.trim(), example.question.trim())).or_insert(example);
        if !std::ptr::eq(first, example) {
            repeats.push((first, example));
        }
    }
    let (first, again) = *repeats.first()?;
    let others = repeats.iter().filter(|(first, again)| first.answers != again.answers).count();
    let told = counted(repeats.len(), "question is asked", "questions are asked");
    let contradicting = if others > 0 { format!(", {others} of them with other answers") } else { String::new() };
    let (again, first) = (quoted(&again.id), quoted(&first.id));
    Some(format!("{}: {told} again about the same text{contradicting} (first: {again} repeats {first})", source.display()))
}
