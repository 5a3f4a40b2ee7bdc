//! A model file of another program as a checkpoint of ours: every weight has its source before the first byte is written, then one after the other is
//! converted. Knows no format: each gives its weights as values, part by part.

mod dtype;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::config::CONFIG;
use super::files::SINGLE;
use super::replace::replace;
use super::save::{Stored, header};
use super::{gguf, marian};
use crate::error::{ModelError, WeightProblem};
use dtype::Odd;
pub use dtype::WeightDtype;

const GENERATION: &str = "generation_config.json";
/// How many values are converted at a time; every block's size divides it.
pub(super) const CHUNK: usize = 1 << 14;

/// A model file of another program understood as a model: its config, and its weights under the names of its family.
#[derive(Debug)]
pub struct Conversion<'a> {
    pub(super) path: PathBuf,
    pub(super) weights: Vec<Weight<'a>>,
    /// `config.json`, but for the type of the weights.
    pub(super) config: Map<String, Value>,
    /// `generation_config.json`; there is none where it is empty.
    pub(super) generation: Map<String, Value>,
    /// The family, as config.json names it.
    pub model_type: &'static str,
    /// How many layers it has: its encoder, where it has one.
    pub num_hidden_layers: usize,
    /// How many layers the decoder has that looks at an encoder, where there is one.
    pub decoder_layers: Option<usize>,
    /// How many positions it was trained on; none where any number has places.
    pub max_positions: Option<usize>,
    /// How many tokens it has embeddings for.
    pub vocabulary_size: usize,
    /// How many tokens the texts that are written have embeddings for, where these have a table of their own.
    pub written_vocabulary_size: Option<usize>,
    /// What a person should know about how the file was understood.
    pub notices: Vec<String>,
}

/// A weight and what holds it.
#[derive(Debug)]
pub(super) struct Weight<'a> {
    /// Its name on disk.
    pub name: String,
    /// Its shape on disk.
    pub shape: Vec<usize>,
    pub values: Values<'a>,
}

/// What holds the values of a weight, by format.
#[derive(Debug)]
pub(super) enum Values<'a> {
    Gguf(gguf::Stored<'a>),
    Marian(marian::Stored<'a>),
}

/// Why no more values are given.
pub(super) enum Stopped {
    /// They cannot be written.
    Writer(io::Error),
    /// They cannot be used.
    Refused(ModelError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Writer(error)
    }
}

/// Takes values, a part at a time.
pub(super) type Taker<'t> = dyn FnMut(&[f32]) -> Result<(), Stopped> + 't;

impl Values<'_> {
    /// The name of the tensor in its file.
    fn tensor(&self) -> &str {
        match self {
            Self::Gguf(stored) => stored.name(),
            Self::Marian(stored) => stored.name(),
        }
    }

    /// How its file calls the type of its values.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Gguf(stored) => stored.type_name(),
            Self::Marian(stored) => stored.type_name(),
        }
    }

    /// Gives the values of the weight in its own order, part by part; `path` is named where they are damaged.
    fn for_each_part(&self, path: &Path, give: &mut Taker<'_>) -> Result<(), Stopped> {
        match self {
            Self::Gguf(stored) => stored.for_each_part(give),
            Self::Marian(stored) => stored.for_each_part(path, give),
        }
    }
}

impl Weight<'_> {
    fn value_count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Conversion<'_> {
    /// How many values the weights have.
    pub fn parameter_count(&self) -> usize {
        self.weights.iter().map(Weight::value_count).sum()
    }

    /// The types of the tensors that become weights, with how many there are of each, the most frequent first.
    pub fn types(&self) -> Vec<(&'static str, usize)> {
        let mut counts = BTreeMap::new();
        for weight in &self.weights {
            *counts.entry(weight.values.type_name()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// How large the file of weights will be.
    pub fn size_bytes(&self, dtype: WeightDtype) -> u64 {
        (self.header(dtype).len() + self.parameter_count() * dtype.size()) as u64
    }

    /// Writes model.safetensors, config.json and, where there is something to say in it, generation_config.json into a folder that is there, each
    /// whole or not at all.
    ///
    /// # Errors
    /// If a value is not finite or beyond what `dtype` can hold, values turn out to be damaged, or the system does not let a file be written.
    pub fn write(&self, folder: &Path, dtype: WeightDtype) -> Result<(), ModelError> {
        let mut refused = None;
        let written = replace(&folder.join(SINGLE), self.size_bytes(dtype), |writer| {
            self.stream(writer, dtype).map_err(|stopped| match stopped {
                Stopped::Writer(error) => error,
                // A writer's error has no room for it.
                Stopped::Refused(error) => {
                    refused = Some(error);
                    io::Error::from(io::ErrorKind::InvalidData)
                }
            })
        });
        if let Some(error) = refused {
            return Err(error);
        }
        written?;
        let mut config = self.config.clone();
        config.insert("dtype".to_owned(), dtype.torch_name().into());
        config.sort_keys();
        if !self.generation.is_empty() {
            write_object(&folder.join(GENERATION), self.generation.clone())?;
        }
        write_object(&folder.join(CONFIG), config)
    }

    /// Writes the bytes of model.safetensors, with no more in memory than a part of a tensor, or one tensor where its values are turned or
    /// compressed.
    ///
    /// # Errors
    /// If a value cannot be stored, or `writer` fails.
    pub fn write_weights(&self, writer: &mut dyn Write, dtype: WeightDtype) -> Result<(), ModelError> {
        self.stream(writer, dtype).map_err(|stopped| match stopped {
            Stopped::Writer(source) => ModelError::Write { path: PathBuf::from(SINGLE), bytes: self.size_bytes(dtype), source },
            Stopped::Refused(error) => error,
        })
    }

    fn stream(&self, writer: &mut dyn Write, dtype: WeightDtype) -> Result<(), Stopped> {
        writer.write_all(&self.header(dtype))?;
        let mut bytes = Vec::with_capacity(CHUNK * dtype.size());
        for weight in &self.weights {
            let mut place = 0;
            weight.values.for_each_part(&self.path, &mut |values| {
                bytes.clear();
                if let Err(Odd { index, value }) = dtype.encode(values, &mut bytes) {
                    return Err(Stopped::Refused(self.refusal(weight, dtype, place + index, value)));
                }
                place += values.len();
                Ok(writer.write_all(&bytes)?)
            })?;
        }
        Ok(())
    }

    fn refusal(&self, weight: &Weight<'_>, dtype: WeightDtype, index: usize, value: f32) -> ModelError {
        let (path, name) = (self.path.clone(), weight.values.tensor().to_owned());
        if value.is_finite() {
            return ModelError::ValueTooLarge { path, name, value, dtype: dtype.word(), largest: dtype.largest() };
        }
        ModelError::Tensors { path, problems: vec![WeightProblem::NotFinite { name, index, value }] }
    }

    fn header(&self, dtype: WeightDtype) -> Vec<u8> {
        header(self.weights.iter().map(|weight| Stored {
            name: &weight.name,
            shape: &weight.shape,
            dtype: dtype.stored_name(),
            bytes: weight.value_count() * dtype.size(),
        }))
    }
}

/// Gives so many values, each found by its place, a part at a time.
pub(super) fn give_each(count: usize, value_at: impl Fn(usize) -> f32, give: &mut Taker<'_>) -> Result<(), Stopped> {
    let mut values = vec![0.0; count.min(CHUNK)];
    (0..count).step_by(CHUNK).try_for_each(|start| {
        let values = &mut values[..(count - start).min(CHUNK)];
        for (place, value) in values.iter_mut().enumerate() {
            *value = value_at(start + place);
        }
        give(values)
    })
}

fn write_object(path: &Path, object: Map<String, Value>) -> Result<(), ModelError> {
    let text = format!("{:#}\n", Value::Object(object));
    replace(path, text.len() as u64, |writer| writer.write_all(text.as_bytes()))
}
