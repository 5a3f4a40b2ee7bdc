//! Texts that two files have in common, which make an evaluation look better than the model is.
//! Knows nothing of what the files are for.

use std::collections::HashMap;
use std::path::Path;

use crate::SameText;
use crate::wording::{counted, quoted};

/// What to tell a person about texts of `evaluation` that the model has seen in `training`: of each the file and its examples.
pub fn leakage_notice<E: SameText>(training: (&Path, &[E]), evaluation: (&Path, &[E])) -> Option<String> {
    let mut seen: HashMap<Vec<&str>, &E> = HashMap::new();
    for example in training.1 {
        seen.entry(example.texts()).or_insert(example);
    }
    let mut shared = evaluation.1.iter().filter_map(|example| Some((example, *seen.get(&example.texts())?)));
    let (here, there) = shared.next()?;
    let first = match here.line().zip(there.line()) {
        Some((here_line, there_line)) => {
            format!(" (first: line {here_line}, {}, is line {there_line} there)", quoted(&here.texts().join(" ")))
        }
        None => String::new(),
    };
    Some(format!(
        "{}: {} of {} stand in {}, too{first}; figures on them say nothing about new texts",
        evaluation.0.display(),
        1 + shared.count(),
        counted(evaluation.1.len(), "text", "texts"),
        training.0.display(),
    ))
}
