//! Models: bricks, the encoder skeleton, the families that translate a `config.json` into them, and checkpoints on disk.
//!
//! Knows nothing of texts, tokenizers, optimizers, recipes or standard output, and never which device computes.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use graftling_models::{PackedBatch, SequenceClassifier};
//! use graftling_tensor::{Graph, Spans};
//!
//! let labels = ["negative".to_owned(), "positive".to_owned()];
//! let (model, report) = SequenceClassifier::from_pretrained(Path::new("all-MiniLM-L6-v2"), &labels, 42)?;
//! assert_eq!(report.new_parameters, ["classifier.weight", "classifier.bias"]);
//! let batch = PackedBatch {
//!     input_ids: vec![101, 2307, 102, 101, 6659, 102],
//!     token_type_ids: vec![0; 6],
//!     spans: Spans::from_lengths([3, 3]),
//! };
//! let logits = model.forward(&Graph::inference(&model.parameters), &batch);
//! assert_eq!(logits.tensor().shape(), [2, 2]);
//! # Ok::<(), graftling_models::ModelError>(())
//! ```

#![deny(unsafe_code)]

mod architecture;
mod batch;
mod checkpoint;
mod error;
mod facts;
mod families;
mod initial;
mod inspection;
mod nn;
mod sequence_classifier;

pub use batch::PackedBatch;
pub use checkpoint::load::{IgnoredWeight, LoadReport};
pub use error::{ConfigProblem, HeaderProblem, LabelProblem, ModelError, WeightProblem};
pub use facts::{Depth, ModelFacts};
pub use families::Family;
pub use inspection::{Inspection, TensorFacts, inspect};
pub use sequence_classifier::SequenceClassifier;
