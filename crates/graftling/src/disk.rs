//! Writes that are either whole or not there, and the room for them. Knows nothing of what is written.

mod lock;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, OutputError};
pub(crate) use lock::Lock;

/// Marks what is not finished: a name that no reader looks for.
const PARTIAL: &str = ".partial";

/// The hidden name that a file has until it is whole: one that no other process gives.
fn partial_file(path: &Path) -> PathBuf {
    hidden(path, &format!(".{}{PARTIAL}", std::process::id()))
}

/// The hidden name that a folder has until it is whole. It is always the same, so that what a killed process left is cleared away by the
/// next attempt; whoever fills it holds a lock.
fn partial_folder(path: &Path) -> PathBuf {
    hidden(path, PARTIAL)
}

fn hidden(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{ending}"))
}

/// Whether a name is that of something unfinished.
pub(crate) fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(PARTIAL)
}

/// Writes a file under a temporary name, makes sure that it is on the disk, and only then gives it its own.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = partial_file(path);
    write_through(&partial, bytes).and_then(|()| rename(&partial, path)).map_err(|source| Error::Write {
        path: path.to_owned(),
        bytes: bytes.len() as u64,
        source,
    })
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Fills a folder under a temporary name through `fill` and only then gives it its own, in the place of what is there. Where `fill` fails
/// nothing is left. The caller holds the lock of what the folder stands in.
pub(crate) fn write_folder(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let partial = filled(path, fill)?;
    remove_folder(path).and_then(|()| rename(&partial, path)).map_err(|source| not_written(path, source))
}

/// The same where nothing is to be replaced but an empty folder: what has been put there meanwhile stays. One process at a time writes it.
pub(crate) fn write_new_folder(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let failed = |source| not_written(path, source);
    fs::create_dir_all(parent(path)).map_err(failed)?;
    let _lock = Lock::take(&hidden(path, ".lock"), path)?;
    let partial = filled(path, fill)?;
    absent_is_fine(fs::remove_dir(path)).and_then(|()| rename(&partial, path)).map_err(|source| {
        remove_folder(&partial).ok();
        match source.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                OutputError::Filled { folder: path.to_owned() }.into()
            }
            _ => failed(source),
        }
    })
}

/// A folder that `fill` has filled, under its temporary name.
fn filled(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<PathBuf, Error> {
    let partial = partial_folder(path);
    let failed = |source| not_written(path, source);
    remove_folder(&partial).map_err(failed)?;
    fs::create_dir_all(&partial).map_err(failed)?;
    if let Err(error) = fill(&partial) {
        // The error that is reported is the first one; what could not be cleared away is replaced by the next attempt.
        remove_folder(&partial).ok();
        return Err(error);
    }
    sync_folder(&partial).map_err(failed)?;
    Ok(partial)
}

fn not_written(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.to_owned(), bytes: 0, source }
}

/// Renames, and sees to it that the name is on the disk.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to).and_then(|()| sync_folder(parent(to)))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Removes a file, for good; that it is not there is no error.
pub(crate) fn remove_file(path: &Path) -> Result<(), Error> {
    let removed = fs::remove_file(path).and_then(|()| sync_folder(parent(path)));
    absent_is_fine(removed).map_err(|source| not_written(path, source))
}

/// Removes a folder that others may look into: it is there as it was, or not at all.
pub(crate) fn remove_whole_folder(path: &Path) -> Result<(), Error> {
    let partial = partial_folder(path);
    let removed =
        remove_folder(&partial).and_then(|()| absent_is_fine(rename(path, &partial))).and_then(|()| remove_folder(&partial));
    removed.map_err(|source| not_written(path, source))
}

/// Removes a folder and what is in it; that it is not there is no error.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_dir_all(path))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Puts the file `from` at `to` too, through a temporary name: the same bytes on the disk where the file system can do that,
/// a copy where it cannot. Files of a run are never written in place, so sharing their bytes is safe.
pub(crate) fn share(from: &Path, to: &Path) -> Result<(), Error> {
    let partial = partial_file(to);
    let attempt = || {
        absent_is_fine(fs::remove_file(&partial))?;
        if fs::hard_link(from, &partial).is_err() {
            fs::copy(from, &partial)?;
            File::open(&partial)?.sync_all()?;
        }
        fs::rename(&partial, to)?;
        // Renaming onto another name of the same file does nothing, and leaves the temporary name behind.
        if partial.exists() {
            fs::remove_file(&partial)?;
        }
        sync_folder(parent(to))
    };
    attempt().map_err(|source| Error::Write {
        path: to.to_owned(),
        bytes: fs::metadata(from).map(|facts| facts.len()).unwrap_or_default(),
        source,
    })
}

/// Makes sure that the names in a folder are on the disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Other systems keep names without being asked, and do not open folders as files.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses a folder that cannot be made or written to: a file is written into the nearest folder that is there, and removed again.
pub(crate) fn check_folder(path: &Path) -> Result<(), OutputError> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(OutputError::InAFile { path: path.to_owned(), file: existing.to_owned() });
    }
    let probe = partial_file(&existing.join("written"));
    let written = File::create(&probe).and_then(|_| fs::remove_file(&probe));
    written.map_err(|source| OutputError::NotWritable { path: path.to_owned(), folder: existing.to_owned(), source })
}

/// Refuses to start what the disk under `folder` has no room for. The folder itself need not exist yet.
pub(crate) fn check_space(folder: &Path, needed_bytes: u64) -> Result<(), Error> {
    let existing = folder.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(Path::new("."));
    let available_bytes = fs4::available_space(existing).map_err(|source| Error::Read { path: existing.to_owned(), source })?;
    if available_bytes < needed_bytes {
        return Err(Error::NotEnoughSpace { folder: folder.to_owned(), needed_bytes, available_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        write(&path, b"{}").unwrap();
        write(&path, b"{\"a\": 1}").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\": 1}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write(&folder.path().join("missing/config.json"), b"{}").unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
    }

    #[test]
    fn a_folder_that_could_not_be_filled_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint-5");
        write_folder(&path, |partial| write(&partial.join("a"), b"1")).unwrap();
        let outcome = write_folder(&path, |partial| {
            write(&partial.join("b"), b"2")?;
            Err(Error::Interrupted)
        });
        assert!(matches!(outcome, Err(Error::Interrupted)));
        assert_eq!(fs::read(path.join("a")).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_folder_takes_the_place_of_an_empty_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::create_dir(&path).unwrap();
        write_new_folder(&path, |partial| write(&partial.join("a"), b"1")).unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"1");
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        let outcome = write_new_folder(&other, |partial| {
            fs::write(other.join("mine"), "precious").unwrap();
            write(&partial.join("a"), b"1")
        });
        assert!(matches!(outcome, Err(Error::Output(OutputError::Filled { .. }))));
        assert_eq!(fs::read_to_string(other.join("mine")).unwrap(), "precious");
        let third = folder.path().join("third");
        let outcome = write_new_folder(&third, |_| {
            let second = write_new_folder(&third, |_| unreachable!("one writes it at a time"));
            assert!(matches!(second, Err(Error::Output(OutputError::InUse { .. }))));
            Err(Error::Interrupted)
        });
        assert!(matches!(outcome, Err(Error::Interrupted)));
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.filter(|name| !name.to_string_lossy().ends_with(".lock")).collect();
        left.sort();
        assert_eq!(left, ["model", "other"]);
    }

    #[test]
    fn sharing_a_file_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, b"new").unwrap();
        fs::write(&to, b"old").unwrap();
        share(&from, &to).unwrap();
        share(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused_with_both_figures() {
        let folder = tempfile::tempdir().unwrap();
        check_space(&folder.path().join("not/yet/there"), 1).unwrap();
        let error = check_space(folder.path(), u64::MAX).unwrap_err();
        assert!(matches!(error, Error::NotEnoughSpace { needed_bytes: u64::MAX, .. }), "{error}");
    }
}
