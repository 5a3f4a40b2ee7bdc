//! Everything that can be wrong with a GGUF file, with the facts of each case. Knows no way to put it right but says it.

use crate::checkpoint::cursor::ShortFile;

/// What is wrong with a GGUF file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GgufProblem {
    /// The file is of another kind.
    #[error("not a GGUF file: it begins with {}, a GGUF file with \"GGUF\"", beginning(found))]
    OtherFile {
        /// Its first bytes, four at most.
        found: Vec<u8>,
    },
    /// The file was written for machines of the other byte order.
    #[error("a GGUF file of the other byte order (big endian); accepted are little-endian files")]
    BigEndian,
    /// A version of the format that is not read.
    #[error("a GGUF file of version {found}; accepted are versions 2 and 3")]
    Version {
        /// The version.
        found: u32,
    },
    /// One of several files of a model that was split.
    #[error("one of {files} files of a split model; accepted is one file (llama.cpp's gguf-split --merge puts them together)")]
    Split {
        /// How many files there are.
        files: u64,
    },
    /// The file ends too early.
    #[error(transparent)]
    Short(#[from] ShortFile),
    /// A text that is not UTF-8.
    #[error("{what} is not UTF-8")]
    NotUtf8 {
        /// Which text.
        what: String,
    },
    /// A kind of values that there is not.
    #[error("the value of \"{key}\" is of kind {found}; there are kinds 0 to 12")]
    ValueKind {
        /// The key.
        key: String,
        /// The number of the kind.
        found: u32,
    },
    /// An array of arrays.
    #[error("the value of \"{key}\" is an array of arrays; accepted are arrays of numbers, switches and texts")]
    NestedArray {
        /// The key.
        key: String,
    },
    /// A switch that is neither on nor off.
    #[error("the value of \"{key}\" is a switch of {found}; accepted: 0, 1")]
    Switch {
        /// The key.
        key: String,
        /// The byte found.
        found: u8,
    },
    /// The same key twice.
    #[error("the key \"{key}\" is there twice")]
    KeyTwice {
        /// The key.
        key: String,
    },
    /// A key has a value of another kind than it must have.
    #[error("\"{key}\" is {found}; accepted: {accepted}")]
    Key {
        /// The key.
        key: String,
        /// Its value, or that it is missing.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// The same tensor twice.
    #[error("the tensor \"{name}\" is there twice")]
    TensorTwice {
        /// Its name.
        name: String,
    },
    /// A tensor with a shape that cannot be.
    #[error("the tensor \"{name}\" has {found}; accepted: {accepted}")]
    Shape {
        /// Its name.
        name: String,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// A tensor of a type that ggml does not have.
    #[error("the tensor \"{name}\" is of type {found}, which is not known; accepted: {accepted}")]
    UnknownType {
        /// Its name.
        name: String,
        /// The number of the type.
        found: u32,
        /// The types that are read.
        accepted: String,
    },
    /// Tensors of types that are not read.
    #[error("it holds {found}; accepted: {accepted}; take a file that is quantised in one of these ways")]
    Types {
        /// Each type with how many tensors there are of it and the first of them.
        found: String,
        /// The types that are read.
        accepted: String,
    },
    /// Values that do not lie where the format puts them.
    #[error("the values of \"{name}\" are said to begin at {offset}, which is no multiple of the alignment {alignment}")]
    Alignment {
        /// The tensor.
        name: String,
        /// Where its values begin.
        offset: u64,
        /// The alignment.
        alignment: u64,
    },
    /// Values that lie outside the file.
    #[error(
        "cut off or damaged: the {size} bytes of \"{name}\" are said to begin at {offset} of {available} bytes of values; fetch or copy it again"
    )]
    Outside {
        /// The tensor.
        name: String,
        /// Where its values begin, counted from the first value.
        offset: u64,
        /// How many bytes they are.
        size: u64,
        /// How many bytes of values there are.
        available: u64,
    },
    /// Two tensors in one place.
    #[error("damaged: the values of \"{first}\" and \"{second}\" are said to lie in the same place")]
    Overlap {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// An architecture that is not offered.
    #[error("general.architecture is {found:?}; accepted: {accepted}")]
    Architecture {
        /// What is named.
        found: String,
        /// What is offered.
        accepted: String,
    },
}

/// The first bytes of a file, as text where they are.
fn beginning(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok("") => "nothing".to_owned(),
        Ok(text) if text.chars().all(|sign| sign.is_ascii_graphic()) => format!("{text:?}"),
        _ => format!("the bytes {bytes:02X?}"),
    }
}
