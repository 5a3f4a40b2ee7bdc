//! Locks between processes: one at a time writes a folder. Knows nothing of what is written.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, OutputError};

/// Held while a folder is written. The system frees it when the process ends, however it ends: a file that a killed one left holds nobody up.
pub(crate) struct Lock {
    path: PathBuf,
    file: Option<File>,
}

impl Lock {
    /// Locks a file for the writing of `folder`; the file is made, and is gone when the lock is. A file system that has no locks is trusted to
    /// have one user.
    ///
    /// # Errors
    /// If another process, or another part of this one, holds it.
    pub fn take(path: &Path, folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: path.to_owned(), bytes: 0, source };
        loop {
            let file = File::options().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let process = fs::read_to_string(path).ok().and_then(|number| number.trim().parse().ok());
                    return Err(OutputError::InUse { folder: folder.to_owned(), process }.into());
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Whoever held it before may have removed the file after it was opened here: then this is a lock on nothing.
            if is_at(&file, path).map_err(failed)? {
                let written = file.set_len(0).and_then(|()| writeln!(&file, "{}", std::process::id()));
                written.map_err(failed)?;
                return Ok(Self { path: path.to_owned(), file: Some(file) });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody is left to tell; a file that stays is locked by the next who comes.
        if cfg!(unix) {
            fs::remove_file(&self.path).ok();
        }
        drop(self.file.take());
    }
}

/// Whether a path still names an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Other systems do not tell; there nobody removes the file.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_what_was_left_of_it_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "1").unwrap();
        let held = Lock::take(&path, folder.path()).unwrap();
        let error = Lock::take(&path, folder.path()).err().expect("an error").to_string();
        if cfg!(unix) {
            assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        }
        drop(held);
        assert!(!cfg!(unix) || !path.exists());
        drop(Lock::take(&path, folder.path()).unwrap());
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!cfg!(unix) || !is_at(&file, &path).unwrap());
        fs::write(&path, "another").unwrap();
        assert!(!cfg!(unix) || !is_at(&file, &path).unwrap());
    }

    #[test]
    fn many_who_want_it_at_once_have_it_one_after_another() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (path, inside) = (folder.path().join("lock"), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut taken = 0;
                    while taken < 50 {
                        match Lock::take(&path, folder.path()) {
                            Ok(lock) => {
                                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                                inside.fetch_sub(1, Ordering::SeqCst);
                                drop(lock);
                                taken += 1;
                            }
                            Err(Error::Output(OutputError::InUse { .. })) => std::thread::yield_now(),
                            Err(other) => panic!("{other}"),
                        }
                    }
                });
            }
        });
    }
}
