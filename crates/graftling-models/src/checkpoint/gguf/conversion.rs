//! A GGUF file as a checkpoint of transformers: every tensor matched with a weight before the first byte is written, then converted one by one. Knows
//! no architecture's names.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use serde_json::{Map, Value};

use super::blocks::TensorType;
use super::container::{Gguf, GgufTensor};
use super::decoders::{self, Layout, Refusal, Translation, Wanted};
use super::problem::GgufProblem;
use crate::checkpoint::config::CONFIG;
use crate::checkpoint::files::SINGLE;
use crate::checkpoint::replace::replace;
use crate::checkpoint::save::{Stored, header};
use crate::error::{ModelError, WeightProblem};

const GENERATION: &str = "generation_config.json";
/// How many values are converted at a time; every block's size divides it.
const CHUNK: usize = 1 << 14;

/// How the values of written weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightDtype {
    /// Single precision: every value of every type of tensor as it is.
    F32,
    /// Half precision, 11 bits up to 65504.
    F16,
    /// The upper half of single precision: 8 bits, and its range.
    Bf16,
}

impl WeightDtype {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// Its short name.
    pub fn word(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// Its name in the config of a model.
    fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// Its name in the header of a safetensors file.
    fn stored_name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Puts values behind each other as bytes; the first that this type cannot hold stops it.
    fn encode(self, values: &[f32], bytes: &mut Vec<u8>) -> Result<(), Odd> {
        for (index, value) in values.iter().enumerate() {
            let held = match self {
                Self::F32 => {
                    bytes.extend(value.to_le_bytes());
                    value.is_finite()
                }
                Self::F16 => {
                    let half = f16::from_f32(*value);
                    bytes.extend(half.to_le_bytes());
                    half.is_finite()
                }
                Self::Bf16 => {
                    let half = bf16::from_f32(*value);
                    bytes.extend(half.to_le_bytes());
                    half.is_finite()
                }
            };
            if !held {
                return Err(Odd { index, value: *value });
            }
        }
        Ok(())
    }

    /// The largest number it holds.
    fn largest(self) -> f32 {
        match self {
            Self::F32 => f32::MAX,
            Self::F16 => f16::MAX.to_f32(),
            Self::Bf16 => bf16::MAX.to_f32(),
        }
    }
}

/// A value that cannot be stored.
struct Odd {
    index: usize,
    value: f32,
}

/// A GGUF file understood as a model: its config and its weights under the names of transformers.
#[derive(Debug)]
pub struct GgufCheckpoint<'a> {
    path: PathBuf,
    weights: Vec<Weight<'a>>,
    config: Map<String, Value>,
    generation: Map<String, Value>,
    /// The family, as config.json names it.
    pub model_type: &'static str,
    /// How many layers it has.
    pub num_hidden_layers: usize,
    /// How many positions it was trained on.
    pub max_positions: usize,
    /// How many tokens it has embeddings for.
    pub vocabulary_size: usize,
    /// What a person should know about how the file was understood.
    pub notices: Vec<String>,
}

/// A weight and the tensor that holds it.
#[derive(Debug)]
struct Weight<'a> {
    wanted: Wanted,
    tensor: GgufTensor<'a>,
}

impl<'a> GgufCheckpoint<'a> {
    /// Matches what a file holds with what a model of its architecture has; `path` is named in errors.
    ///
    /// # Errors
    /// If the architecture or the type of a tensor is not offered, a key is missing or wrong, or a tensor is missing, has another shape, or is
    /// not known: all of a kind at once.
    pub fn of(path: &Path, gguf: &Gguf<'a>) -> Result<Self, ModelError> {
        let owned = || path.to_owned();
        let translation = decoders::translate(gguf).map_err(|refusal| match refusal {
            Refusal::File(problem) => ModelError::Gguf { path: owned(), problem },
            Refusal::Keys(problems) => ModelError::GgufKeys { path: owned(), problems },
        })?;
        if let Some(problem) = refused_types(gguf) {
            return Err(ModelError::Gguf { path: owned(), problem });
        }
        let weights = matched(gguf, &translation).map_err(|problems| ModelError::GgufTensors { path: owned(), problems })?;
        Ok(Self {
            path: owned(),
            weights,
            config: translation.config,
            generation: translation.generation,
            model_type: translation.model_type,
            num_hidden_layers: translation.num_hidden_layers,
            max_positions: translation.max_positions,
            vocabulary_size: translation.vocabulary_size,
            notices: translation.notices,
        })
    }

    /// How many values the weights have.
    pub fn parameter_count(&self) -> usize {
        self.weights.iter().map(|weight| weight.tensor.value_count()).sum()
    }

    /// The types of the tensors that become weights, with how many there are of each, the most frequent first.
    pub fn types(&self) -> Vec<(&'static str, usize)> {
        let mut counts = BTreeMap::new();
        for weight in &self.weights {
            *counts.entry(weight.tensor.type_name()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// How large the file of weights will be.
    pub fn size_bytes(&self, dtype: WeightDtype) -> u64 {
        (self.header(dtype).len() + self.parameter_count() * dtype.size()) as u64
    }

    /// Writes model.safetensors, config.json and generation_config.json into a folder that is there, each whole or not at all.
    ///
    /// # Errors
    /// If a value is not finite or beyond what `dtype` can hold, or the system does not let a file be written.
    pub fn write(&self, folder: &Path, dtype: WeightDtype) -> Result<(), ModelError> {
        let mut odd = None;
        let written = replace(&folder.join(SINGLE), self.size_bytes(dtype), |writer| self.stream(writer, dtype, &mut odd));
        if let Some(error) = odd {
            return Err(error);
        }
        written?;
        let mut config = self.config.clone();
        config.insert("dtype".to_owned(), dtype.torch_name().into());
        config.sort_keys();
        write_object(&folder.join(GENERATION), self.generation.clone())?;
        write_object(&folder.join(CONFIG), config)
    }

    /// Writes the bytes of model.safetensors, with no more in memory than a part of a tensor, or one tensor where its values are turned.
    ///
    /// # Errors
    /// If a value cannot be stored, or `writer` fails.
    pub fn write_weights(&self, writer: &mut dyn Write, dtype: WeightDtype) -> Result<(), ModelError> {
        let mut odd = None;
        let written = self.stream(writer, dtype, &mut odd);
        match odd {
            Some(error) => Err(error),
            None => {
                written.map_err(|source| ModelError::Write { path: PathBuf::from(SINGLE), bytes: self.size_bytes(dtype), source })
            }
        }
    }

    /// What cannot be stored is told in `odd`, for a writer's error has no room for it.
    fn stream(&self, writer: &mut dyn Write, dtype: WeightDtype, odd: &mut Option<ModelError>) -> io::Result<()> {
        writer.write_all(&self.header(dtype))?;
        let mut bytes = Vec::with_capacity(CHUNK * dtype.size());
        for weight in &self.weights {
            let mut place = 0;
            weight.for_each_part(|values| {
                bytes.clear();
                if let Err(Odd { index, value }) = dtype.encode(values, &mut bytes) {
                    *odd = Some(self.refusal(weight, dtype, place + index, value));
                    return Err(io::Error::from(io::ErrorKind::InvalidData));
                }
                place += values.len();
                writer.write_all(&bytes)
            })?;
        }
        Ok(())
    }

    fn refusal(&self, weight: &Weight<'_>, dtype: WeightDtype, index: usize, value: f32) -> ModelError {
        let (path, name) = (self.path.clone(), weight.tensor.name.to_owned());
        if value.is_finite() {
            let problem = GgufProblem::TooLarge { name, value, dtype: dtype.word(), largest: dtype.largest() };
            return ModelError::Gguf { path, problem };
        }
        ModelError::GgufTensors { path, problems: vec![WeightProblem::NotFinite { name, index, value }] }
    }

    fn header(&self, dtype: WeightDtype) -> Vec<u8> {
        header(self.weights.iter().map(|weight| Stored {
            name: &weight.wanted.weight,
            shape: &weight.wanted.shape,
            dtype: dtype.stored_name(),
            bytes: weight.tensor.value_count() * dtype.size(),
        }))
    }
}

impl Weight<'_> {
    /// Gives the values of the weight in its own order, part by part.
    fn for_each_part(&self, mut give: impl FnMut(&[f32]) -> io::Result<()>) -> io::Result<()> {
        let tensor = &self.tensor;
        let count = tensor.value_count();
        let columns = if let [_, columns] = tensor.shape[..] { columns } else { 1 };
        match self.wanted.layout {
            Layout::RotaryPairs { heads } if columns % tensor.kind.block == 0 => {
                let rows = count / columns;
                let mut values = vec![0.0; columns];
                (0..rows).try_for_each(|row| {
                    tensor.read(row_of_pair(row, rows / heads) * columns, &mut values);
                    give(&values)
                })
            }
            Layout::Same => {
                let mut values = vec![0.0; count.min(CHUNK)];
                (0..count).step_by(CHUNK).try_for_each(|start| {
                    let values = &mut values[..(count - start).min(CHUNK)];
                    tensor.read(start, values);
                    give(values)
                })
            }
            layout => {
                let mut values = vec![0.0; count];
                tensor.read(0, &mut values);
                let (rows, mut turned) = (count / columns, vec![0.0; count.min(CHUNK)]);
                (0..count).step_by(CHUNK).try_for_each(|start| {
                    let turned = &mut turned[..(count - start).min(CHUNK)];
                    for (place, value) in turned.iter_mut().enumerate().map(|(index, value)| (start + index, value)) {
                        *value = values[match layout {
                            Layout::RotaryPairs { heads } => {
                                row_of_pair(place / columns, rows / heads) * columns + place % columns
                            }
                            _ => place % rows * columns + place / rows,
                        }];
                    }
                    give(turned)
                })
            }
        }
    }
}

/// In which row of a tensor a row of the weight lies: row `half * width / 2 + pair` of a head in row `2 * pair + half`.
fn row_of_pair(row: usize, width: usize) -> usize {
    let (head, within) = (row / width, row % width);
    let (half, pair) = (within / (width / 2), within % (width / 2));
    head * width + 2 * pair + half
}

/// The types of tensors that are not read, with an example each.
fn refused_types(gguf: &Gguf<'_>) -> Option<GgufProblem> {
    let mut examples: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for tensor in gguf.tensors().iter().filter(|tensor| !tensor.kind.is_offered()) {
        examples.entry(tensor.type_name()).or_insert((0, tensor.name)).0 += 1;
    }
    let shown = examples.into_iter().map(|(kind, (count, first))| match count {
        1 => format!("a tensor of type {kind} (\"{first}\")"),
        _ => format!("{count} tensors of type {kind} (\"{first}\" is the first)"),
    });
    let found = shown.collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then(|| GgufProblem::Types { found, accepted: TensorType::offered_names() })
}

/// Each weight with its tensor, or everything that does not fit.
fn matched<'a>(gguf: &Gguf<'a>, translation: &Translation) -> Result<Vec<Weight<'a>>, Vec<WeightProblem>> {
    let mut tensors: BTreeMap<&str, &GgufTensor<'a>> = gguf.tensors().iter().map(|tensor| (tensor.name, tensor)).collect();
    let (mut weights, mut problems) = (Vec::new(), Vec::new());
    for wanted in &translation.weights {
        let mut expected = wanted.shape.clone();
        if wanted.layout == Layout::Transposed {
            expected.reverse();
        }
        let name = wanted.tensor.clone();
        match tensors.remove(&*wanted.tensor) {
            None => problems.push(WeightProblem::Missing { name, shape: expected }),
            Some(tensor) if tensor.shape != expected => {
                problems.push(WeightProblem::Shape { name, found: tensor.shape.clone(), expected });
            }
            Some(tensor) => weights.push(Weight { wanted: wanted.clone(), tensor: tensor.clone() }),
        }
    }
    let others = tensors.into_values().filter(|tensor| !translation.uses_otherwise(tensor.name));
    problems.extend(others.map(|tensor| WeightProblem::Unexpected { name: tensor.name.to_owned(), shape: tensor.shape.clone() }));
    if problems.is_empty() { Ok(weights) } else { Err(problems) }
}

fn write_object(path: &Path, object: Map<String, Value>) -> Result<(), ModelError> {
    let text = format!("{:#}\n", Value::Object(object));
    replace(path, text.len() as u64, |writer| writer.write_all(text.as_bytes()))
}
