//! Models of the hub: looked up in the cache that all clients of the hub share, or downloaded into it.
//! Knows nothing of the catalogue and of other sources.

mod cache;
mod client;
mod connection;
mod download;
mod listing;
mod repository;
mod selection;
#[cfg(test)]
mod tests;

pub(crate) use repository::Repository;

use crate::digest::Checksum;
use crate::{Effort, Environment, HubError, HubEvent, Origin, PinnedFile, Progress, Pulled};
use cache::RepositoryCache;
use client::HubClient;
use listing::Listing;
use std::path::{Path, PathBuf};

/// The folder of a model of the hub.
pub(crate) fn model(
    repository: &Repository,
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<Pulled, HubError> {
    let cache = RepositoryCache::new(environment.hub_cache()?, repository);
    let cached = cache.snapshot(repository.revision()).filter(|folder| selection::is_complete(folder));
    let cached = match (cached, effort, environment.offline) {
        (Some(folder), Effort::UseWhatIsHere, _) => return Ok(from_cache(repository, folder)),
        (Some(folder), Effort::VerifyAll, Some(_)) => {
            cache.verify(&folder, progress)?;
            return Ok(from_cache(repository, folder));
        }
        (None, _, Some(variable)) => {
            let model = repository.to_string();
            return Err(HubError::Offline { model, variable, looked_in: cache.folder().to_owned() });
        }
        (cached, ..) => cached,
    };
    match downloaded(repository, &cache, environment, effort, progress) {
        Ok(folder) => Ok(Pulled { folder, origin: Origin::Hub(repository.to_string()) }),
        // A laptop on a train still gets what it has.
        Err(HubError::Unreachable { endpoint, reason }) => match cached {
            None => Err(HubError::NotHere { model: repository.to_string(), endpoint, reason }),
            Some(folder) => {
                let to = format!("the hub cache ({})", cache.folder().display());
                progress.event(&HubEvent::Fallback { from: endpoint, to, reason });
                cache.verify(&folder, progress)?;
                Ok(from_cache(repository, folder))
            }
        },
        Err(error) => Err(error),
    }
}

/// The folder of a commit whose files are known in advance; every file is checked against its pinned checksum.
pub(crate) fn pinned_files(
    repository: &Repository,
    files: &[PinnedFile],
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<Pulled, HubError> {
    let cache = RepositoryCache::new(environment.hub_cache()?, repository);
    let cached = cache.snapshot(repository.revision()).filter(|folder| files.iter().all(|file| file.within(folder).is_file()));
    let broken = match cached {
        None => None,
        Some(folder) => match verify_pinned(&folder, files, progress) {
            Ok(()) => return Ok(from_cache(repository, folder)),
            Err(error) => Some(error),
        },
    };
    if let Some(variable) = environment.offline {
        let missing = || HubError::Offline { model: repository.to_string(), variable, looked_in: cache.folder().to_owned() };
        return Err(broken.unwrap_or_else(missing));
    }
    let effort = if broken.is_some() { Effort::VerifyAll } else { effort };
    let client = HubClient::new(environment)?;
    let listing = client.listing(repository, progress)?;
    for file in files {
        fetch(&listing.commit, file.name, &listing, &Transfer { client: &client, repository, cache: &cache, effort }, progress)?;
    }
    let folder = cache.snapshot_folder(&listing.commit);
    verify_pinned(&folder, files, progress)?;
    Ok(Pulled { folder, origin: Origin::Hub(repository.to_string()) })
}

/// What the transfer of every file of a model shares.
struct Transfer<'a> {
    client: &'a HubClient,
    repository: &'a Repository,
    cache: &'a RepositoryCache,
    effort: Effort,
}

fn downloaded(
    repository: &Repository,
    cache: &RepositoryCache,
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<PathBuf, HubError> {
    let client = HubClient::new(environment)?;
    let source = client.endpoint().to_owned();
    progress.event(&HubEvent::Source { model: repository.to_string(), source });
    let listing = client.listing(repository, progress)?;
    let transfer = Transfer { client: &client, repository, cache, effort };
    let selection = selection::select(repository, &listing)?;
    for file in &selection.small_files {
        fetch(&listing.commit, file, &listing, &transfer, progress)?;
    }
    let folder = cache.snapshot_folder(&listing.commit);
    // Weights come last: a folder with weights is a whole one.
    match selection.weights {
        selection::Weights::Single(file) => fetch(&listing.commit, file, &listing, &transfer, progress)?,
        selection::Weights::Sharded { index } => {
            fetch(&listing.commit, index, &listing, &transfer, progress)?;
            for shard in selection::shards(&folder.join(index))? {
                fetch(&listing.commit, &shard, &listing, &transfer, progress)?;
            }
        }
    }
    cache.write_reference(repository.revision(), &listing.commit)?;
    Ok(folder)
}

fn fetch(
    commit: &str,
    file: &str,
    listing: &Listing,
    transfer: &Transfer<'_>,
    progress: &mut dyn Progress,
) -> Result<(), HubError> {
    let Transfer { client, repository, cache, effort } = transfer;
    let listed = listing.files.iter().find(|listed| listed.name == file).ok_or_else(|| HubError::NotFound {
        model: repository.to_string(),
        endpoint: client.endpoint().to_owned(),
        what: format!("file \"{file}\""),
        detail: String::new(),
    })?;
    let remote = client.identified(listed, repository, commit, progress)?;
    let _lock = cache.lock(&remote.etag, progress)?;
    let blob = cache.blob(&remote.etag);
    let here = match blob.metadata() {
        Ok(found) => {
            remote.bytes.is_none_or(|bytes| bytes == found.len())
                && (*effort == Effort::UseWhatIsHere || intact(&blob, &remote, progress))
        }
        Err(_) => false,
    };
    if !here {
        download::download(client, &remote, &blob, progress)?;
    }
    cache.link(commit, file, &remote.etag)
}

fn intact(blob: &Path, remote: &client::RemoteFile, progress: &mut dyn Progress) -> bool {
    let Some(checksum) = Checksum::from_etag(&remote.etag) else { return false };
    let intact = checksum.verify(blob, &remote.name).is_ok();
    if intact {
        progress.event(&HubEvent::Verified { file: remote.name.clone() });
    }
    intact
}

fn verify_pinned(folder: &Path, files: &[PinnedFile], progress: &mut dyn Progress) -> Result<(), HubError> {
    for file in files {
        Checksum::Sha256(file.sha256.to_owned()).verify(&file.within(folder), file.name)?;
        progress.event(&HubEvent::Verified { file: file.name.to_owned() });
    }
    Ok(())
}

fn from_cache(repository: &Repository, folder: PathBuf) -> Pulled {
    Pulled { folder, origin: Origin::HubCache(repository.to_string()) }
}
