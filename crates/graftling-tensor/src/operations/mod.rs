//! The fused operations, one a file: each adds a method to `Graph` and records its own backward pass.

pub(crate) mod activation;
pub(crate) mod attention;
mod cross_entropy;
mod dropout;
mod embedding;
mod gather_rows;
mod linear;
mod mean_squared_error;
mod norm;
mod parameter;
