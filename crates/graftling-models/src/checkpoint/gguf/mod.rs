//! GGUF files (versions 2 and 3, little endian): the container, its blocks of quantised values, and what its metadata and tensors are in a folder
//! of Hugging Face's. Knows no tokenizer: what a file says of its vocabulary is handed on as it is.
//!
//! The format is described by ggml's `docs/gguf.md`; names of tensors and keys are those of llama.cpp's converter.

mod blocks;
mod container;
mod conversion;
mod decoders;
mod keys;
mod problem;
mod rotary_scaling;
mod value;

pub use container::{Gguf, GgufFile, GgufTensor};
pub(super) use conversion::Stored;
pub use problem::GgufProblem;
