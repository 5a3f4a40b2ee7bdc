//! The library: recipes, tasks, strategies, fitting, evaluating, predicting, metrics and the run folder.
//!
//! It never touches sockets, command-line flags, environment variables, stdout or the exit of the process: it reads files, writes
//! a run folder, and tells an [`Observer`] what happens.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use graftling::recipe::RecipeFile;
//! use graftling::{NoObserver, Predictor, Recipe, TextInput, train};
//!
//! let file = RecipeFile::from_toml("model = 'all-MiniLM-L6-v2'\ntrain = 'reviews.csv'\noutput = 'run'")?;
//! let recipe = Recipe::check(file)?;
//! let summary = train(&recipe, Path::new("all-MiniLM-L6-v2"), &mut NoObserver, &AtomicBool::new(false))?;
//! println!("{} steps, mean loss {:.3}", summary.steps, summary.train_loss);
//! let predictor = Predictor::load(&summary.output)?;
//! println!("{}", predictor.predict(&[TextInput { text: "A wonderful film.", pair: None }])?[0].said);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod aggregation;
mod batching;
mod companions;
mod compare;
mod data;
mod decisions;
mod disk;
mod error;
mod evaluate;
mod features;
pub mod figures;
mod fingerprint;
mod fit;
mod generation;
mod import;
mod inference;
mod languages;
mod learning_rate;
mod loaded;
mod memory;
pub mod metrics;
mod observer;
mod passages;
mod predict;
mod preparation;
mod random;
mod reading;
pub mod recipe;
mod report;
mod resume;
mod run_folder;
mod sampling;
pub mod schedule;
mod sentence_settings;
mod strategies;
mod summary;
mod targets;
mod tasks;
mod threads;
mod train;
mod writing;

pub use aggregation::{Aggregated, Aggregation, AggregationStrategy, WindowMerging};
pub use compare::{CompareRequest, Comparison, ComparisonProblem, Contrast, Cost, Side, compare};
pub use decisions::{Decisions, DecisionsProblem};
pub use error::{Error, FreezingError, LanguageError, OutputError, Quantity, ReadingError, ResumeError};
pub use evaluate::{EvaluateRequest, Evaluation, Unfitted, evaluate};
pub use generation::{
    BatchLimits, Continuation, EarlyStopping, FinishReason, Generation, GenerationError, GenerationOptions, Generator,
    LengthLimit, Listener, OptionProblem, Piece, prompts_of, template_of_run,
};
pub use graftling_models::{Pooling, WeightDtype};
pub use graftling_text::{Columns, FileFormat, Format, TextInput, TruncationReport};
pub use import::{ImportProblem, ImportRequest, Imported, import};
pub use loaded::BareEncoder;
pub use observer::{Collected, Event, NoObserver, Observer, SplitName, StopReason};
pub use passages::NoAnswer;
pub use predict::{Entity, Guess, Prediction, Predictor, Said, TaggedWord};
pub use reading::ReadingChoices;
pub use recipe::Recipe;
pub use report::{ReportRequest, report};
pub use summary::{Best, TrainSummary};
pub use train::train;
