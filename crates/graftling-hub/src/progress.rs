//! What happens while a model is fetched, as events for whoever watches.
//! Knows nothing of terminals; the command line turns events into a progress line.

use std::path::PathBuf;
use std::time::Duration;

/// Something that watches a model being fetched.
pub trait Progress {
    /// Called for every event, in order.
    fn event(&mut self, event: &HubEvent);
}

/// A watcher that ignores everything, for callers without a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _event: &HubEvent) {}
}

/// One thing that happened while a model was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubEvent {
    /// A source is about to be asked for a model.
    Source {
        /// The model as the user named it.
        model: String,
        /// The source in words, such as `the hub (org/name)`.
        source: String,
    },
    /// Another process is fetching the same thing; this one waits for it to end.
    Waiting {
        /// The lock file that is held.
        lock: PathBuf,
    },
    /// The transfer of a file begins, or goes on after an interruption.
    Started {
        /// The file's name in the model folder.
        file: String,
        /// The size of the whole file, where the source says it.
        bytes: Option<u64>,
        /// How many bytes were already here from an earlier attempt.
        resumed_from: u64,
    },
    /// More of the file that was started last is here.
    Advanced {
        /// Bytes of the file that are here by now, resumed ones included.
        bytes: u64,
    },
    /// An attempt failed in a way that may pass; another follows after the pause.
    Retrying {
        /// The file or address that failed.
        file: String,
        /// The number of the attempt that follows, from 2.
        attempt: u32,
        /// How long the pause before it is.
        pause: Duration,
        /// What went wrong.
        reason: String,
    },
    /// A file is complete and its checksum is right.
    Verified {
        /// The file's name in the model folder.
        file: String,
    },
    /// A line that the machine's package client wrote.
    PackageClient {
        /// The client, such as `pip`.
        client: String,
        /// The line as it was written.
        line: String,
    },
    /// A source failed and the next one is tried.
    Fallback {
        /// The source that failed.
        from: String,
        /// The source that is tried now.
        to: String,
        /// Why the first one failed.
        reason: String,
    },
    /// A model of the catalogue is used as an older version of this program left it, without files that could not be fetched.
    Incomplete {
        /// Its folder.
        folder: PathBuf,
        /// Why they could not be fetched.
        reason: String,
    },
    /// The model is here, but the record that spares the next run a checksum could not be written.
    NotRecorded {
        /// The record's path.
        path: PathBuf,
        /// Why it could not be written.
        reason: String,
    },
}
