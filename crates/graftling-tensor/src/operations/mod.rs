//! The fused operations, one a file: each adds a method to `Graph` and records its own backward pass.

mod absolute_error;
pub(crate) mod activation;
pub(crate) mod attention;
mod binary_cross_entropy;
mod convolution;
mod cross_entropy;
pub(crate) mod distance_bias;
pub(crate) mod distance_buckets;
pub(crate) mod distance_vectors;
mod dropout;
mod embedding;
mod focal_loss;
mod gated;
mod gather_rows;
mod linear;
mod mean_rows;
mod mean_squared_error;
mod norm;
mod parameter;
mod residual_sum;
pub(crate) mod rotary;
mod slopes;
mod smoothed_cross_entropy;
mod span_cross_entropy;
