//! The container `.npz`: a zip archive with an array of NumPy for each tensor, stored or deflated. Knows no tensor's meaning.
//!
//! Of every entry the header alone is read at first; its values follow when they are asked for, one tensor at a time, with the checksum that the archive has
//! of them. What the zip library allocates before it has looked at an entry is bounded here by the size of the file.

use std::io::{self, Read};

use zip::{CompressionMethod, ZipArchive};

use super::item::{Data, Item};
use super::npy::{self, Unread};
use super::problem::MarianProblem;

const MAGIC: &[u8] = b"PK\x03\x04";
/// The record at the end of an archive: its signature, its length without a comment, and where its numbers stand.
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
/// What leads to a second such record, of an archive that may have more than four gigabytes; it stands right before.
const LARGE_END: &[u8] = b"PK\x06\x07";
const LARGE_END_LENGTH: usize = 20;
/// No entry takes fewer bytes in the list of all.
const SMALLEST_ENTRY: usize = 46;
/// An entry that grows by more than this factor, and beyond [`ALWAYS_ACCEPTED_BYTES`], holds no weights.
const HIGHEST_EXPANSION: u64 = 16;
const ALWAYS_ACCEPTED_BYTES: u64 = 64 << 20;
/// What the entries are called behind the names of the tensors.
const ENDING: &str = ".npy";

/// Whether a file begins as zip archives do.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The items of a file, each with a header that has been read.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, MarianProblem> {
    check_end(bytes).map_err(|reason| MarianProblem::Archive { reason })?;
    let refuse = |reason: String| MarianProblem::Archive { reason };
    let archive = ZipArchive::new(io::Cursor::new(bytes)).map_err(|error| refuse(error.to_string()))?;
    if archive.has_duplicate_names() {
        return Err(refuse("two of its entries have the same name".to_owned()));
    }
    (0..archive.len()).map(|index| item(archive.clone(), index)).collect()
}

/// Refuses an archive whose end does not agree with its size.
fn check_end(bytes: &[u8]) -> Result<(), String> {
    let cut_off = || "cut off, or with something behind its end; fetch or copy it again".to_owned();
    let start = bytes.len().checked_sub(END_LENGTH).ok_or_else(cut_off)?;
    let end = &bytes[start..];
    if !end.starts_with(END) {
        return Err(cut_off());
    }
    let small = |place: usize| usize::from(u16::from_le_bytes([end[place], end[place + 1]]));
    let large = |place: usize| small(place) | small(place + 2) << 16;
    let (entries, size, first) = (small(10), large(12), large(16));
    if start.checked_sub(LARGE_END_LENGTH).is_some_and(|place| bytes[place..].starts_with(LARGE_END)) {
        return Err("an archive for more than four gigabytes (zip64), which no student of Marian needs".to_owned());
    }
    if first.checked_add(size) != Some(start) || entries * SMALLEST_ENTRY > size {
        return Err(format!(
            "damaged: its list of {entries} entries is said to have {size} bytes from {first} on, but the archive ends at {start}; \
             fetch or copy it again"
        ));
    }
    Ok(())
}

/// What the archive holds under a number.
fn item(archive: ZipArchive<io::Cursor<&[u8]>>, index: usize) -> Result<Item<'_>, MarianProblem> {
    let mut entry = Entry { archive, index, header: 0, size: 0, name: String::new() };
    let (raw, compressed, method, encrypted) = {
        let data = entry.archive.by_index_data(index).map_err(|error| entry.refusal(error.to_string()))?;
        entry.size = data.size();
        (data.name_raw().to_owned(), data.compressed_size(), data.compression(), data.encrypted())
    };
    let name = String::from_utf8(raw).map_err(|_| MarianProblem::Name { index, reason: "is not UTF-8" })?;
    entry.name.clone_from(&name);
    let Some(name) = name.strip_suffix(ENDING) else {
        return Err(
            entry.refusal(format!("no array of NumPy, whose name ends in {ENDING}; accepted are the .npz files of Marian"))
        );
    };
    if encrypted {
        return Err(entry.refusal("encrypted; accepted are entries that anybody can read".to_owned()));
    }
    if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(entry.refusal(format!("compressed by {method:?}; accepted: stored, deflated")));
    }
    if entry.size > ALWAYS_ACCEPTED_BYTES && entry.size / HIGHEST_EXPANSION > compressed {
        return Err(entry.refusal(format!("{compressed} bytes that are said to become {}, which weights never do", entry.size)));
    }
    let header = entry.open(npy::header)?.map_err(|unread| match unread {
        Unread::Broken(reason) => entry.refusal(reason),
        Unread::Refused { found, accepted } => {
            MarianProblem::Array { name: name.to_owned(), found, accepted: accepted.to_owned() }
        }
    })?;
    entry.header = header.length;
    let available = entry.size.saturating_sub(header.length);
    Item::new(name.to_owned(), header.shape, header.kind, Data::Entry(entry), available)
}

/// An array in an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    archive: ZipArchive<io::Cursor<&'a [u8]>>,
    index: usize,
    name: String,
    /// How long its header is.
    header: u64,
    /// How long it is said to be, header and values.
    size: u64,
}

impl Entry<'_> {
    /// Its values, all of them, which the archive's checksum fits.
    pub fn bytes(&self) -> Result<Vec<u8>, MarianProblem> {
        let bytes = self.open(|reader| {
            let skipped = io::copy(&mut reader.take(self.header), &mut io::sink())?;
            let mut bytes = Vec::new();
            // One more than there is shows that there are more.
            reader.take(self.size - skipped + 1).read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes)
        })?;
        let bytes = bytes.map_err(|error| self.refusal(format!("damaged: {error}; fetch or copy it again")))?;
        let expected = self.size - self.header;
        if bytes.len() as u64 != expected {
            let found = format!("damaged: {} bytes of values, not {expected}; fetch or copy it again", bytes.len());
            return Err(self.refusal(found));
        }
        Ok(bytes)
    }

    /// What is made of its bytes as they come.
    fn open<T>(&self, make: impl FnOnce(&mut dyn Read) -> T) -> Result<T, MarianProblem> {
        let mut archive = self.archive.clone();
        let mut entry = archive.by_index(self.index).map_err(|error| self.refusal(error.to_string()))?;
        Ok(make(&mut entry))
    }

    fn refusal(&self, reason: String) -> MarianProblem {
        MarianProblem::Entry { name: self.name.clone(), reason }
    }
}
