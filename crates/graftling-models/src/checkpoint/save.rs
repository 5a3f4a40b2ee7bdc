//! Writes a checkpoint folder: `model.safetensors` streamed from the parameters, then `config.json`. Knows no family's names.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use graftling_tensor::Parameters;
use serde_json::{Map, Value, json};

use super::config::CONFIG;
use super::files::SINGLE;
use super::replace::replace;
use crate::error::ModelError;
use crate::families::names::Names;

/// How many values are turned into bytes at a time.
const BLOCK: usize = 1 << 14;

/// Values that stand under a name in a file.
#[derive(Clone, Debug)]
pub struct NamedValues<'a> {
    /// The name.
    pub name: String,
    /// The shape.
    pub shape: &'a [usize],
    /// As many values as the shape says.
    pub values: &'a [f32],
}

/// Writes the weights and then the config, so that a folder with a config has the weights that belong to it.
pub(crate) fn save(folder: &Path, config: &str, parameters: &Parameters, names: Names) -> Result<(), ModelError> {
    let weight =
        |id| NamedValues { name: names.stored(parameters.name(id)), shape: parameters.shape(id), values: parameters.values(id) };
    let weights: Vec<NamedValues<'_>> = parameters.ids().map(weight).collect();
    fs::create_dir_all(folder).map_err(|source| ModelError::Write { path: folder.to_owned(), bytes: 0, source })?;
    write_values(&folder.join(SINGLE), &weights)?;
    replace(&folder.join(CONFIG), config.len() as u64, |writer| writer.write_all(config.as_bytes()))
}

/// Writes a safetensors file. It is whole, or what stood there before.
pub fn write_values(path: &Path, entries: &[NamedValues<'_>]) -> Result<(), ModelError> {
    let header = header(entries);
    let values: usize = entries.iter().map(|entry| entry.values.len()).sum();
    replace(path, (header.len() + 4 * values) as u64, |writer| {
        writer.write_all(&header)?;
        entries.iter().try_for_each(|entry| write_entry(writer, entry.values))
    })
}

/// The length of the header and the header itself, filled up with blanks to a multiple of eight as the format asks.
fn header(entries: &[NamedValues<'_>]) -> Vec<u8> {
    let mut json = Map::new();
    json.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut start = 0;
    for entry in entries {
        let end = start + 4 * entry.values.len();
        let facts = json!({ "dtype": "F32", "shape": entry.shape, "data_offsets": [start, end] });
        json.insert(entry.name.clone(), facts);
        start = end;
    }
    let mut text = Value::Object(json).to_string();
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend(text.as_bytes());
    header
}

fn write_entry(writer: &mut dyn Write, values: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    for block in values.chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        writer.write_all(&bytes)?;
    }
    Ok(())
}
