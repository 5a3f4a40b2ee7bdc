//! From the name of a model to its folder, with the environment of this process and progress on stderr.
//! Knows nothing of what the model is used for.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use graftling_hub::{Environment, Pulled, Silent, resolve};

use crate::console::Console;
use crate::failure::Failure;
use crate::progress::DownloadProgress;

/// The variables that forbid the network; setting the first is how a look around on this disk only is asked for.
const OFFLINE: &str = "HF_HUB_OFFLINE";

/// The folder of a model, fetched where it is not here yet.
pub fn folder(model: &str, console: &Console) -> Result<PathBuf, Failure> {
    Ok(resolve(model, &environment(), &mut DownloadProgress::new(console))?)
}

/// The GGUF file of this name, or the one in the folder of a model that is fetched where it is not here yet.
pub fn gguf_file(named: &str, console: &Console) -> Result<PathBuf, Failure> {
    let path = Path::new(named);
    let is_gguf = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
    if path.is_file() || is_gguf(path) {
        return Ok(path.to_owned());
    }
    let folder = folder(named, console)?;
    let failed = |source| Failure::File { path: folder.clone(), action: "list", source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let name = PathBuf::from(entry.map_err(failed)?.file_name());
        found.extend(is_gguf(&name).then(|| name.to_string_lossy().into_owned()));
    }
    found.sort();
    match found.as_slice() {
        [only] => Ok(folder.join(only)),
        _ => Err(Failure::NotOneGguf { folder, found }),
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
