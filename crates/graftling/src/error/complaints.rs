//! Errors that are gathered so that all of them are told at once. Knows none of them.

use super::Error;

/// Complaints that are gathered before anything is done, so that all of them are told at once.
#[derive(Default)]
pub(crate) struct Complaints(Vec<Error>);

impl Complaints {
    /// Keeps what an attempt gave, or its complaint for later.
    pub fn note<T>(&mut self, outcome: Result<T, impl Into<Error>>) -> Option<T> {
        outcome.map_err(|complaint| self.0.push(complaint.into())).ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one complaint, or all of them.
    pub fn into_error(mut self) -> Error {
        if self.0.len() == 1 { self.0.remove(0) } else { Error::Several(self.0) }
    }

    /// An error where there are complaints.
    pub fn check(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }
}
