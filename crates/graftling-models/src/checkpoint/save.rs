//! Writes a checkpoint folder: `model.safetensors` streamed from the parameters, then `config.json`. Knows no family's names.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use graftling_tensor::Parameters;
use serde_json::{Map, Value, json};

use super::config::CONFIG;
use super::files::SINGLE;
use super::replace::replace;
use crate::error::ModelError;
use crate::families::names::{Names, Part};

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

/// What stands under one name in a file: values of one or several parameters.
struct Entry<'a> {
    name: String,
    shape: Vec<usize>,
    pieces: Vec<&'a [f32]>,
    /// Whether the pieces lie beside each other, a row for each input, instead of end to end.
    turns: bool,
}

impl Entry<'_> {
    fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        if !self.turns {
            return self.pieces.iter().try_for_each(|piece| write_piece(writer, piece));
        }
        let inputs = self.shape[0];
        let mut row = Vec::with_capacity(self.shape[1]);
        (0..inputs).try_for_each(|input| {
            row.clear();
            row.extend(self.pieces.iter().flat_map(|piece| piece[input..].iter().step_by(inputs)));
            write_piece(writer, &row)
        })
    }
}

/// Writes the weights and then the config, so that a folder with a config has the weights that belong to it.
pub(crate) fn save(folder: &Path, config: &str, parameters: &Parameters, names: Names) -> Result<(), ModelError> {
    fs::create_dir_all(folder).map_err(|source| ModelError::Write { path: folder.to_owned(), bytes: 0, source })?;
    write_entries(&folder.join(SINGLE), &stored(parameters, names))?;
    replace(&folder.join(CONFIG), config.len() as u64, |writer| writer.write_all(config.as_bytes()))
}

/// The parameters under their names on disk, those that are merged there as one.
fn stored(parameters: &Parameters, names: Names) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut places = HashMap::new();
    for id in parameters.ids() {
        let (name, part) = names.stored(parameters.name(id));
        let shape = parameters.shape(id);
        let Part { index, of, .. } = part;
        let place = *places.entry(name.clone()).or_insert_with(|| {
            entries.push(Entry { name, shape: part.stored_shape(shape), pieces: vec![&[]; of], turns: part.turns(shape) });
            entries.len() - 1
        });
        entries[place].pieces[index] = parameters.values(id);
    }
    entries
}

/// Writes a safetensors file. It is whole, or what stood there before.
pub fn write_values(path: &Path, entries: &[NamedValues<'_>]) -> Result<(), ModelError> {
    let named = entries.iter();
    let entries: Vec<Entry<'_>> = named
        .map(|NamedValues { name, shape, values }| Entry {
            name: name.clone(),
            shape: shape.to_vec(),
            pieces: vec![*values],
            turns: false,
        })
        .collect();
    write_entries(path, &entries)
}

fn write_entries(path: &Path, entries: &[Entry<'_>]) -> Result<(), ModelError> {
    let stored = |entry| {
        let Entry { name, shape, .. }: &Entry<'_> = entry;
        Stored { name, shape, dtype: "F32", bytes: 4 * entry.len() }
    };
    let header = header(entries.iter().map(stored));
    let values: usize = entries.iter().map(Entry::len).sum();
    replace(path, (header.len() + 4 * values) as u64, |writer| {
        writer.write_all(&header)?;
        entries.iter().try_for_each(|entry| entry.write(writer))
    })
}

/// What a header says of the values under a name.
pub(super) struct Stored<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
    pub dtype: &'static str,
    pub bytes: usize,
}

/// The length of the header and the header itself, filled up with blanks to a multiple of eight as the format asks. The values lie end to end in the
/// order of the entries.
pub(super) fn header<'a>(entries: impl Iterator<Item = Stored<'a>>) -> Vec<u8> {
    let mut json = Map::new();
    json.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut start = 0;
    for Stored { name, shape, dtype, bytes } in entries {
        let end = start + bytes;
        json.insert(name.to_owned(), json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
        start = end;
    }
    let mut text = Value::Object(json).to_string();
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend(text.as_bytes());
    header
}

fn write_piece(writer: &mut dyn Write, values: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    for block in values.chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        writer.write_all(&bytes)?;
    }
    Ok(())
}
