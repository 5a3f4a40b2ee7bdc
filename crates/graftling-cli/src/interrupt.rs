//! Ctrl-C: at once while nothing would be lost, and after the step being taken while a model trains.
//! Knows nothing of what is stopped.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::console::Console;
use crate::failure::{Failure, INTERRUPTED};

/// What Ctrl-C does from now on.
#[derive(Clone, Default)]
pub struct Interrupt {
    /// Training is under way, so the first Ctrl-C only asks.
    is_training: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens to Ctrl-C for the rest of the process.
    pub fn listen(console: &Console) -> Result<Self, Failure> {
        let interrupt = Self::default();
        let (console, heard) = (*console, interrupt.clone());
        ctrlc::set_handler(move || {
            let asked_before = heard.stop.swap(true, Ordering::SeqCst);
            if asked_before || !heard.is_training.load(Ordering::SeqCst) {
                console.tell("");
                process::exit(i32::from(INTERRUPTED));
            }
            console.tell("\nstopping after this step and keeping the checkpoint; press Ctrl-C again to quit at once");
        })?;
        Ok(interrupt)
    }

    /// From now on the first Ctrl-C only sets this.
    pub fn stop_flag(&self) -> &AtomicBool {
        self.is_training.store(true, Ordering::SeqCst);
        &self.stop
    }

    /// From now on Ctrl-C ends the program at once.
    pub fn training_is_over(&self) {
        self.is_training.store(false, Ordering::SeqCst);
    }
}
