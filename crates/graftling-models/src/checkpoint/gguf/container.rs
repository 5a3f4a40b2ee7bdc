//! A GGUF file taken apart: its metadata and its tensors, each checked to lie within the file. Knows no key's meaning but the alignment's, and no architecture.
//!
//! What is allocated is a small record for each key and each tensor that the file really has room for.

use std::collections::{BTreeMap, btree_map};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::blocks::TensorType;
use super::problem::GgufProblem;
use super::value::{Array, Value};
use crate::checkpoint::cursor::Cursor;
use crate::checkpoint::map::map;
use crate::error::ModelError;

const MAGIC: &[u8; 4] = b"GGUF";
const VERSIONS: [u32; 2] = [2, 3];
/// ggml's `GGUF_DEFAULT_ALIGNMENT`.
const ALIGNMENT: u64 = 32;
/// ggml's `GGML_MAX_DIMS`.
const MOST_DIMENSIONS: u32 = 4;
/// A key without letters, a kind and one byte.
const SMALLEST_PAIR: u64 = 8 + 4 + 1;
/// A name without letters, a number of dimensions, a dimension, a type and an offset.
const SMALLEST_TENSOR: u64 = 8 + 4 + 8 + 4 + 8;

/// A GGUF file on the disk, brought into memory as it is touched.
#[derive(Debug)]
pub struct GgufFile {
    path: PathBuf,
    map: Mmap,
}

impl GgufFile {
    /// Opens a file.
    ///
    /// # Errors
    /// If the system does not let it be read.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let map = map(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), map })
    }

    /// What is in it.
    ///
    /// # Errors
    /// As [`Gguf::parse`], with the file's name.
    pub fn parse(&self) -> Result<Gguf<'_>, ModelError> {
        Gguf::parse(&self.map).map_err(|problem| self.refusal(problem))
    }

    /// An error about this file.
    pub fn refusal(&self, problem: GgufProblem) -> ModelError {
        ModelError::Gguf { path: self.path.clone(), problem }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A tensor as it lies in a file.
#[derive(Clone, Debug)]
pub struct GgufTensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape, the slowest dimension first as everywhere here; a file has it the other way round.
    pub shape: Vec<usize>,
    pub(super) kind: &'static TensorType,
    pub(super) bytes: &'a [u8],
}

impl GgufTensor<'_> {
    /// The name of its type in ggml.
    pub fn type_name(&self) -> &'static str {
        self.kind.name
    }

    /// How many values it has.
    pub fn value_count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The values from `start` to `start + values.len()`, both multiples of what a block holds.
    pub(super) fn read(&self, start: usize, values: &mut [f32]) {
        let TensorType { block, bytes, .. } = self.kind;
        let (from, to) = (start / block * bytes, (start + values.len()) / block * bytes);
        self.kind.read(&self.bytes[from..to], values);
    }

    /// All of its values in row-major order.
    ///
    /// # Errors
    /// If its type is not one that is read.
    pub fn values(&self) -> Result<Vec<f32>, GgufProblem> {
        if !self.kind.is_offered() {
            let accepted = TensorType::offered_names();
            return Err(GgufProblem::Types { found: format!("{} ({})", self.kind.name, self.name), accepted });
        }
        let mut values = vec![0.0; self.value_count()];
        self.read(0, &mut values);
        Ok(values)
    }
}

/// The contents of a GGUF file.
#[derive(Debug)]
pub struct Gguf<'a> {
    pairs: BTreeMap<&'a str, Value<'a>>,
    tensors: Vec<GgufTensor<'a>>,
}

/// A tensor whose place is not known yet.
struct Announced<'a> {
    name: &'a str,
    shape: Vec<usize>,
    kind: &'static TensorType,
    size: u64,
    offset: u64,
}

impl<'a> Gguf<'a> {
    /// Takes the bytes of a file apart.
    ///
    /// # Errors
    /// If they are not a whole file of version 2 or 3.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, GgufProblem> {
        let mut cursor = Cursor::new(bytes);
        if !bytes.starts_with(MAGIC) {
            return Err(GgufProblem::OtherFile { found: bytes[..bytes.len().min(MAGIC.len())].to_vec() });
        }
        cursor.take(MAGIC.len() as u64, "the beginning")?;
        let version = cursor.u32("the version")?;
        if VERSIONS.contains(&version.swap_bytes()) {
            return Err(GgufProblem::BigEndian);
        }
        if !VERSIONS.contains(&version) {
            return Err(GgufProblem::Version { found: version });
        }
        let tensor_count = cursor.count("tensors", SMALLEST_TENSOR)?;
        let pair_count = cursor.count("pairs of keys and values", SMALLEST_PAIR)?;
        let mut pairs = BTreeMap::new();
        for _ in 0..pair_count {
            let key = name(&mut cursor, "a key")?;
            let value = Value::read(&mut cursor, key)?;
            match pairs.entry(key) {
                btree_map::Entry::Vacant(place) => drop(place.insert(value)),
                btree_map::Entry::Occupied(_) => return Err(GgufProblem::KeyTwice { key: key.to_owned() }),
            }
        }
        let mut gguf = Self { pairs, tensors: Vec::new() };
        let alignment = gguf.alignment()?;
        let announced = (0..tensor_count).map(|_| announced(&mut cursor, alignment)).collect::<Result<Vec<_>, _>>()?;
        let start = cursor.place().next_multiple_of(alignment as usize).min(bytes.len());
        gguf.tensors = placed(announced, &bytes[start..])?;
        Ok(gguf)
    }

    fn alignment(&self) -> Result<u64, GgufProblem> {
        let accepted = || "powers of two up to 65536".to_owned();
        let key = "general.alignment";
        match self.pairs.get(key) {
            None => Ok(ALIGNMENT),
            Some(Value::Whole(number)) if (1..=65536).contains(number) && number.count_ones() == 1 => Ok(*number as u64),
            Some(value) => Err(GgufProblem::Key { key: key.to_owned(), found: value.shown(), accepted: accepted() }),
        }
    }

    /// The tensors, in the order of the file.
    pub fn tensors(&self) -> &[GgufTensor<'a>] {
        &self.tensors
    }

    /// The keys of the metadata, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.pairs.keys().copied()
    }

    pub(super) fn value(&self, key: &str) -> Option<&Value<'a>> {
        self.pairs.get(key)
    }

    /// The text of a key, where it is there.
    ///
    /// # Errors
    /// If it is no text in UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, GgufProblem> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Text(bytes)) => utf8(bytes, || format!("the value of \"{key}\"")).map(Some),
            Some(other) => Err(refused(key, other, "a text")),
        }
    }

    /// The switch of a key, where it is there.
    ///
    /// # Errors
    /// If it is no switch.
    pub fn switch(&self, key: &str) -> Result<Option<bool>, GgufProblem> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(refused(key, other, "true, false")),
        }
    }

    /// The whole number from 0 of a key, where it is there.
    ///
    /// # Errors
    /// If it is no whole number from 0.
    pub fn count(&self, key: &str) -> Result<Option<u64>, GgufProblem> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = match value {
            Value::Whole(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| refused(key, value, "a whole number from 0"))
    }

    /// The texts of a key; none where it is not there.
    ///
    /// # Errors
    /// If it is no array of texts in UTF-8.
    pub fn texts(&self, key: &str) -> Result<Vec<&'a str>, GgufProblem> {
        let Some(array) = self.array(key, "an array of texts")? else { return Ok(Vec::new()) };
        let text = |(place, value): (usize, Value<'a>)| match value {
            Value::Text(bytes) => utf8(bytes, || format!("text {place} of \"{key}\"")),
            other => Err(refused(key, &other, "an array of texts")),
        };
        array.values().enumerate().map(text).collect()
    }

    /// The whole numbers of a key; none where it is not there.
    ///
    /// # Errors
    /// If it is no array of whole numbers.
    pub fn integers(&self, key: &str) -> Result<Vec<i64>, GgufProblem> {
        let accepted = "an array of whole numbers";
        let Some(array) = self.array(key, accepted)? else { return Ok(Vec::new()) };
        let number = |value: Value<'a>| match value {
            Value::Whole(number) => i64::try_from(number).map_err(|_| refused(key, &value, accepted)),
            other => Err(refused(key, &other, accepted)),
        };
        array.values().map(number).collect()
    }

    /// The numbers of a key; none where it is not there.
    ///
    /// # Errors
    /// If it is no array of numbers in single precision.
    pub fn numbers(&self, key: &str) -> Result<Vec<f32>, GgufProblem> {
        let accepted = "an array of numbers in single precision";
        let Some(array) = self.array(key, accepted)? else { return Ok(Vec::new()) };
        let number = |value: Value<'a>| match value {
            Value::F32(number) => Ok(number),
            other => Err(refused(key, &other, accepted)),
        };
        array.values().map(number).collect()
    }

    fn array(&self, key: &str, accepted: &str) -> Result<Option<Array<'a>>, GgufProblem> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(*array)),
            Some(other) => Err(refused(key, other, accepted)),
        }
    }
}

/// A text that must be UTF-8.
fn name<'a>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<&'a str, GgufProblem> {
    let place = cursor.place();
    utf8(cursor.text(what)?, || format!("{what} at byte {place}"))
}

fn utf8(bytes: &[u8], what: impl Fn() -> String) -> Result<&str, GgufProblem> {
    std::str::from_utf8(bytes).map_err(|_| GgufProblem::NotUtf8 { what: what() })
}

fn refused(key: &str, value: &Value<'_>, accepted: &str) -> GgufProblem {
    GgufProblem::Key { key: key.to_owned(), found: value.shown(), accepted: accepted.to_owned() }
}

/// What a file says of a tensor before its values.
fn announced<'a>(cursor: &mut Cursor<'a>, alignment: u64) -> Result<Announced<'a>, GgufProblem> {
    let name = name(cursor, "the name of a tensor")?;
    let refuse = |found: String, accepted: String| GgufProblem::Shape { name: name.to_owned(), found, accepted };
    let dimensions = cursor.u32("the number of dimensions")?;
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(refuse(format!("{dimensions} dimensions"), format!("1 to {MOST_DIMENSIONS}")));
    }
    let mut sizes = Vec::with_capacity(dimensions as usize);
    for _ in 0..dimensions {
        sizes.push(cursor.u64("a dimension")?);
    }
    let number = cursor.u32("the type of a tensor")?;
    let accepted = TensorType::offered_names;
    let kind = TensorType::numbered(number).ok_or_else(|| GgufProblem::UnknownType {
        name: name.to_owned(),
        found: number,
        accepted: accepted(),
    })?;
    let (block, width) = (kind.block as u64, sizes[0]);
    if !width.is_multiple_of(block) {
        return Err(refuse(format!("rows of {width} values"), format!("multiples of {block} for {}", kind.name)));
    }
    sizes.reverse();
    let values = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
    let size = values.and_then(|values| (values / block).checked_mul(kind.bytes as u64));
    let shape: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok().filter(|size| *size > 0)).collect();
    let (Some(size), Some(shape)) = (size, shape) else {
        return Err(refuse(format!("the shape {sizes:?}"), "dimensions from 1 whose product is below 2^64 bytes".to_owned()));
    };
    let offset = cursor.u64("where values begin")?;
    if !offset.is_multiple_of(alignment) {
        return Err(GgufProblem::Alignment { name: name.to_owned(), offset, alignment });
    }
    Ok(Announced { name, shape, kind, size, offset })
}

/// The tensors with their values, which lie one behind the other.
fn placed<'a>(announced: Vec<Announced<'a>>, data: &'a [u8]) -> Result<Vec<GgufTensor<'a>>, GgufProblem> {
    let mut order: Vec<&Announced<'_>> = announced.iter().collect();
    order.sort_by_key(|tensor| tensor.offset);
    if let Some(pair) = order.windows(2).find(|pair| pair[1].offset - pair[0].offset < pair[0].size) {
        return Err(GgufProblem::Overlap { first: pair[0].name.to_owned(), second: pair[1].name.to_owned() });
    }
    order.sort_by_key(|tensor| tensor.name);
    if let Some(pair) = order.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(GgufProblem::TensorTwice { name: pair[0].name.to_owned() });
    }
    let place = |tensor: Announced<'a>| {
        let Announced { name, shape, kind, size, offset } = tensor;
        let range = offset.checked_add(size).and_then(|end| Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?));
        let bytes = range.and_then(|range| data.get(range)).ok_or_else(|| GgufProblem::Outside {
            name: name.to_owned(),
            offset,
            size,
            available: data.len() as u64,
        })?;
        Ok(GgufTensor { name, shape, kind, bytes })
    };
    announced.into_iter().map(place).collect()
}
