//! Tensors, a tape over fused operations, and the kernels beneath them: the only room that knows how a number is computed.
//!
//! Knows nothing of text, of models, of files or of recipes. Everything is `f32`, row-major and packed: a batch of texts is
//! one `[tokens, hidden]` tensor, and [`Spans`] says which rows belong to which text.
//!
//! ```
//! use graftling_tensor::{Gradients, Graph, Parameters, Tensor};
//!
//! let mut parameters = Parameters::new();
//! let weight = parameters.add("head.weight", &[2, 3], vec![0.1, 0.2, 0.3, -0.1, -0.2, -0.3]);
//! let mut gradients = Gradients::new(&parameters);
//! let graph = Graph::training(&parameters, 42);
//! let x = graph.constant(Tensor::from_vec(&[1, 3], vec![1.0, 2.0, 3.0]));
//! let logits = graph.linear(&x, weight, None, None);
//! let loss = graph.cross_entropy(&logits, &[0], 1.0);
//! graph.backward(&loss, &mut gradients);
//! assert!(gradients.get(weight).is_some());
//! ```

pub mod measure;

mod gradients;
mod graph;
mod kernels;
mod operations;
mod optimizer;
mod packed_weights;
mod parameters;
mod pool;
mod sequence_cache;
mod spans;
mod tensor;

pub use gradients::Gradients;
pub use graph::{Graph, Var};
pub use operations::activation::Activation;
pub use operations::attention::{AttentionOptions, AttentionWindow};
pub use operations::cached_attention::{CachedKeys, CachedWindow};
pub use operations::distance_bias::DistanceBias;
pub use operations::distance_buckets::DistanceBuckets;
pub use operations::distance_vectors::DistanceVectors;
pub use operations::linear_cross_entropy::{TokenLoss, TokenLossOptions};
pub use operations::recurrence::Recurrent;
pub use operations::rotary::RotaryAngles;
pub use optimizer::{Moments, MomentumForm, Optimizer, OptimizerState, Rate};
pub use packed_weights::PackedWeights;
pub use parameters::{ParameterId, Parameters};
pub use pool::pool_statistics;
pub use sequence_cache::SequenceCache;
pub use spans::Spans;
pub use tensor::Tensor;
