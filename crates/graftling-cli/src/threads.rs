//! The threads that `predict`, `generate` and `score` compute with; runs and what is done with them have pools of their own. Knows nothing of
//! what is computed.

use crate::failure::Failure;

/// So many threads, or one a core. The one that calls is among them: it computes, instead of waking another for every operation and waiting.
pub fn compute_with(threads: Option<u16>) -> Result<(), Failure> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).use_current_thread();
    let wanted = || threads.map_or_else(|| "one a core".to_owned(), |threads| threads.to_string());
    builder.build_global().map_err(|error| Failure::Threads { threads: wanted(), reason: error.to_string() })
}
