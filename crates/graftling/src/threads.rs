//! The threads that a run computes with. Knows nothing of what they compute; no result depends on their number.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::{Scope, ThreadPool, ThreadPoolBuilder, Yield};

use crate::Error;

/// How often a thread looks for work before it turns to whoever waits for it.
const ROUNDS: u32 = 64;
/// How often it looks in vain before it lets other programs have its core in between.
const PATIENCE: u32 = 1000;

/// So many threads, or one a core.
pub(crate) fn pool(threads: Option<usize>) -> Result<ThreadPool, Error> {
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("graftling-{index}"))
        .build()
        .map_err(|error| Error::Threads { threads, reason: error.to_string() })
}

/// Does something that is made of many short parallel parts, and meanwhile keeps the other threads of the pool looking for work: one that
/// sleeps has to be woken for the next part, which in a virtual machine takes as long as a small part itself.
pub(crate) fn awake<R>(work: impl FnOnce() -> R) -> R {
    if rayon::current_thread_index().is_none() {
        return work();
    }
    let is_done = AtomicBool::new(false);
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|scope| look_for_work(scope, &is_done, 0));
        }
        // Said, too, where the work panics: the scope ends when all have heard of it.
        let _said = Done(&is_done);
        work()
    })
}

/// Says that it is done when dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Takes whatever work there is, for a moment, and then leaves the thread to whoever waits for it before it looks again, until it is done.
/// A thread may meet this while it waits within a part that others wait for: it must get back there. `idle` counts the rounds without work.
fn look_for_work<'s>(scope: &Scope<'s>, is_done: &'s AtomicBool, mut idle: u32) {
    for _ in 0..ROUNDS {
        if is_done.load(Ordering::Acquire) {
            return;
        }
        if rayon::yield_now() == Some(Yield::Executed) {
            idle = 0;
        } else if idle < PATIENCE {
            idle += 1;
            std::hint::spin_loop();
        } else {
            // Other programs may want the core.
            std::thread::yield_now();
        }
    }
    scope.spawn(move |scope| look_for_work(scope, is_done, idle));
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rayon::prelude::*;

    use super::*;

    #[test]
    fn what_is_done_while_all_are_awake_is_the_same_on_any_number_of_threads() {
        let sum = |_: u32| (0..1000_u32).into_par_iter().with_max_len(10).map(u64::from).sum::<u64>();
        let sums = || awake(|| (0..50).map(sum).collect::<Vec<_>>());
        for threads in [1, 2, 5] {
            assert_eq!(pool(Some(threads)).unwrap().install(sums), vec![499_500; 50], "{threads}");
        }
        // In a thread of no pool, too.
        assert_eq!(sums(), vec![499_500; 50]);
    }

    #[test]
    fn one_within_another_ends_as_well() {
        let inner = || awake(|| (0..100_u64).into_par_iter().sum::<u64>());
        let nested = || awake(|| (0..20).map(|_| inner()).sum::<u64>());
        assert_eq!(pool(Some(3)).unwrap().install(nested), 20 * 4950);
        // And several at once, each of a thread of the pool.
        let at_once = || (0..8).into_par_iter().map(|_| nested()).sum::<u64>();
        assert_eq!(pool(Some(3)).unwrap().install(at_once), 8 * 20 * 4950);
    }

    #[test]
    fn a_panic_goes_through_and_wakes_nobody_for_ever() {
        let pool = pool(Some(3)).unwrap();
        let fails = || awake(|| (0..100).into_par_iter().for_each(|number| assert_ne!(number, 50)));
        assert!(catch_unwind(AssertUnwindSafe(|| pool.install(fails))).is_err());
        assert_eq!(pool.install(|| awake(|| 7)), 7);
    }
}
