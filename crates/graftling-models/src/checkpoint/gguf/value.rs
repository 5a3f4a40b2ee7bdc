//! The values of a file's metadata: numbers, switches, texts and flat arrays of them. Arrays stay where they lie in the file and are read when they are asked
//! for. Knows no key.

use super::problem::GgufProblem;
use crate::checkpoint::cursor::Cursor;

/// The kinds of values, by their number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    Array,
    U64,
    I64,
    F64,
}

impl Kind {
    /// In the order of their numbers.
    const ALL: [Kind; 13] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::Text,
        Self::Array,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    fn read(cursor: &mut Cursor<'_>, key: &str) -> Result<Self, GgufProblem> {
        let number = cursor.u32("the kind of a value")?;
        let kind = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number));
        kind.copied().ok_or_else(|| GgufProblem::ValueKind { key: key.to_owned(), found: number })
    }

    /// How many bytes a value takes at least.
    fn smallest(self) -> u64 {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::Text | Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Array => 12,
        }
    }
}

/// A value of the metadata.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Whole(i128),
    F32(f32),
    F64(f64),
    Bool(bool),
    Text(&'a [u8]),
    Array(Array<'a>),
}

/// An array of values of one kind, as it lies in the file; its values have been walked over once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array<'a> {
    kind: Kind,
    pub len: usize,
    bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// The kind and the value of a key.
    pub fn read(cursor: &mut Cursor<'a>, key: &str) -> Result<Self, GgufProblem> {
        let kind = Kind::read(cursor, key)?;
        if kind != Kind::Array {
            return Self::of_kind(cursor, kind, key);
        }
        let kind = Kind::read(cursor, key)?;
        if kind == Kind::Array {
            return Err(GgufProblem::NestedArray { key: key.to_owned() });
        }
        let len = cursor.count("values of an array", kind.smallest())?;
        let start = cursor.place();
        let bytes = match kind {
            Kind::Text => {
                (0..len).try_for_each(|_| cursor.text("a text of an array").map(drop))?;
                cursor.since(start)
            }
            Kind::Bool => {
                let bytes = cursor.take(len as u64, "the values of an array")?;
                bytes.iter().try_for_each(|byte| switch(*byte, key).map(drop))?;
                bytes
            }
            _ => cursor.take(len as u64 * kind.smallest(), "the values of an array")?,
        };
        Ok(Self::Array(Array { kind, len, bytes }))
    }

    fn of_kind(cursor: &mut Cursor<'a>, kind: Kind, key: &str) -> Result<Self, GgufProblem> {
        let what = "a value";
        Ok(match kind {
            Kind::U8 => Self::Whole(u8::from_le_bytes(cursor.array(what)?).into()),
            Kind::I8 => Self::Whole(i8::from_le_bytes(cursor.array(what)?).into()),
            Kind::U16 => Self::Whole(u16::from_le_bytes(cursor.array(what)?).into()),
            Kind::I16 => Self::Whole(i16::from_le_bytes(cursor.array(what)?).into()),
            Kind::U32 => Self::Whole(cursor.u32(what)?.into()),
            Kind::I32 => Self::Whole(i32::from_le_bytes(cursor.array(what)?).into()),
            Kind::U64 => Self::Whole(cursor.u64(what)?.into()),
            Kind::I64 => Self::Whole(i64::from_le_bytes(cursor.array(what)?).into()),
            Kind::F32 => Self::F32(f32::from_le_bytes(cursor.array(what)?)),
            Kind::F64 => Self::F64(f64::from_le_bytes(cursor.array(what)?)),
            Kind::Bool => Self::Bool(switch(cursor.array::<1>(what)?[0], key)?),
            Kind::Text => Self::Text(cursor.text(what)?),
            Kind::Array => return Err(GgufProblem::NestedArray { key: key.to_owned() }),
        })
    }

    /// As a message shows it.
    pub fn shown(&self) -> String {
        /// The longest text that a message shows whole.
        const LONGEST: usize = 40;
        match self {
            Self::Whole(number) => number.to_string(),
            Self::F32(number) => number.to_string(),
            Self::F64(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Text(bytes) => {
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LONGEST)]);
                let shown: String = text.chars().take(LONGEST).collect();
                if shown.len() < bytes.len() { format!("{shown:?}...") } else { format!("{shown:?}") }
            }
            Self::Array(array) => format!("an array of {} values", array.len),
        }
    }
}

impl<'a> Array<'a> {
    /// Its values, one after the other.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.len).map_while(move |_| Value::of_kind(&mut cursor, self.kind, "").ok())
    }
}

fn switch(byte: u8, key: &str) -> Result<bool, GgufProblem> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(GgufProblem::Switch { key: key.to_owned(), found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_cut() {
        assert_eq!(Value::Text(b"llama").shown(), "\"llama\"");
        assert!(Value::Text(&[b'a'; 100]).shown().ends_with("\"..."));
    }
}
