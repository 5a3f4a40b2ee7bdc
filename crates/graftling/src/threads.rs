//! The threads that a run computes with. Knows nothing of what they compute; no result depends on their number.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

/// So many threads, or one a core.
pub(crate) fn pool(threads: Option<usize>) -> Result<ThreadPool, Error> {
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("graftling-{index}"))
        .build()
        .map_err(|error| Error::Threads { threads, reason: error.to_string() })
}
