//! What stands in the way of writing a folder. Knows nothing of what would be written.

use std::io;
use std::path::PathBuf;

/// Why nothing can be written to an output folder.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The run folder is there already.
    #[error("{}: the output folder is not empty (it holds {found:?}); choose another, {}", folder.display(), instead(*is_unfinished))]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
        /// Whether a run is there that has not come to its end.
        is_unfinished: bool,
    },
    /// What stands in the output folder is not a run, so it is not removed.
    #[error("{}: the output folder holds {found:?} but no run; overwrite_output only replaces what a run wrote", folder.display())]
    IsNoRun {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
    },
    /// Another process, or another part of this one, writes the folder.
    #[error(
        "{}: another run writes here{}; wait until it has ended, or choose another output",
        folder.display(), process.map_or_else(String::new, |number| format!(" (process {number})"))
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The number of the process, where it can be read.
        process: Option<u32>,
    },
    /// A folder that was empty is not any more.
    #[error("{}: the output folder was empty at first and holds files by now, which stay as they are; choose another", folder.display())]
    Filled {
        /// The folder.
        folder: PathBuf,
    },
    /// The output is not a folder.
    #[error("{}: the output is a file, not a folder; choose another name", path.display())]
    IsAFile {
        /// The file.
        path: PathBuf,
    },
    /// Writing the output would remove what the run reads.
    #[error("{}: the output folder holds {}, which this run reads; choose another output", folder.display(), input.display())]
    HoldsInput {
        /// The output folder.
        folder: PathBuf,
        /// What would be removed.
        input: PathBuf,
    },
    /// A file stands where a folder above the output should be.
    #[error("{}: {} is a file, so that no folder can be made in it; choose another output", path.display(), file.display())]
    InAFile {
        /// The output folder.
        path: PathBuf,
        /// The file.
        file: PathBuf,
    },
    /// The folder, or the one that it would be made in, takes no files.
    #[error("{}: nothing can be written in {}: {source}; choose another output", path.display(), folder.display())]
    NotWritable {
        /// The output folder.
        path: PathBuf,
        /// The nearest folder that is there.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What else can be done where a run is.
fn instead(is_unfinished: bool) -> &'static str {
    match is_unfinished {
        true => "or go on with the run that was cut off there (resume), or replace it (overwrite_output)",
        false => "or say overwrite_output to replace a run",
    }
}
