//! Matches the parameters that the bricks declare with the weights of a file, strictly in both directions. Reads no value.

use std::collections::{HashMap, HashSet};

use super::files::{WeightFile, WeightFiles};
use super::header::StoredTensor;
use super::load::{Beginning, IgnoredWeight, Origins};
use super::values::Storage;
use crate::error::WeightProblem;
use crate::facts::Depth;
use crate::families::names::{Names, Part};
use crate::nn::declarations::{Declaration, Declarations};

/// Where the values of a parameter come from.
pub(super) enum Source<'a> {
    Stored { file: &'a WeightFile, tensor: &'a StoredTensor, storage: Storage, part: Part },
    New { seed: u64 },
}

/// What the match comes to: a source for each declared parameter, in order, where there are no problems.
pub(super) struct Matching<'a> {
    pub sources: Vec<Source<'a>>,
    pub ignored: Vec<IgnoredWeight>,
    pub problems: Vec<WeightProblem>,
}

pub(super) fn match_weights<'a>(
    declarations: &Declarations,
    files: &'a WeightFiles,
    names: Names,
    origins: &Origins<'_>,
) -> Matching<'a> {
    let wanted: HashSet<String> = declarations.iter().filter_map(|(_, entry)| origins.beginning(&entry.name).stored()).collect();
    let mut ignored = Vec::new();
    let mut problems = files.problems.clone();
    let mut found: HashMap<String, (&WeightFile, &StoredTensor, Part)> = HashMap::new();
    for (file, tensor) in files.tensors() {
        let name = &tensor.name;
        let held = names.canonical(name);
        let ignore = |reason| IgnoredWeight { name: name.clone(), reason };
        if held.iter().any(|(canonical, _)| origins.replaces(canonical)) {
            ignored.push(ignore("the head of other labels, replaced by a new one"));
        } else if held.iter().any(|(canonical, _)| wanted.contains(canonical)) {
            let mut first = None;
            for (canonical, part) in held {
                first = first.or(found.insert(canonical, (file, tensor, part)));
            }
            if let Some((_, first, _)) = first {
                problems.push(WeightProblem::Twice { first: first.name.clone(), second: name.clone() });
            }
        } else {
            match names.reason_to_ignore(name) {
                Some(reason) => ignored.push(ignore(reason)),
                None => problems.push(WeightProblem::Unexpected { name: name.clone(), shape: tensor.shape.clone() }),
            }
        }
    }
    // The names in messages are those that the file would have: a backbone alone is saved without the prefix.
    let prefixed = found.values().any(|(_, tensor, _)| tensor.name.starts_with(names.backbone_prefix()));
    let missing = |canonical: &str, declaration: &Declaration| {
        let (name, part) = names.stored(canonical);
        let name = match name.strip_prefix(names.backbone_prefix()) {
            Some(bare) if !prefixed && !found.is_empty() => bare.to_owned(),
            _ => name,
        };
        WeightProblem::Missing { name, shape: part.stored_shape(&declaration.shape) }
    };
    // What is wrong with a weight that holds several parameters is said once.
    let mut say = |problem| {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    let mut sources = Vec::with_capacity(declarations.len());
    for (_, declaration) in declarations.iter() {
        let module_is_absent = |name: &str| !found.keys().any(|other| module(other) == module(name));
        match origins.beginning(&declaration.name) {
            Beginning::New { seed } => sources.push(Source::New { seed }),
            Beginning::As(origin) => match (found.get(&origin), origins.seed()) {
                (Some((file, tensor, part)), _) => match fit(declaration, tensor, *part) {
                    Ok(storage) => sources.push(Source::Stored { file, tensor, storage, part: *part }),
                    Err(problem) => say(problem),
                },
                (None, Some(seed)) if declaration.depth == Depth::Head && module_is_absent(&origin) => {
                    sources.push(Source::New { seed });
                }
                // It is what it starts from where nobody says otherwise.
                (None, _) if declaration.is_fixed => sources.push(Source::New { seed: 0 }),
                (None, _) => say(missing(&origin, declaration)),
            },
        }
    }
    Matching { sources, ignored, problems }
}

/// The name of the module that a parameter belongs to.
pub(super) fn module(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(module, _)| module)
}

fn fit(declaration: &Declaration, tensor: &StoredTensor, part: Part) -> Result<Storage, WeightProblem> {
    let name = || tensor.name.clone();
    let expected = part.stored_shape(&declaration.shape);
    if tensor.shape != expected {
        return Err(WeightProblem::Shape { name: name(), found: tensor.shape.clone(), expected });
    }
    Storage::of(tensor.dtype).ok_or_else(|| WeightProblem::Dtype { name: name(), found: tensor.dtype.to_string() })
}
