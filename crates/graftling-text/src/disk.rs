//! Writes a file so that its final name is only ever seen complete. Knows nothing of what is written.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::TextError;

/// The file under its temporary name; gone again unless it was finished.
struct Partial<'a> {
    path: &'a Path,
    finished: bool,
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // An error is on its way already; a leftover under a .partial name misleads nobody.
            fs::remove_file(self.path).ok();
        }
    }
}

/// Writes to a temporary name in the same folder, flushes to the disk, and renames.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<(), TextError> {
    if path.is_dir() {
        return Err(TextError::IsFolder { path: path.to_owned() });
    }
    let partial = partial_name(path);
    let file = File::create(&partial).map_err(TextError::file(path, "create"))?;
    let mut guard = Partial { path: &partial, finished: false };
    let mut buffer = BufWriter::new(&file);
    write(&mut buffer).and_then(|()| buffer.flush()).map_err(TextError::file(path, "write"))?;
    drop(buffer);
    file.sync_all().map_err(TextError::file(path, "flush to the disk"))?;
    fs::rename(&partial, path).map_err(TextError::file(path, "give the finished file its name"))?;
    guard.finished = true;
    sync_folder(path)
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    PathBuf::from(name)
}

/// Flushes the folder, so that the new name survives a power cut. Only Unix can open a folder for that.
#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), TextError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(TextError::file(folder, "flush to the disk"))
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> Result<(), TextError> {
    Ok(())
}
