//! From a file's bytes to text: decompression, byte order mark, UTF-8. Refuses any other encoding by name and says how to
//! convert it. Knows nothing of tables.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::{EncodingGuess, TextError, nearest, wording};

/// A gzip file that grows by more than this factor, and beyond [`ALWAYS_ACCEPTED_BYTES`], is a bomb and not text.
const HIGHEST_EXPANSION: u64 = 300;
const ALWAYS_ACCEPTED_BYTES: u64 = 64 << 20;

const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];

/// First bytes of files that people mistake for tables.
const FOREIGN: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook (.xls)"),
    (b"PAR1", "a parquet file"),
    (b"\x28\xB5\x2F\xFD", "a file compressed by zstd"),
    (b"BZh", "a file compressed by bzip2"),
];

/// Reads a whole file as UTF-8, without its byte order mark.
pub(crate) fn read(path: &Path, gzip: bool) -> Result<String, TextError> {
    let bytes = read_bytes(path)?;
    if gzip {
        return decode(path, decompress(path, &bytes)?);
    }
    if bytes.starts_with(GZIP_MAGIC) {
        return Err(TextError::ForeignFile {
            path: path.to_owned(),
            found: "a file compressed by gzip, whose name should end in .gz",
        });
    }
    if let Some((_, found)) = FOREIGN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(TextError::ForeignFile { path: path.to_owned(), found });
    }
    decode(path, bytes)
}

/// The text of these bytes, which came from `path`.
pub(crate) fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, TextError> {
    let refuse = |bytes: &[u8], offset: usize, guess| TextError::Encoding {
        path: path.to_owned(),
        line: 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count(),
        offset,
        byte: bytes[offset],
        guess,
    };
    if let (Some(guess), false) = (EncodingGuess::utf16(&bytes), bytes.is_empty()) {
        let offset = bytes.iter().position(|&byte| byte == 0 || byte >= 0xFE).unwrap_or(0);
        return Err(refuse(&bytes, offset, guess));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        refuse(error.as_bytes(), offset, EncodingGuess::of(error.as_bytes()))
    })?;
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(text)
}

/// The bytes of a file, or an error that suggests the file that was meant.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, TextError> {
    if path.is_dir() {
        return Err(TextError::IsFolder { path: path.to_owned() });
    }
    std::fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => TextError::FileMissing { path: path.to_owned(), near: near_file(path) },
        _ => TextError::File { path: path.to_owned(), action: "read", source },
    })
}

fn decompress(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, TextError> {
    if !bytes.starts_with(GZIP_MAGIC) {
        return Err(TextError::NotGzip { path: path.to_owned() });
    }
    let limit = (bytes.len() as u64).saturating_mul(HIGHEST_EXPANSION).max(ALWAYS_ACCEPTED_BYTES);
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut plain);
    read.map_err(|source| TextError::BrokenGzip { path: path.to_owned(), read_bytes: plain.len(), source })?;
    if plain.len() as u64 > limit {
        return Err(TextError::GzipBomb { path: path.to_owned(), limit_bytes: limit });
    }
    Ok(plain)
}

/// The file of the same folder whose name is nearest.
fn near_file(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).ok()?;
    let names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    nearest::nearest(&wording::file_name(path), &names).map(str::to_owned)
}
