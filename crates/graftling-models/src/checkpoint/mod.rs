//! Checkpoints on disk: `config.json`, safetensors and the modules of sentence-transformers, read strictly and written whole or not at all; model files
//! of other programs (GGUF, Marian) to be turned into such. Knows no brick's maths.

pub(crate) mod config;
pub(crate) mod conversion;
pub(crate) mod cursor;
pub(crate) mod files;
pub(crate) mod gguf;
pub(crate) mod header;
pub(crate) mod load;
mod map;
pub(crate) mod marian;
mod matching;
mod replace;
pub(crate) mod save;
pub(crate) mod sentence_modules;
pub(crate) mod source_format;
pub(crate) mod values;
