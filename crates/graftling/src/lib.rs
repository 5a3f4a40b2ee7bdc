//! The library: recipes, tasks, strategies, fitting, evaluating, predicting, metrics and the run folder.
//!
//! It never touches sockets, command-line flags, environment variables, stdout or the exit of the process: it reads files, writes
//! a run folder, and tells an [`Observer`] what happens.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod batching;
mod disk;
mod error;
mod evaluate;
mod features;
mod fit;
mod inference;
mod loaded;
mod memory;
pub mod metrics;
mod observer;
mod predict;
mod preparation;
mod random;
pub mod recipe;
mod run_folder;
pub mod schedule;
mod strategies;
mod summary;
mod tasks;
mod threads;
mod train;

pub use error::{Error, Quantity};
pub use evaluate::{EvaluateRequest, Evaluation, ExamplePrediction, evaluate};
pub use graftling_text::{Columns, Format, TextInput, TruncationReport};
pub use observer::{Collected, Event, NoObserver, Observer, SplitName, StopReason};
pub use predict::{Prediction, Predictor};
pub use recipe::Recipe;
pub use summary::{Best, TrainSummary};
pub use train::train;
