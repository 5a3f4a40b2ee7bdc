//! A GGUF file as a checkpoint of transformers: every tensor matched with a weight, and its values in the order of the weight. Knows no architecture's
//! names.

use std::collections::BTreeMap;
use std::path::Path;

use super::blocks::TensorType;
use super::container::{Gguf, GgufTensor};
use super::decoders::{self, Layout, Refusal, Translation};
use super::problem::GgufProblem;
use crate::checkpoint::conversion::{CHUNK, Conversion, Stopped, Taker, Values, Weight, give_each};
use crate::error::{ModelError, WeightProblem};

/// A tensor that holds a weight.
#[derive(Debug)]
pub(in crate::checkpoint) struct Stored<'a> {
    tensor: GgufTensor<'a>,
    layout: Layout,
}

impl<'a> Conversion<'a> {
    /// Matches what a GGUF file holds with what a model of its architecture has; `path` is named in errors.
    ///
    /// # Errors
    /// If the architecture or the type of a tensor is not offered, a key is missing or wrong, or a tensor is missing, has another shape, or is
    /// not known: all of a kind at once.
    pub fn of_gguf(path: &Path, gguf: &Gguf<'a>) -> Result<Self, ModelError> {
        let owned = || path.to_owned();
        let translation = decoders::translate(gguf).map_err(|refusal| match refusal {
            Refusal::File(problem) => ModelError::Gguf { path: owned(), problem },
            Refusal::Keys(problems) => ModelError::Metadata { path: owned(), problems },
        })?;
        if let Some(problem) = refused_types(gguf) {
            return Err(ModelError::Gguf { path: owned(), problem });
        }
        let weights = matched(gguf, &translation).map_err(|problems| ModelError::Tensors { path: owned(), problems })?;
        Ok(Self {
            path: owned(),
            weights,
            config: translation.config,
            generation: translation.generation,
            model_type: translation.model_type,
            num_hidden_layers: translation.num_hidden_layers,
            decoder_layers: None,
            max_positions: Some(translation.max_positions),
            vocabulary_size: translation.vocabulary_size,
            written_vocabulary_size: None,
            notices: translation.notices,
        })
    }
}

impl Stored<'_> {
    pub fn name(&self) -> &str {
        self.tensor.name
    }

    pub fn type_name(&self) -> &'static str {
        self.tensor.type_name()
    }

    /// Gives the values of the weight in its own order, part by part.
    pub fn for_each_part(&self, give: &mut Taker<'_>) -> Result<(), Stopped> {
        let tensor = &self.tensor;
        let count = tensor.value_count();
        let columns = if let [_, columns] = tensor.shape[..] { columns } else { 1 };
        let rows = count / columns;
        match self.layout {
            Layout::RotaryPairs { heads } if columns % tensor.kind.block == 0 => {
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
                let place_of = |place: usize| match layout {
                    Layout::RotaryPairs { heads } => row_of_pair(place / columns, rows / heads) * columns + place % columns,
                    _ => place % rows * columns + place / rows,
                };
                give_each(count, |place| values[place_of(place)], give)
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
            Some(tensor) => {
                let stored = Stored { tensor: tensor.clone(), layout: wanted.layout };
                weights.push(Weight { name: wanted.weight.clone(), shape: wanted.shape.clone(), values: Values::Gguf(stored) });
            }
        }
    }
    let others = tensors.into_values().filter(|tensor| !translation.uses_otherwise(tensor.name));
    problems.extend(others.map(|tensor| WeightProblem::Unexpected { name: tensor.name.to_owned(), shape: tensor.shape.clone() }));
    if problems.is_empty() { Ok(weights) } else { Err(problems) }
}
