//! Writing so that a final name is only ever seen complete, locks between processes, and scratch folders.
//! Knows nothing of models.

use crate::{HubError, HubEvent, Progress};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Held while one process works on something that others may want too; the system frees it when the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock. A file system that has no locks is trusted to have one user.
    pub(crate) fn acquire(path: &Path, progress: &mut dyn Progress) -> Result<Lock, HubError> {
        create_parent(path)?;
        let options = File::options().create(true).truncate(false).write(true).open(path);
        let file = options.map_err(HubError::disk(path, "create"))?;
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                progress.event(&HubEvent::Waiting { lock: path.to_owned() });
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        match locked {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Lock { _file: file }),
            Err(error) => Err(HubError::disk(path, "lock")(error)),
            Ok(()) => Ok(Lock { _file: file }),
        }
    }
}

/// A folder that is removed with everything in it when it goes out of scope.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    /// An empty folder at `path`; what an interrupted run left there is removed first. The caller holds the lock on it.
    pub(crate) fn create(path: PathBuf) -> Result<ScratchFolder, HubError> {
        remove_folder(&path)?;
        std::fs::create_dir_all(&path).map_err(HubError::disk(&path, "create"))?;
        Ok(ScratchFolder { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Nobody is left to tell; the next run removes what stays.
        std::fs::remove_dir_all(&self.path).ok();
    }
}

/// Writes a whole file under a `.partial` name, flushes it to the disk, and gives it its final name.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    create_parent(path)?;
    let partial = own_partial(path);
    let mut file = File::create(&partial).map_err(HubError::disk(&partial, "create"))?;
    file.write_all(bytes).map_err(HubError::disk(&partial, "write"))?;
    file.sync_all().map_err(HubError::disk(&partial, "flush"))?;
    rename(&partial, path)
}

/// Renames and flushes the folder, so that the new name survives a power cut.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), HubError> {
    std::fs::rename(from, to).map_err(HubError::disk(to, "rename a finished file to"))?;
    match to.parent() {
        Some(folder) if cfg!(unix) => {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(HubError::disk(folder, "flush"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn create_parent(path: &Path) -> Result<(), HubError> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(HubError::disk(folder, "create")),
        None => Ok(()),
    }
}

pub(crate) fn remove_file(path: &Path) -> Result<(), HubError> {
    absent_is_fine(std::fs::remove_file(path)).map_err(HubError::disk(path, "remove"))
}

pub(crate) fn remove_folder(path: &Path) -> Result<(), HubError> {
    absent_is_fine(std::fs::remove_dir_all(path)).map_err(HubError::disk(path, "remove"))
}

/// A `.partial` name beside `path` that no other process and no other thread uses.
pub(crate) fn own_partial(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    with_suffix(path, &format!(".{}-{count}.partial", std::process::id()))
}

/// `path` with `suffix` after its whole file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn absent_is_fine(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
