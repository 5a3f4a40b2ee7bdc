//! Writes a file whole or not at all: a temporary neighbour, fsync, rename, fsync of the folder. Knows no format.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::ModelError;

/// Puts what `write` writes under `path`. Until the last moment, and after any failure, `path` is what it was before.
pub(super) fn replace(path: &Path, bytes: u64, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ModelError> {
    let temporary = temporary_neighbour(path);
    let outcome = fill(&temporary, write).and_then(|()| fs::rename(&temporary, path)).and_then(|()| sync_folder(path));
    outcome.map_err(|source| {
        // What failed is told; that its remains could not be cleared away as well would only hide it.
        drop(fs::remove_file(&temporary));
        ModelError::Write { path: path.to_owned(), bytes, source }
    })
}

fn temporary_neighbour(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

fn fill(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 20, File::create(path)?);
    write(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Makes the new name itself last. Only Unix lets a folder be opened for this.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
