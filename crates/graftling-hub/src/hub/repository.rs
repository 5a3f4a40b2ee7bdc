//! The name of a model on the hub: organisation, name and revision.
//! Knows nothing of where it is kept.

use crate::HubError;
use std::fmt;

/// A model of the hub at a revision (a branch, a tag or a commit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    id: String,
    revision: Option<String>,
}

/// The branch that is meant when none is named.
const DEFAULT_REVISION: &str = "main";

impl Repository {
    /// Reads `org/name` or `org/name@revision`.
    pub(crate) fn parse(name: &str) -> Result<Repository, HubError> {
        let refused = |reason| Err(HubError::BadHubId { name: name.to_owned(), reason });
        let (id, revision) = match name.split_once('@') {
            Some((id, revision)) => (id, Some(revision)),
            None => (name, None),
        };
        for part in id.split('/') {
            if part.is_empty() {
                return refused("a part of it is empty");
            }
            if part.starts_with(['.', '-']) || part.contains("..") || part.contains("--") {
                return refused("its parts cannot begin with \".\" or \"-\", nor hold \"..\" or \"--\"");
            }
            if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
                return refused("only letters, digits, \".\", \"_\" and \"-\" are allowed");
            }
        }
        if revision.is_some_and(|revision| !is_revision(revision)) {
            return refused("the revision is not the name of a branch, a tag or a commit");
        }
        Ok(Repository { id: id.to_owned(), revision: revision.map(str::to_owned) })
    }

    /// A model at a commit that the program knows.
    pub(crate) fn at(id: &str, revision: &str) -> Result<Repository, HubError> {
        Repository::parse(&format!("{id}@{revision}"))
    }

    /// `org/name`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The branch, tag or commit.
    pub(crate) fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(DEFAULT_REVISION)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(formatter, "{}@{revision}", self.id),
            None => formatter.write_str(&self.id),
        }
    }
}

// A revision becomes a path under refs/, so nothing in it may leave that folder.
fn is_revision(revision: &str) -> bool {
    revision.len() <= 200
        && revision.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains(".."))
        && revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+/".contains(&byte))
}
