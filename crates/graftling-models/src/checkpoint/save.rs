//! Writes a checkpoint folder: `model.safetensors` streamed from the parameters, then `config.json`. Knows no family's names.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use graftling_tensor::{ParameterId, Parameters};
use serde_json::{Map, Value, json};

use super::config::CONFIG;
use super::files::SINGLE;
use super::replace::replace;
use crate::error::ModelError;
use crate::families::names::Names;

/// How many values are turned into bytes at a time.
const BLOCK: usize = 1 << 14;

/// Writes the weights and then the config, so that a folder with a config has the weights that belong to it.
pub(crate) fn save(folder: &Path, config: &str, parameters: &Parameters, names: Names) -> Result<(), ModelError> {
    let header = header(parameters, names);
    let values: usize = parameters.ids().map(|id| parameters.values(id).len()).sum();
    let bytes = (header.len() + 4 * values) as u64;
    fs::create_dir_all(folder).map_err(|source| ModelError::Write { path: folder.to_owned(), bytes, source })?;
    replace(&folder.join(SINGLE), bytes, |writer| {
        writer.write_all(&header)?;
        parameters.ids().try_for_each(|id| write_values(writer, parameters, id))
    })?;
    replace(&folder.join(CONFIG), config.len() as u64, |writer| writer.write_all(config.as_bytes()))
}

/// The length of the header and the header itself, filled up with blanks to a multiple of eight as the format asks.
fn header(parameters: &Parameters, names: Names) -> Vec<u8> {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut start = 0;
    for id in parameters.ids() {
        let end = start + 4 * parameters.values(id).len();
        let entry = json!({ "dtype": "F32", "shape": parameters.shape(id), "data_offsets": [start, end] });
        entries.insert(names.stored(parameters.name(id)), entry);
        start = end;
    }
    let mut text = Value::Object(entries).to_string();
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend(text.as_bytes());
    header
}

fn write_values(writer: &mut dyn Write, parameters: &Parameters, id: ParameterId) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    for block in parameters.values(id).chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        writer.write_all(&bytes)?;
    }
    Ok(())
}
