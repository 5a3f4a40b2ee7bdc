//! What can be wrong with a recipe, and where it was written. Knows nothing of how a recipe is read.

use std::fmt;
use std::path::PathBuf;

/// Where an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is the default.
    Default,
    /// On the command line.
    Flag,
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// One complaint about a recipe.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{place}not TOML: {message}")]
    NotToml {
        /// Where.
        place: Place,
        /// What the parser said.
        message: String,
    },
    /// There is no option of that name.
    #[error("{place}unknown option \"{name}\"{}", did_you_mean(nearest))]
    Unknown {
        /// Where it was given.
        place: Place,
        /// The name given.
        name: String,
        /// A name that exists and is near.
        nearest: Option<&'static str>,
    },
    /// The value is not one the option accepts.
    #[error("{}: found {found}, accepted is {accepted}{}", place.name(name), did_you_mean(nearest))]
    NotAccepted {
        /// Where it was given.
        place: Place,
        /// The option.
        name: &'static str,
        /// The value, as written.
        found: String,
        /// What is accepted.
        accepted: String,
        /// A word that is accepted and is near.
        nearest: Option<&'static str>,
    },
    /// An option that has no default is not given.
    #[error("{name} is not given: give --{} {placeholder}, or {name} = ... in recipe.toml", name.replace('_', "-"))]
    Missing {
        /// The option.
        name: &'static str,
        /// What stands for its value in help.
        placeholder: String,
    },
    /// Two options cannot both hold.
    #[error("{} = {value} does not go with {} = {other_value}: {reason}", place.name(name), other_place.name(other))]
    Contradiction {
        /// Where the option was given.
        place: Place,
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// Where the other was given.
        other_place: Place,
        /// The other option.
        other: &'static str,
        /// The other's value.
        other_value: String,
        /// Why not, and what to do.
        reason: &'static str,
    },
}

/// Every complaint about a recipe; there is at least one.
#[derive(Debug)]
pub struct RecipeErrors {
    /// The complaints: first what was given, in order, then what is missing, then what contradicts.
    pub complaints: Vec<RecipeError>,
}

impl RecipeErrors {
    pub(super) fn one(complaint: RecipeError) -> RecipeErrors {
        RecipeErrors { complaints: vec![complaint] }
    }
}

impl fmt::Display for RecipeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.complaints.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            complaint.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for RecipeErrors {}

impl Place {
    /// The option as its writer knows it: `--batch-size`, or `recipe.toml:7: batch_size`.
    fn name(&self, name: &str) -> String {
        match self {
            Place::Flag => format!("--{}", name.replace('_', "-")),
            Place::Default | Place::File { .. } => format!("{self}{name}"),
        }
    }
}

/// As a prefix: `recipe.toml:7: `, or nothing for a flag or a default.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Default | Place::Flag => Ok(()),
            Place::File { path, line } => write!(f, "{}:{line}: ", path.display()),
        }
    }
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or(String::new(), |nearest| format!(" (did you mean \"{nearest}\"?)"))
}
