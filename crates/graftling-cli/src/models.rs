//! From the name of a model to its folder, with the environment of this process and progress on stderr.
//! Knows nothing of what the model is used for.

use std::env;
use std::path::{Path, PathBuf};

use graftling_hub::{Environment, Pulled, Silent, resolve};
use graftling_models::SourceFormat;

use crate::console::Console;
use crate::failure::Failure;
use crate::progress::DownloadProgress;

/// The variables that forbid the network; setting the first is how a look around on this disk only is asked for.
const OFFLINE: &str = "HF_HUB_OFFLINE";

/// The folder of a model, fetched where it is not here yet.
pub fn folder(model: &str, console: &Console) -> Result<PathBuf, Failure> {
    Ok(resolve(model, &environment(), &mut DownloadProgress::new(console))?)
}

/// The model file of this name, or the one in the folder of a model that is fetched where it is not here yet.
pub fn file_to_import(named: &str, console: &Console) -> Result<PathBuf, Failure> {
    let path = Path::new(named);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_called_so = matches!(ending.as_deref(), Some("gguf" | "npz" | "bin"));
    if path.is_file() || (is_called_so && !path.is_dir()) {
        return Ok(path.to_owned());
    }
    let folder = folder(named, console)?;
    let found =
        SourceFormat::files_in(&folder).map_err(|source| Failure::File { path: folder.clone(), action: "list", source })?;
    match found.as_slice() {
        [only] => Ok(folder.join(only)),
        _ => {
            Err(Failure::NotOneToImport { folder, found: found.iter().map(|name| name.to_string_lossy().into_owned()).collect() })
        }
    }
}

/// The folder of a model, every file of it verified, and where it came from.
pub fn pull(model: &str, console: &Console) -> Result<Pulled, Failure> {
    Ok(graftling_hub::pull(model, &environment(), &mut DownloadProgress::new(console))?)
}

/// The folder of a model that is on this disk already.
pub fn folder_if_here(model: &str) -> Option<PathBuf> {
    let offline = Environment::from_lookup(|name| if name == OFFLINE { Some("1".to_owned()) } else { env::var(name).ok() });
    resolve(model, &offline, &mut Silent).ok()
}

/// Whether the name needs no look-up.
pub fn is_folder(model: &str) -> bool {
    Path::new(model).is_dir()
}

fn environment() -> Environment {
    Environment::from_lookup(|name| env::var(name).ok())
}
