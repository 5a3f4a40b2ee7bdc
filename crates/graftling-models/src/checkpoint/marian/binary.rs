//! The container `.bin` (marian-dev's `common/binary.cpp`): headers, names, shapes, and the bytes of all tensors one behind the other. Knows no tensor's
//! meaning.
//!
//! What is allocated is a small record for each tensor that the file really has room for.

use super::item::{Data, Item, Kind};
use super::problem::MarianProblem;
use crate::checkpoint::cursor::Cursor;

const VERSION: u64 = 1;
/// Marian's shapes have no more.
const MOST_DIMENSIONS: u64 = 4;
/// Four numbers, a name with its end, one dimension.
const SMALLEST_ITEM: u64 = 4 * 8 + 2 + 4;

/// What a file says of an item before anything else.
struct Header {
    name_length: u64,
    kind: u64,
    dimensions: u64,
    data_length: u64,
}

/// The items of a file, each within it.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, MarianProblem> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.u64("the version")?;
    if version != VERSION {
        return Err(MarianProblem::Version { found: version });
    }
    let count = cursor.count("tensors", SMALLEST_ITEM)?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let mut next = || cursor.u64("a header");
        headers.push(Header { name_length: next()?, kind: next()?, dimensions: next()?, data_length: next()? });
    }
    let mut names = Vec::with_capacity(count);
    for (index, header) in headers.iter().enumerate() {
        names.push(name(cursor.take(header.name_length, "a name")?, index)?);
    }
    let mut shapes = Vec::with_capacity(count);
    for (header, name) in headers.iter().zip(&names) {
        shapes.push(shape(&mut cursor, header.dimensions, name)?);
    }
    let padding = cursor.u64("the length of the padding")?;
    cursor.take(padding, "the padding")?;
    let mut items = Vec::with_capacity(count);
    for (header, (name, shape)) in headers.iter().zip(names.into_iter().zip(shapes)) {
        let data = cursor.take(header.data_length, "the values of a tensor")?;
        items.push(Item::new(name.to_owned(), shape, Kind::numbered(header.kind), Data::Here(data), data.len() as u64)?);
    }
    match bytes.len() - cursor.place() {
        0 => Ok(items),
        behind => Err(MarianProblem::Behind { bytes: behind }),
    }
}

/// A name without the NUL behind it.
fn name(bytes: &[u8], index: usize) -> Result<&str, MarianProblem> {
    let refuse = |reason| MarianProblem::Name { index, reason };
    let (end, name) = bytes.split_last().ok_or(refuse("is empty"))?;
    if *end != 0 || name.contains(&0) {
        return Err(refuse("does not end where it is said to"));
    }
    std::str::from_utf8(name).map_err(|_| refuse("is not UTF-8"))
}

fn shape(cursor: &mut Cursor<'_>, dimensions: u64, name: &str) -> Result<Vec<usize>, MarianProblem> {
    let refuse = |found: String, accepted: String| MarianProblem::Shape { name: name.to_owned(), found, accepted };
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(refuse(format!("{dimensions} dimensions"), format!("1 to {MOST_DIMENSIONS}")));
    }
    let mut sizes = Vec::with_capacity(dimensions as usize);
    for _ in 0..dimensions {
        sizes.push(i32::from_le_bytes(cursor.array("a shape")?));
    }
    let whole: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok().filter(|size| *size > 0)).collect();
    whole.ok_or_else(|| refuse(format!("the shape {sizes:?}"), "dimensions from 1".to_owned()))
}
