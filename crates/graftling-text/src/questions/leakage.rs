//! Texts that two files ask about, which make an evaluation look better than the model is.
//! Knows nothing of what the files are for.

use std::collections::HashMap;

use super::QuestionExample;
use crate::Examples;
use crate::wording::{counted, quoted};

/// What to tell a person about questions of `evaluation` whose texts the model has seen in `training`.
pub fn shared_contexts_notice(training: &Examples<QuestionExample>, evaluation: &Examples<QuestionExample>) -> Option<String> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for example in &training.examples {
        seen.entry(example.context.trim()).or_insert(&example.id);
    }
    let shared: Vec<(&str, &str)> = evaluation
        .examples
        .iter()
        .filter_map(|example| Some((example.id.as_str(), *seen.get(example.context.trim())?)))
        .collect();
    let (here, there) = shared.first()?;
    Some(format!(
        "{}: {} of {} about texts that stand in {}, too (first: that of {} is that of {} there); figures on them say nothing about \
         new texts",
        evaluation.source.display(),
        shared.len(),
        counted(evaluation.examples.len(), "question is", "questions are"),
        training.source.display(),
        quoted(here),
        quoted(there)
    ))
}
