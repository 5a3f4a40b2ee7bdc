//! Brings the weights of a checkpoint into parameters: all of them or an error that lists every weight that does not fit.
//!
//! Knows the bricks' declarations and the family's names, no task.

use std::collections::BTreeSet;
use std::path::Path;

use graftling_tensor::Parameters;

use super::files::WeightFiles;
use super::matching::{Matching, Source, match_weights, module};
use super::values;
use crate::error::{ModelError, WeightProblem};
use crate::families::names::{Names, Part};
use crate::nn::declarations::Declarations;

/// What loading did beyond copying weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The parameters that the checkpoint does not have: they start from the seed.
    pub new_parameters: Vec<String>,
    /// The weights of the checkpoint that were left out, and why.
    pub ignored: Vec<IgnoredWeight>,
    /// The kinds of values that were read (F32, F16, BF16); all are `f32` from here on.
    pub dtypes: Vec<String>,
}

/// A weight on disk that the model has no use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredWeight {
    /// Its name on disk.
    pub name: String,
    /// Why it may be left out.
    pub reason: &'static str,
}

/// Where the values of parameters come from.
pub(crate) enum Origins<'a> {
    /// All from the checkpoint.
    Stored,
    /// From the checkpoint. Modules above the encoder that it does not have, or that are named here, come from the seed.
    Fresh { seed: u64, replaced: &'a [&'a str] },
    /// From the checkpoint of a smaller model, of which several parameters may begin as one. Those that begin as none, and modules above
    /// the encoder that the checkpoint does not have, come from the seed.
    Pairing { seed: u64, begins_as: fn(&str) -> Option<String> },
}

/// What a parameter begins as.
pub(super) enum Beginning {
    /// This parameter of the checkpoint.
    As(String),
    /// A draw, in any case.
    New { seed: u64 },
}

impl Beginning {
    /// The parameter of the checkpoint, if it is one.
    pub fn stored(self) -> Option<String> {
        match self {
            Beginning::As(name) => Some(name),
            Beginning::New { .. } => None,
        }
    }
}

impl Origins<'_> {
    pub(super) fn replaces(&self, canonical: &str) -> bool {
        matches!(self, Origins::Fresh { replaced, .. } if replaced.contains(&module(canonical)))
    }

    /// What a declared parameter begins as.
    pub(super) fn beginning(&self, declared: &str) -> Beginning {
        match self {
            Origins::Pairing { begins_as, seed } => begins_as(declared).map_or(Beginning::New { seed: *seed }, Beginning::As),
            Origins::Stored | Origins::Fresh { .. } => Beginning::As(declared.to_owned()),
        }
    }

    /// By what parameters are drawn that the checkpoint does not have, where any may be missing.
    pub(super) fn seed(&self) -> Option<u64> {
        match self {
            Origins::Stored => None,
            Origins::Fresh { seed, .. } | Origins::Pairing { seed, .. } => Some(*seed),
        }
    }
}

/// Draws every parameter from the seed.
pub(crate) fn draw(declarations: &Declarations, seed: u64) -> (Parameters, LoadReport) {
    let mut parameters = Parameters::new();
    for (_, declaration) in declarations.iter() {
        let values = declaration.initial.values(seed, &declaration.name, declaration.count());
        parameters.add(&declaration.name, &declaration.shape, values);
    }
    let new = declarations.iter().filter(|(_, declaration)| !declaration.is_fixed);
    let new_parameters = new.map(|(_, declaration)| declaration.name.clone()).collect();
    (parameters, LoadReport { new_parameters, ..LoadReport::default() })
}

/// Reads what the declarations ask for from the weight files of a folder, in which they have these names. Nothing is allocated before all
/// shapes fit.
pub(crate) fn load(
    folder: &Path,
    declarations: &Declarations,
    names: Names,
    origins: &Origins<'_>,
) -> Result<(Parameters, LoadReport), ModelError> {
    let files = WeightFiles::open(folder)?;
    let expected = declarations.len();
    let refuse = |fitting, problems| ModelError::Weights { path: files.path.clone(), fitting, expected, problems };
    let Matching { sources, ignored, problems } = match_weights(declarations, &files, names, origins);
    if !problems.is_empty() {
        return Err(refuse(sources.len(), problems));
    }
    let mut parameters = Parameters::new();
    let mut report = LoadReport { ignored, ..LoadReport::default() };
    let mut dtypes = BTreeSet::new();
    let mut not_finite: Vec<(&str, usize, f32)> = Vec::new();
    let mut unfit = 0;
    for ((place, declaration), source) in declarations.iter().zip(sources) {
        let values = match source {
            Source::Stored { file, tensor, storage, part } => {
                dtypes.insert(tensor.dtype.to_string());
                let bytes = file.bytes(tensor);
                let turns = part.turns(&declaration.shape);
                let (skipped, bytes) = if turns { (0, bytes) } else { part_of(bytes, part) };
                match values::read(bytes, storage) {
                    Ok(values) if turns => turned(&values, part, &declaration.shape),
                    Ok(values) => values,
                    Err(values::NotFinite { index, value }) => {
                        let index = skipped * declaration.count() + index;
                        unfit += 1;
                        // Several parameters may be read from one weight.
                        if !not_finite.iter().any(|(name, place, _)| (*name, *place) == (&*tensor.name, index)) {
                            not_finite.push((&tensor.name, index, value));
                        }
                        continue;
                    }
                }
            }
            Source::New { seed } => {
                if !declaration.is_fixed {
                    report.new_parameters.push(declaration.name.clone());
                }
                declaration.initial.values(seed, &declaration.name, declaration.count())
            }
        };
        if not_finite.is_empty() {
            let given = parameters.add(&declaration.name, &declaration.shape, values);
            assert_eq!(given, place, "parameters are added in the order in which they are declared");
        }
    }
    if !not_finite.is_empty() {
        let problem = |(name, index, value): (&str, usize, f32)| WeightProblem::NotFinite { name: name.to_owned(), index, value };
        return Err(refuse(expected - unfit, not_finite.into_iter().map(problem).collect()));
    }
    report.dtypes = dtypes.into_iter().collect();
    Ok((parameters, report))
}

/// The bytes of a part that lies in one piece, and how many parts lie before it.
fn part_of(bytes: &[u8], part: Part) -> (usize, &[u8]) {
    let size = bytes.len() / part.of;
    (part.index, &bytes[part.index * size..(part.index + 1) * size])
}

/// The part of a matrix with a row for each input, as one with a row for each output: of this shape.
fn turned(values: &[f32], part: Part, shape: &[usize]) -> Vec<f32> {
    let [outputs, inputs] = [shape[0], shape[1]];
    let mut all = Vec::with_capacity(outputs * inputs);
    for output in part.index * outputs..(part.index + 1) * outputs {
        all.extend((0..inputs).map(|input| values[input * part.of * outputs + output]));
    }
    all
}
