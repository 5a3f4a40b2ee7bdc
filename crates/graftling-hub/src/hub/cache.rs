//! The cache folder that all clients of the hub share: references, blobs named by their checksum, snapshots of links.
//! Knows nothing of the network.

use super::Repository;
use crate::digest::Checksum;
use crate::disk::{self, Lock};
use crate::{HubError, HubEvent, Progress};
use std::path::{Path, PathBuf};

/// The cache of one model: `models--org--name/{refs, blobs, snapshots}`.
#[derive(Debug)]
pub(crate) struct RepositoryCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepositoryCache {
    pub(crate) fn new(cache: PathBuf, repository: &Repository) -> RepositoryCache {
        let name = hf_hub::Repo::model(repository.id().to_owned()).folder_name();
        RepositoryCache { folder: cache.join(&name), locks: cache.join(".locks").join(name) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The snapshot that a branch, tag or commit stands for here, where one is.
    pub(crate) fn snapshot(&self, revision: &str) -> Option<PathBuf> {
        let reference = std::fs::read_to_string(self.folder.join("refs").join(revision)).ok();
        let commit = reference.as_deref().map_or(revision, str::trim);
        // A reference is a file that anyone may have written; it must not lead out of the cache.
        if commit.is_empty() || commit.contains(['/', '\\']) || commit.starts_with('.') {
            return None;
        }
        Some(self.snapshot_folder(commit)).filter(|folder| folder.is_dir())
    }

    pub(crate) fn snapshot_folder(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Keeps other processes from writing the same blob; the place is the one other clients use.
    pub(crate) fn lock(&self, etag: &str, progress: &mut dyn Progress) -> Result<Lock, HubError> {
        Lock::acquire(&self.locks.join(format!("{etag}.lock")), progress)
    }

    /// Makes a blob visible under its name in a snapshot.
    pub(crate) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<(), HubError> {
        let name = self.snapshot_folder(commit).join(file);
        disk::create_parent(&name)?;
        // A file in a folder of the snapshot lies further from the blobs.
        let up: PathBuf = std::iter::repeat_n("..", 2 + file.matches('/').count()).collect();
        let target = up.join("blobs").join(etag);
        if std::fs::read_link(&name).is_ok_and(|present| present == target) {
            return Ok(());
        }
        let partial = disk::own_partial(&name);
        disk::remove_file(&partial)?;
        make_link(&target, &self.blob(etag), &partial).map_err(HubError::disk(&partial, "create"))?;
        disk::rename(&partial, &name)
    }

    /// Remembers which commit a branch or tag stands for.
    pub(crate) fn write_reference(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if revision == commit {
            return Ok(());
        }
        disk::write_whole(&self.folder.join("refs").join(revision), commit.as_bytes())
    }

    /// Checks every file of a snapshot whose blob carries its checksum as its name.
    pub(crate) fn verify(&self, snapshot: &Path, progress: &mut dyn Progress) -> Result<(), HubError> {
        for entry in std::fs::read_dir(snapshot).map_err(HubError::disk(snapshot, "list"))? {
            let path = entry.map_err(HubError::disk(snapshot, "list"))?.path();
            let Ok(blob) = std::fs::read_link(&path) else { continue };
            let Some(checksum) = blob.file_name().and_then(|name| name.to_str()).and_then(Checksum::from_etag) else { continue };
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            checksum.verify(&path, &file)?;
            progress.event(&HubEvent::Verified { file });
        }
        Ok(())
    }
}

#[cfg(unix)]
fn make_link(target: &Path, _blob: &Path, name: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, name)
}

// Links need special rights on some systems; a second copy always works.
#[cfg(not(unix))]
fn make_link(_target: &Path, blob: &Path, name: &Path) -> std::io::Result<()> {
    std::fs::copy(blob, name).map(|_| ())
}
