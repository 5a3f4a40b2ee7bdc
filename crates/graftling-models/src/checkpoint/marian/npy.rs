//! The header of an array of NumPy (`numpy.lib.format`, versions 1 to 3): a dictionary as Python writes it. Knows no archive and no tensor's meaning.

use std::io::Read;

use super::item::Kind;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Headers are filled up to a multiple of 64; those of Marian have less than 128 bytes.
const LONGEST: u64 = 1 << 12;

/// What an array's header says.
pub(super) struct Header {
    pub kind: Kind,
    /// An array of one dimension is a row, as Marian takes it.
    pub shape: Vec<usize>,
    /// How long the header is, with all that stands before the values.
    pub length: u64,
}

/// Why a header is not read.
pub(super) enum Unread {
    /// It is none.
    Broken(String),
    /// It says what is not offered.
    Refused { found: String, accepted: &'static str },
}

/// Reads the header of an array.
pub(super) fn header(reader: &mut dyn Read) -> Result<Header, Unread> {
    let broken = |reason: &str| Unread::Broken(format!("{reason}; fetch or copy the file again"));
    let cut_off = |_| broken("damaged, or not an array of NumPy");
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(cut_off)?;
    if !start.starts_with(MAGIC) {
        return Err(broken("not an array of NumPy"));
    }
    let (before, length) = match start[6] {
        1 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length).map_err(cut_off)?;
            (10, u64::from(u16::from_le_bytes(length)))
        }
        2 | 3 => {
            let mut length = [0; 4];
            reader.read_exact(&mut length).map_err(cut_off)?;
            (12, u64::from(u32::from_le_bytes(length)))
        }
        version => {
            return Err(Unread::Refused { found: format!("version {version} of NumPy's format"), accepted: "versions 1 to 3" });
        }
    };
    if length > LONGEST {
        return Err(broken(&format!("damaged: its header is said to have {length} bytes")));
    }
    let mut text = vec![0; length as usize];
    reader.read_exact(&mut text).map_err(cut_off)?;
    let text = String::from_utf8(text).map_err(|_| broken("damaged: its header is not UTF-8"))?;
    let said = Dictionary::read(&text).ok_or_else(|| broken("damaged: its header is not the dictionary that NumPy writes"))?;
    if said.is_fortran {
        let accepted = "values in the order of C, row by row";
        return Err(Unread::Refused { found: "values in the order of Fortran, column by column".to_owned(), accepted });
    }
    if said.kind.starts_with('>') {
        let found = format!("values of type {:?}, of the other byte order (big endian)", said.kind);
        return Err(Unread::Refused { found, accepted: "little-endian values" });
    }
    let kind = match said.kind.trim_start_matches(['<', '|', '=']) {
        "f4" => Kind::F32,
        "i1" | "u1" | "S1" => Kind::Int8,
        _ => Kind::Other(format!("{:?}", said.kind)),
    };
    let shape = match said.shape[..] {
        [width] => vec![1, width],
        _ => said.shape,
    };
    if shape.is_empty() || shape.contains(&0) {
        return Err(Unread::Refused { found: format!("the shape {shape:?}"), accepted: "one dimension or more, from 1" });
    }
    Ok(Header { kind, shape, length: before + length })
}

/// What the dictionary of a header has under its three keys.
struct Dictionary<'t> {
    kind: &'t str,
    is_fortran: bool,
    shape: Vec<usize>,
}

impl<'t> Dictionary<'t> {
    /// Its keys in any order, each once. Types that have several fields stand there as lists, which no weight has.
    fn read(text: &'t str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?;
        let (mut kind, mut is_fortran, mut shape) = (None, None, None);
        while !rest.trim().is_empty() {
            let (key, behind) = quoted(rest)?;
            let value = behind.trim_start().strip_prefix(':')?.trim_start();
            let behind = match key {
                "descr" => {
                    let (found, behind) = quoted(value)?;
                    kind.replace(found).is_none().then_some(behind)?
                }
                "fortran_order" => {
                    let (found, behind) = match value.strip_prefix("False") {
                        Some(behind) => (false, behind),
                        None => (true, value.strip_prefix("True")?),
                    };
                    is_fortran.replace(found).is_none().then_some(behind)?
                }
                "shape" => {
                    let (found, behind) = value.strip_prefix('(')?.split_once(')')?;
                    let sizes = found.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse);
                    shape.replace(sizes.collect::<Result<Vec<usize>, _>>().ok()?).is_none().then_some(behind)?
                }
                _ => return None,
            };
            let behind = behind.trim_start();
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        Some(Self { kind: kind?, is_fortran: is_fortran?, shape: shape? })
    }
}

/// A text between quotes at the beginning, and what stands behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dictionary: &str) -> Result<(String, Vec<usize>, u64), String> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((dictionary.len() as u16).to_le_bytes());
        bytes.extend(dictionary.as_bytes());
        match header(&mut &bytes[..]) {
            Ok(Header { kind, shape, length }) => Ok((kind.to_string(), shape, length)),
            Err(Unread::Broken(reason)) => Err(reason),
            Err(Unread::Refused { found, accepted }) => Err(format!("{found}; accepted: {accepted}")),
        }
    }

    #[test]
    fn headers_of_numpy_and_of_marian_are_read() {
        let cases = [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", "float32", vec![2, 3]),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }", "float32", vec![1, 7]),
            ("{\"shape\":(5,1),\"fortran_order\":False,\"descr\":\"|i1\"}", "int8", vec![5, 1]),
            ("{'descr': '<i1', 'fortran_order': False, 'shape': (1124,), }", "int8", vec![1, 1124]),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }", "\"<f8\"", vec![1, 4]),
        ];
        for (text, kind, shape) in cases {
            assert_eq!(of(text), Ok((kind.to_owned(), shape, 10 + text.len() as u64)), "{text}");
        }
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        let broken = "damaged: its header is not the dictionary that NumPy writes; fetch or copy the file again";
        let cases = [
            ("{'descr': '<f4', 'fortran_order': False, }", broken),
            ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", broken),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", broken),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", broken),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", broken),
            ("{'descr': '<f4', 'fortran_order': None, 'shape': (2,)}", broken),
            ("'descr'", broken),
            ("{é: 1}", broken),
            (
                "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}",
                "values in the order of Fortran, column by column; accepted: values in the order of C, row by row",
            ),
            (
                "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}",
                "values of type \">f4\", of the other byte order (big endian); accepted: little-endian values",
            ),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "the shape []; accepted: one dimension or more, from 1"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}",
                "the shape [0, 3]; accepted: one dimension or more, from 1",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), Err(expected.to_owned()), "{text}");
        }
    }
}
