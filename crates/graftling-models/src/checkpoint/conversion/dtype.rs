//! How the values of written weights are stored. Knows no weight.

use half::{bf16, f16};

/// How the values of written weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightDtype {
    /// Single precision: every value of every type of tensor as it is.
    F32,
    /// Half precision, 11 bits up to 65504.
    F16,
    /// The upper half of single precision: 8 bits, and its range.
    Bf16,
}

impl WeightDtype {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// Its short name.
    pub fn word(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// Its name in the config of a model.
    pub(super) fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// Its name in the header of a safetensors file.
    pub(super) fn stored_name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Puts values behind each other as bytes; the first that this type cannot hold stops it.
    pub(super) fn encode(self, values: &[f32], bytes: &mut Vec<u8>) -> Result<(), Odd> {
        for (index, value) in values.iter().enumerate() {
            let held = match self {
                Self::F32 => {
                    bytes.extend(value.to_le_bytes());
                    value.is_finite()
                }
                Self::F16 => {
                    let half = f16::from_f32(*value);
                    bytes.extend(half.to_le_bytes());
                    half.is_finite()
                }
                Self::Bf16 => {
                    let half = bf16::from_f32(*value);
                    bytes.extend(half.to_le_bytes());
                    half.is_finite()
                }
            };
            if !held {
                return Err(Odd { index, value: *value });
            }
        }
        Ok(())
    }

    /// The largest number it holds.
    pub(super) fn largest(self) -> f32 {
        match self {
            Self::F32 => f32::MAX,
            Self::F16 => f16::MAX.to_f32(),
            Self::Bf16 => bf16::MAX.to_f32(),
        }
    }
}

/// A value that cannot be stored.
pub(super) struct Odd {
    pub index: usize,
    pub value: f32,
}
