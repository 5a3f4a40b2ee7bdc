//! Everything that can be wrong with a model file of Marian, with the facts of each case. Knows no way to put it right but says it.

use crate::checkpoint::cursor::ShortFile;

/// What is wrong with a model file of Marian.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MarianProblem {
    /// A version of the format that is not read.
    #[error("a .bin file of Marian of version {found}; accepted is version 1")]
    Version {
        /// The version.
        found: u64,
    },
    /// The file ends too early.
    #[error(transparent)]
    Short(#[from] ShortFile),
    /// The file goes on behind its last tensor.
    #[error("damaged: {bytes} bytes stand behind the last tensor; fetch or copy it again")]
    Behind {
        /// How many bytes.
        bytes: usize,
    },
    /// A name that is none.
    #[error("damaged: the name of tensor {index} {reason}; fetch or copy it again")]
    Name {
        /// Which tensor, from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The same tensor twice.
    #[error("the tensor \"{name}\" is there twice")]
    TensorTwice {
        /// Its name.
        name: String,
    },
    /// A tensor with a shape that cannot be, or that its bytes are too few for.
    #[error("the tensor \"{name}\" has {found}; accepted: {accepted}")]
    Shape {
        /// Its name.
        name: String,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// Tensors of types that are not read.
    #[error(
        "it holds {found}; accepted: {accepted}; take the .npz that the model was trained as, or one that marian-conv made of it (with no \
         --gemm-type, or with intgemm8)"
    )]
    Types {
        /// Each type with how many tensors there are of it and the first of them.
        found: String,
        /// The types that are read.
        accepted: &'static str,
    },
    /// A zip archive that is none, or of a kind that is not read.
    #[error("not a zip archive of NumPy that is read: {reason}")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of a zip archive that cannot be read.
    #[error("the entry \"{name}\" of the zip archive: {reason}")]
    Entry {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An array that is not as Marian writes them.
    #[error("the array \"{name}\" has {found}; accepted: {accepted}")]
    Array {
        /// Its name.
        name: String,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// The file does not say what its model is.
    #[error(
        "no special:model.yml in it, the settings that Marian keeps beside the weights; accepted are models that Marian has saved"
    )]
    NoSettings,
    /// Settings that are longer than any that are honest.
    #[error("special:model.yml has {length} bytes; accepted: up to {largest}")]
    LongSettings {
        /// Their length.
        length: usize,
        /// The longest that are read.
        largest: usize,
    },
    /// Settings that cannot be read.
    #[error(
        "special:model.yml, line {line}: {found}; accepted: one \"key: value\" a line, values being words, numbers and lists of them"
    )]
    Settings {
        /// The line, from 1.
        line: usize,
        /// What was found.
        found: String,
    },
}
