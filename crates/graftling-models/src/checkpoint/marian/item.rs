//! A tensor, or a text, as it lies in a file of Marian: its name, shape, type and bytes. Knows no container and no model.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use super::npz::Entry;
use super::problem::MarianProblem;

/// The types that are not read, of marian-dev's `common/types.h` by their numbers, in the numbering of Bergamot's Marian (where intgemm's
/// class is 0x4000) and in that of the main line (0x10000); what stands under a number in both is the same.
const NAMES: [(u64, &str); 22] = [
    (0x102, "int16"),
    (0x104, "int32"),
    (0x108, "int64"),
    (0x201, "uint8"),
    (0x202, "uint16"),
    (0x204, "uint32"),
    (0x208, "uint64"),
    (0x402, "float16"),
    (0x408, "float64"),
    (0x802, "packed16"),
    (0x1801, "packed8avx2"),
    (0x1802, "packed8avx2"),
    (0x2801, "packed8avx512"),
    (0x4102, "intgemm16"),
    (0x10002, "intgemm16"),
    (0x11001, "intgemm8avx2"),
    (0x11002, "intgemm16avx2"),
    (0x12001, "intgemm8avx512"),
    (0x12002, "intgemm16avx512"),
    (0x13001, "intgemm8avx512vnni"),
    (0x14002, "intgemm16sse2"),
    (0x18001, "intgemm8ssse3"),
];

/// The type of a tensor's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Single precision.
    F32,
    /// A byte each, of which one number for the whole matrix makes the values; the bytes of a matrix lie transposed, but for tables of embeddings.
    Intgemm8,
    /// A byte each: texts.
    Int8,
    /// Any other, by what it is called.
    Other(String),
}

impl Kind {
    /// What weights may hold.
    pub const READ: &str = "float32, intgemm8";

    /// The type with this number in a `.bin`.
    pub fn numbered(number: u64) -> Self {
        match number {
            0x404 => Self::F32,
            0x4101 | 0x10001 => Self::Intgemm8,
            0x101 => Self::Int8,
            _ => {
                let name = NAMES.iter().find(|(known, _)| *known == number).map_or("unknown", |(_, name)| name);
                Self::Other(format!("{name} ({number:#x})"))
            }
        }
    }

    /// The name of a type that is read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::Intgemm8 => "intgemm8",
            Self::Int8 => "int8",
            Self::Other(_) => "other",
        }
    }

    /// How many bytes so many values take at least; none where that is more than can be or not known.
    pub fn bytes(&self, count: usize) -> Option<usize> {
        match self {
            Self::F32 => count.checked_mul(size_of::<f32>()),
            Self::Intgemm8 => count.checked_add(size_of::<f32>()),
            Self::Int8 => Some(count),
            Self::Other(_) => None,
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => f.write_str(name),
            known => f.write_str(known.name()),
        }
    }
}

/// Where the bytes of an item are.
#[derive(Clone, Debug)]
pub(super) enum Data<'a> {
    /// In the file, as they are.
    Here(&'a [u8]),
    /// In an entry of an archive.
    Entry(Entry<'a>),
}

impl Data<'_> {
    /// All of them.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, MarianProblem> {
        match self {
            Self::Here(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Entry(entry) => entry.bytes().map(Cow::Owned),
        }
    }
}

/// A tensor or a text.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub name: String,
    /// Its shape; the product is no more than its bytes have room for.
    pub shape: Vec<usize>,
    pub kind: Kind,
    pub data: Data<'a>,
}

impl<'a> Item<'a> {
    /// One that has room for its values in so many bytes.
    pub fn new(name: String, shape: Vec<usize>, kind: Kind, data: Data<'a>, available: u64) -> Result<Self, MarianProblem> {
        let count = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let needed = match kind {
            // It is refused where its type is looked at.
            Kind::Other(_) => Some(0),
            _ => count.and_then(|count| kind.bytes(count)),
        };
        if count.is_none() || needed.is_none_or(|needed| needed as u64 > available) {
            let found = format!("the shape {shape:?} in {available} bytes");
            let accepted = match needed {
                Some(needed) if count.is_some() => format!("{needed} bytes for values of type {kind}"),
                _ => "dimensions whose product is below 2^64 bytes".to_owned(),
            };
            return Err(MarianProblem::Shape { name, found, accepted });
        }
        Ok(Self { name, shape, kind, data })
    }

    /// How many values it has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}
