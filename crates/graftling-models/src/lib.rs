//! Models: bricks, the skeleton of encoders and decoders, the families that translate a `config.json` into them, and checkpoints on disk.
//!
//! Knows nothing of texts, tokenizers, optimizers, recipes or standard output, and never which device computes.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use graftling_models::{Head, Model, PackedBatch};
//! use graftling_tensor::{Graph, Spans};
//!
//! let labels = ["negative".to_owned(), "positive".to_owned()];
//! let (model, report) = Model::from_pretrained(Path::new("all-MiniLM-L6-v2"), Head::single_label(&labels), 42)?;
//! assert_eq!(report.new_parameters, ["classifier.weight", "classifier.bias"]);
//! let batch = PackedBatch {
//!     input_ids: vec![101, 2307, 102, 101, 6659, 102],
//!     token_type_ids: vec![0; 6],
//!     spans: Spans::from_lengths([3, 3]),
//!     wanted: None,
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
mod head;
mod initial;
mod inspection;
mod model;
mod nn;
mod past;

pub use batch::PackedBatch;
pub use checkpoint::conversion::{Conversion, WeightDtype};
pub use checkpoint::cursor::ShortFile;
pub use checkpoint::gguf::{Gguf, GgufFile, GgufProblem, GgufTensor};
pub use checkpoint::load::{IgnoredWeight, LoadReport};
pub use checkpoint::marian::{Marian, MarianFile, MarianProblem, MarianVocabulary};
pub use checkpoint::save::{NamedValues, write_values};
pub use checkpoint::source_format::SourceFormat;
pub use checkpoint::values::read_values;
pub use error::{ConfigProblem, HeaderProblem, LabelProblem, ModelError, WeightProblem};
pub use facts::{DecoderFacts, Depth, ModelFacts};
pub use families::{Conventions, Family};
pub use head::{Head, Pooling, ProblemType, Vocabulary};
pub use inspection::{Inspection, TensorFacts, inspect, sentence_head};
pub use model::{CLASSIFIER_BIAS, Model};
pub use past::Past;
