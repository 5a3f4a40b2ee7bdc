//! Which files of a model are fetched, and whether a folder has them all.
//! Knows nothing of how they are fetched.

use super::Repository;
use super::listing::Listing;
use crate::HubError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const CONFIG: &str = "config.json";
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Any of these holds a vocabulary.
const VOCABULARIES: [&str; 8] = [
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "spm.model",
    "tokenizer.model",
    "source.spm",
];
/// These go with a vocabulary where they are there.
const COMPANIONS: [&str; 6] =
    ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", "target.spm", "target_vocab.json"];
/// These say in a model of sentence vectors how they are made, where it is one.
const OF_SENTENCES: [&str; 4] =
    ["modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "config_sentence_transformers.json"];
/// Weight files that can hold code.
const UNSAFE_ENDINGS: [&str; 6] = [".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack"];

/// The files to fetch.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) small_files: Vec<String>,
    pub(crate) weights: Weights,
}

/// How the weights are stored.
#[derive(Debug)]
pub(crate) enum Weights {
    Single(&'static str),
    Sharded { index: &'static str },
}

/// Chooses the files; a model without safe weights, a config or a vocabulary is refused before anything is fetched.
pub(crate) fn select(repository: &Repository, listing: &Listing) -> Result<Selection, HubError> {
    let has = |name: &str| listing.files.iter().any(|file| file.name == name);
    let model = repository.to_string();
    let weights = match (has(SINGLE), has(INDEX)) {
        (true, _) => Weights::Single(SINGLE),
        (false, true) => Weights::Sharded { index: INDEX },
        (false, false) => {
            let names = listing.files.iter().map(|file| file.name.as_str());
            let found: Vec<&str> = names.filter(|name| UNSAFE_ENDINGS.iter().any(|ending| name.ends_with(ending))).collect();
            return Err(match found.is_empty() {
                false => HubError::NoSafetensors { model: repository.id().to_owned(), found: found.join(", ") },
                true => HubError::MissingFiles { model, missing: format!("{SINGLE} (or {INDEX})") },
            });
        }
    };
    let mut missing = Vec::new();
    if !has(CONFIG) {
        missing.push(CONFIG.to_owned());
    }
    if !VOCABULARIES.iter().any(|name| has(name)) {
        missing.push(format!("a vocabulary (one of {})", VOCABULARIES.join(", ")));
    }
    if !missing.is_empty() {
        return Err(HubError::MissingFiles { model, missing: missing.join(" and ") });
    }
    let small = [CONFIG].into_iter().chain(VOCABULARIES).chain(COMPANIONS).chain(OF_SENTENCES);
    Ok(Selection { small_files: small.filter(|name| has(name)).map(str::to_owned).collect(), weights })
}

/// Whether a folder has a config, a vocabulary and all weights.
pub(crate) fn is_complete(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let sharded = || shards(&folder.join(INDEX)).is_ok_and(|shards| shards.iter().all(|shard| has(shard)));
    has(CONFIG) && VOCABULARIES.iter().any(|name| has(name)) && (has(SINGLE) || sharded())
}

/// The shards that an index names.
pub(crate) fn shards(index: &Path) -> Result<BTreeSet<String>, HubError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let bad = |reason: String| HubError::BadAnswer { url: index.display().to_string(), reason };
    let text = std::fs::read_to_string(index).map_err(HubError::disk(index, "read"))?;
    let parsed: Index = serde_json::from_str(&text).map_err(|error| bad(format!("not an index of weight files: {error}")))?;
    let shards: BTreeSet<String> = parsed.weight_map.into_values().collect();
    // The index comes from outside, and its values become paths.
    match shards.iter().find(|shard| shard.contains(['/', '\\']) || !shard.ends_with(".safetensors")) {
        Some(shard) => {
            Err(bad(format!("names the weight file {shard:?}; only plain names that end in .safetensors are accepted")))
        }
        None => Ok(shards),
    }
}
