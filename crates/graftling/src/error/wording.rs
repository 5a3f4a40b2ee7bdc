//! Parts of messages. Knows no cause.

use std::path::PathBuf;

use super::Error;
use crate::SplitName;

/// One error a line.
pub(super) fn lines(complaints: &[Error]) -> String {
    complaints.iter().map(Error::to_string).collect::<Vec<_>>().join("\n")
}

/// The test file of each run.
pub(super) fn tests(named: &[(PathBuf, Option<PathBuf>)]) -> String {
    let test = |test: &Option<PathBuf>| test.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    named.iter().map(|(run, named)| format!("{}: {}", run.display(), test(named))).collect::<Vec<_>>().join("; ")
}

/// The examples of splits, by name.
pub(super) fn splits(splits: &[SplitName]) -> String {
    let names: Vec<String> = splits.iter().map(SplitName::to_string).collect();
    format!("{} examples", names.join(" and "))
}

/// A hint at the word that may have been meant.
pub(super) fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |nearest| format!(" (did you mean {nearest:?}?)"))
}

/// That no question of so many has an answer.
pub(super) fn none_answered(questions: usize) -> String {
    match questions {
        1 => "the only question has no answer".to_owned(),
        several => format!("none of the {several} questions has an answer"),
    }
}

/// That so many tokens leave no room.
pub(super) fn leave(tokens: usize) -> String {
    if tokens == 1 { "1 token leaves".to_owned() } else { format!("{tokens} tokens leave") }
}

/// How much room a write takes, where it is known.
pub(super) fn needed(bytes: u64) -> String {
    if bytes == 0 { String::new() } else { format!(" ({bytes} bytes are needed)") }
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        1_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
