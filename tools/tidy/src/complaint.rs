//! One broken rule at one place. Knows nothing of the rules.

use std::fmt;

/// A broken rule, printed as `path:line: text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file, from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Complaint {
    /// A complaint about a line, counted from 0 as in an enumeration.
    pub fn at(path: &str, index: usize, text: impl Into<String>) -> Complaint {
        Complaint { path: path.to_owned(), line: index + 1, text: text.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.text)
    }
}
