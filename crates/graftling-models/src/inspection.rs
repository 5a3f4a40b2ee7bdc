//! What a model folder says of itself, from its config and the headers of its weight files. Reads no weight.

use std::path::Path;

use crate::checkpoint::config::Config;
use crate::checkpoint::files::WeightFiles;
use crate::error::{ModelError, WeightProblem};
use crate::facts::ModelFacts;

/// What a model folder says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The figures of the config; its parameters are counted as the weights on disk are.
    pub facts: ModelFacts,
    /// The classes that the checkpoint was saved from (`architectures`).
    pub classes: Vec<String>,
    /// The labels, where the checkpoint says that it is a sequence classifier.
    pub labels: Option<Vec<String>>,
    /// Every weight on disk, in the order of the files.
    pub tensors: Vec<TensorFacts>,
    /// What is wrong between an index and its files.
    pub problems: Vec<WeightProblem>,
}

/// A weight on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorFacts {
    /// Its name on disk.
    pub name: String,
    /// Our name for it, which recipes select by; `None` where the model has no use for it.
    pub parameter: Option<String>,
    /// The kind of its values.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How much of the file it takes.
    pub size_bytes: usize,
    /// The file it is in.
    pub file: String,
}

/// Reads the config and the headers of the weight files of a folder.
pub fn inspect(folder: &Path) -> Result<Inspection, ModelError> {
    let (config, translation) = Config::read(folder)?;
    let files = WeightFiles::open(folder)?;
    let tensors: Vec<TensorFacts> = files
        .tensors()
        .map(|(file, tensor)| TensorFacts {
            name: tensor.name.clone(),
            parameter: translation.names.canonical(&tensor.name),
            dtype: tensor.dtype.to_string(),
            shape: tensor.shape.clone(),
            size_bytes: tensor.range.len(),
            file: file.name.clone(),
        })
        .collect();
    let counted = tensors.iter().filter(|tensor| tensor.parameter.is_some());
    let parameter_count = counted.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    let classes = config.classes();
    let is_classifier = classes.iter().any(|class| class == translation.sequence_classifier);
    Ok(Inspection {
        facts: ModelFacts::new(config.family.model_type(), &translation.architecture, parameter_count),
        labels: if is_classifier { Some(config.labels()?) } else { None },
        classes,
        tensors,
        problems: files.problems,
    })
}
