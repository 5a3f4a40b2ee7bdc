//! A pool of `f32` buffers, so that a training step does not have its memory faulted in anew. Knows nothing of shapes.
//!
//! A freed buffer waits here for the next request that fits. A request takes the smallest free buffer that is large enough and
//! at most twice too large. Where none is, smaller free buffers are given back to the system before a new one is made, so that
//! the pool's total stays near the largest amount ever in use at one time.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Below this many values a buffer is left to the system's allocator, which keeps small blocks itself.
const SMALLEST_POOLED: usize = 4096;

#[derive(Default)]
struct Pool {
    /// Free buffers by capacity.
    free: BTreeMap<usize, Vec<Vec<f32>>>,
    free_values: usize,
    live_values: usize,
    peak_values: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: BTreeMap::new(), free_values: 0, live_values: 0, peak_values: 0 });

fn pool() -> std::sync::MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Pool {
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let capacity = *self.free.range(len..=len.saturating_mul(2)).next()?.0;
        self.remove(capacity)
    }

    fn remove(&mut self, capacity: usize) -> Option<Vec<f32>> {
        let waiting = self.free.get_mut(&capacity)?;
        let buffer = waiting.pop();
        if waiting.is_empty() {
            self.free.remove(&capacity);
        }
        self.free_values -= capacity;
        buffer
    }

    /// Gives free buffers back to the system until `len` values are covered, the largest that are too small first.
    fn evict(&mut self, len: usize) {
        let mut evicted = 0;
        while evicted < len {
            let Some(capacity) = self.free.range(..len).next_back().map(|(capacity, _)| *capacity) else { break };
            drop(self.remove(capacity));
            evicted += capacity;
        }
    }
}

/// Bytes held by live pooled buffers, by waiting ones, and the largest sum of both so far.
pub fn pool_statistics() -> (usize, usize, usize) {
    let pool = pool();
    (pool.live_values * 4, pool.free_values * 4, pool.peak_values * 4)
}

/// A block of `f32` values that goes back to the pool when dropped.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    values: Vec<f32>,
    len: usize,
}

impl Buffer {
    /// A buffer of `len` values left over from earlier use: the caller writes every one before reading it.
    pub fn stale(len: usize) -> Self {
        if len < SMALLEST_POOLED {
            return Self { values: vec![0.0; len], len };
        }
        let mut pool = pool();
        let values = pool.take(len).unwrap_or_else(|| {
            pool.evict(len);
            // `vec![0.0; n]` asks for zeroed pages, which cost nothing until they are touched.
            vec![0.0; len.next_multiple_of(1024)]
        });
        pool.live_values += values.len();
        pool.peak_values = pool.peak_values.max(pool.live_values + pool.free_values);
        Self { values, len }
    }

    /// A buffer of `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(0.0);
        buffer
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Self {
        let len = values.len();
        if len >= SMALLEST_POOLED {
            pool().live_values += len;
        }
        Self { values, len }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::stale(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let capacity = self.values.len();
        if capacity < SMALLEST_POOLED {
            return;
        }
        let mut pool = pool();
        pool.live_values -= capacity;
        pool.free_values += capacity;
        let values = std::mem::take(&mut self.values);
        pool.free.entry(capacity).or_default().push(values);
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}
