//! The files by which sentence-transformers knows how token vectors become the vector of a text: read and written.
//!
//! `modules.json` names the modules in their order, each with the folder of its config. Knows no weight and no text.

use std::fs;
use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::config::read_json;
use super::replace::replace;
use crate::error::ModelError;
use crate::head::{Head, Pooling};

/// The file that names the modules.
const MODULES: &str = "modules.json";
/// Where the config of the pooling is written.
const POOLING_FOLDER: &str = "1_Pooling";
/// The folder of the module that has no config.
const NORMALIZE_FOLDER: &str = "2_Normalize";
/// The config of a module, in its folder.
const MODULE_CONFIG: &str = "config.json";
/// The modules that are known, as messages tell them.
const ACCEPTED: &str = "Transformer, Pooling, and then Normalize or nothing";

/// The keys that older versions have in place of `pooling_mode`, and what each means; those without a pooling are not offered.
const SWITCHES: [(&str, Option<Pooling>); 6] = [
    ("pooling_mode_cls_token", Some(Pooling::Cls)),
    ("pooling_mode_mean_tokens", Some(Pooling::Mean)),
    ("pooling_mode_max_tokens", Some(Pooling::Max)),
    ("pooling_mode_mean_sqrt_len_tokens", None),
    ("pooling_mode_weightedmean_tokens", None),
    ("pooling_mode_lasttoken", None),
];

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    class: String,
}

/// Whether a folder is one of sentence-transformers.
pub(crate) fn are_there(folder: &Path) -> bool {
    folder.join(MODULES).is_file()
}

/// The head that the modules of a folder describe, over vectors of this width.
pub(crate) fn read(folder: &Path, hidden_size: usize) -> Result<Head, ModelError> {
    let path = folder.join(MODULES);
    let modules: Vec<Module> = read_json(&path, "list of modules")?;
    // The packages of the classes have changed with the versions; their names have not.
    let names: Vec<&str> = modules.iter().map(|module| module.class.rsplit('.').next().unwrap_or_default()).collect();
    let refuse = || ModelError::SentenceModules {
        path: path.clone(),
        key: "modules",
        found: modules.iter().map(|module| module.class.as_str()).collect::<Vec<_>>().join(", "),
        accepted: ACCEPTED,
    };
    let (pooling, normalize) = match names.as_slice() {
        ["Transformer", "Pooling"] => (&modules[1], false),
        ["Transformer", "Pooling", "Normalize"] => (&modules[1], true),
        _ => return Err(refuse()),
    };
    // What comes from outside becomes a path only where it stays within the folder.
    let plain = |module: &Module| Path::new(&module.path).components().all(|part| matches!(part, Component::Normal(_)));
    if !modules[0].path.is_empty() || pooling.path.is_empty() || !plain(pooling) {
        return Err(refuse());
    }
    Ok(Head::SentenceEmbedding { pooling: pooling_of(&folder.join(&pooling.path).join(MODULE_CONFIG), hidden_size)?, normalize })
}

/// The pooling that a config describes.
fn pooling_of(path: &Path, hidden_size: usize) -> Result<Pooling, ModelError> {
    let config: Map<String, Value> = read_json(path, "pooling config")?;
    let refuse =
        |key: &'static str, found: String, accepted| ModelError::SentenceModules { path: path.to_owned(), key, found, accepted };
    for key in ["embedding_dimension", "word_embedding_dimension"] {
        if let Some(found) = config.get(key).filter(|found| found.as_u64() != Some(hidden_size as u64)) {
            return Err(refuse(key, found.to_string(), "the width of the encoder"));
        }
    }
    if config.get("include_prompt").is_some_and(|include| *include != json!(true)) {
        return Err(refuse("include_prompt", config["include_prompt"].to_string(), "true"));
    }
    let accepted = "one of mean, cls, max";
    match config.get("pooling_mode") {
        Some(mode) => {
            let one = mode.as_array().filter(|modes| modes.len() == 1).map_or(mode, |modes| &modes[0]);
            let pooling = one.as_str().and_then(Pooling::named);
            pooling.ok_or_else(|| refuse("pooling_mode", mode.to_string(), accepted))
        }
        None => {
            let on: Vec<&(&str, Option<Pooling>)> =
                SWITCHES.iter().filter(|(key, _)| config.get(*key) == Some(&json!(true))).collect();
            match on.as_slice() {
                [(_, Some(pooling))] => Ok(*pooling),
                others => {
                    let found = others.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ");
                    Err(refuse("pooling_mode", if found.is_empty() { "not there".to_owned() } else { found }, accepted))
                }
            }
        }
    }
}

/// Writes the modules of a head, as every version of sentence-transformers reads them.
pub(crate) fn write(folder: &Path, pooling: Pooling, normalize: bool, hidden_size: usize) -> Result<(), ModelError> {
    let mut config = Map::new();
    config.insert("word_embedding_dimension".to_owned(), json!(hidden_size));
    for (key, means) in SWITCHES {
        config.insert(key.to_owned(), json!(means == Some(pooling)));
    }
    config.insert("include_prompt".to_owned(), json!(true));
    let module = |index: usize, path: &str, class: &str| {
        json!({
            "idx": index, "name": index.to_string(), "path": path, "type": format!("sentence_transformers.models.{class}"),
        })
    };
    let mut modules = vec![module(0, "", "Transformer"), module(1, POOLING_FOLDER, "Pooling")];
    if normalize {
        modules.push(module(2, NORMALIZE_FOLDER, "Normalize"));
        make(&folder.join(NORMALIZE_FOLDER))?;
    }
    make(&folder.join(POOLING_FOLDER))?;
    write_json(&folder.join(POOLING_FOLDER).join(MODULE_CONFIG), &Value::Object(config))?;
    write_json(&folder.join(MODULES), &Value::Array(modules))
}

fn make(folder: &Path) -> Result<(), ModelError> {
    fs::create_dir_all(folder).map_err(|source| ModelError::Write { path: folder.to_owned(), bytes: 0, source })
}

fn write_json(path: &Path, value: &Value) -> Result<(), ModelError> {
    let text = format!("{value:#}\n");
    replace(path, text.len() as u64, |writer| writer.write_all(text.as_bytes()))
}
