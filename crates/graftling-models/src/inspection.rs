//! What a model folder says of itself, from its config and the headers of its weight files. Reads no weight.

use std::path::Path;

use crate::checkpoint::config::Config;
use crate::checkpoint::files::WeightFiles;
use crate::error::{ModelError, WeightProblem};
use crate::facts::ModelFacts;
use crate::head::{Head, HeadKind};

/// What a model folder says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The figures of the config; its parameters are counted as the weights on disk are.
    pub facts: ModelFacts,
    /// The classes that the checkpoint was saved from (`architectures`).
    pub classes: Vec<String>,
    /// What the head gives, where the checkpoint says that it has one.
    pub head: Option<Head>,
    /// The head with which a model from here writes one text from another, whatever head the checkpoint has; none of a family that writes no texts.
    pub writes: Option<Head>,
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
    /// Our names for what it holds, which recipes select by: several where it merges some, none where the model has no use for it.
    pub parameters: Vec<String>,
    /// The kind of its values.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How much of the file it takes.
    pub size_bytes: usize,
    /// The file it is in.
    pub file: String,
}

/// The head that a folder of sentence-transformers describes; `None` where the folder is another.
pub fn sentence_head(folder: &Path) -> Result<Option<Head>, ModelError> {
    let (config, translation) = Config::read(folder)?;
    config.sentence_head(&translation)
}

/// Reads the config and the headers of the weight files of a folder.
pub fn inspect(folder: &Path) -> Result<Inspection, ModelError> {
    let (config, translation) = Config::read(folder)?;
    let files = WeightFiles::open(folder)?;
    let classes = config.classes();
    let of_a_head = HeadKind::ALL.iter().any(|kind| !kind.is_bare() && classes.contains(&translation.classes.class(*kind)));
    let head = if of_a_head { Some(config.head_of_class(&translation)?) } else { None };
    let is_pair = translation.decoder.is_some() || config.family.pairing().is_some();
    let writes = if is_pair {
        Some(Head::SequenceToSequence)
    } else {
        translation.names.offers(HeadKind::CausalLanguageModelling).then_some(Head::CausalLanguageModelling)
    };
    let names = translation.names.with_head(head.as_ref().map_or(HeadKind::SequenceClassification, Head::kind));
    let tensors: Vec<TensorFacts> = files
        .tensors()
        .map(|(file, tensor)| TensorFacts {
            name: tensor.name.clone(),
            parameters: names.canonical(&tensor.name).into_iter().map(|(name, _)| name).collect(),
            dtype: tensor.dtype.to_string(),
            shape: tensor.shape.clone(),
            size_bytes: tensor.range.len(),
            file: file.name.clone(),
        })
        .collect();
    let counted = tensors.iter().filter(|tensor| !tensor.parameters.is_empty());
    let parameter_count = counted.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    Ok(Inspection {
        facts: ModelFacts::new(
            config.family.model_type(),
            &translation.architecture,
            translation.decoder.as_deref().map(|decoder| (decoder, translation.conventions)),
            parameter_count,
        ),
        head,
        writes,
        classes,
        tensors,
        problems: files.problems,
    })
}
