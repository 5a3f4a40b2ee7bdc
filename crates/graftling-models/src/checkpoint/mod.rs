//! Checkpoints on disk: `config.json`, safetensors and the modules of sentence-transformers, read strictly and written whole or not at all; GGUF files
//! to be turned into such. Knows no brick's maths.

pub(crate) mod config;
pub(crate) mod conversion;
pub(crate) mod files;
pub(crate) mod gguf;
pub(crate) mod header;
pub(crate) mod load;
mod map;
mod matching;
mod replace;
pub(crate) mod save;
pub(crate) mod sentence_modules;
pub(crate) mod values;
