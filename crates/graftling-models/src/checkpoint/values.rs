//! From the bytes of a weight to `f32` values, each looked at once. Knows no model.

use std::collections::BTreeMap;
use std::path::Path;

use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use safetensors::Dtype;

use super::files::WeightFiles;
use crate::error::{ModelError, WeightProblem};

/// How many values a thread takes at a time.
const BLOCK: usize = 1 << 17;
/// How many half precision values are converted at a time.
const HALVES: usize = 512;

/// A way to store values that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    F32,
    F16,
    Bf16,
}

impl Storage {
    /// The way in which values of this dtype are stored, if they are read.
    pub fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            _ => None,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    fn read(self, bytes: &[u8], values: &mut [f32]) {
        match self {
            Self::F32 => {
                for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }
            Self::F16 => {
                let mut halves = [f16::ZERO; HALVES];
                for (values, bytes) in values.chunks_mut(HALVES).zip(bytes.chunks(2 * HALVES)) {
                    let halves = &mut halves[..values.len()];
                    for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks().0) {
                        *half = f16::from_le_bytes(*bytes);
                    }
                    halves.convert_to_f32_slice(values);
                }
            }
            Self::Bf16 => {
                for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
                }
            }
        }
    }
}

/// The first value that is not a number, or is infinite.
pub(crate) struct NotFinite {
    pub index: usize,
    pub value: f32,
}

/// All values that `bytes` hold, on all threads.
pub(crate) fn read(bytes: &[u8], storage: Storage) -> Result<Vec<f32>, NotFinite> {
    let size = storage.size();
    // Zeroed pages cost nothing until they are touched, so that each page is first touched by the thread that fills it.
    let mut values = vec![0.0; bytes.len() / size];
    let read_block = |(block, (values, bytes)): (usize, (&mut [f32], &[u8]))| {
        storage.read(bytes, values);
        not_finite(block, values)
    };
    // Waking the other threads takes longer than one block does.
    let odd = if values.len() <= BLOCK {
        read_block((0, (&mut values, bytes)))
    } else {
        values.par_chunks_mut(BLOCK).zip(bytes.par_chunks(BLOCK * size)).enumerate().find_map_first(read_block)
    };
    odd.map_or(Ok(values), Err)
}

/// Looks at values that lie ready, on all threads.
pub(crate) fn check(values: &[f32]) -> Result<(), NotFinite> {
    let odd = if values.len() <= BLOCK {
        not_finite(0, values)
    } else {
        values.par_chunks(BLOCK).enumerate().find_map_first(|(block, values)| not_finite(block, values))
    };
    odd.map_or(Ok(()), Err)
}

/// The first value of a block that is not finite, with its place among all.
fn not_finite(block: usize, values: &[f32]) -> Option<NotFinite> {
    // Without a branch, so that it is done many values at a time.
    if !values.iter().fold(false, |odd, value| odd | !value.is_finite()) {
        return None;
    }
    let index = values.iter().position(|value| !value.is_finite())?;
    Some(NotFinite { index: block * BLOCK + index, value: values[index] })
}

/// Everything that a safetensors file of single precision holds, by name.
pub fn read_values(path: &Path) -> Result<BTreeMap<String, Vec<f32>>, ModelError> {
    let files = WeightFiles::open_single(path)?;
    let mut all = BTreeMap::new();
    let mut problems = Vec::new();
    for (file, tensor) in files.tensors() {
        let name = tensor.name.clone();
        match tensor.dtype {
            Dtype::F32 => match read(file.bytes(tensor), Storage::F32) {
                Ok(values) => drop(all.insert(name, values)),
                Err(NotFinite { index, value }) => problems.push(WeightProblem::NotFinite { name, index, value }),
            },
            other => problems.push(WeightProblem::Dtype { name, found: other.to_string() }),
        }
    }
    if problems.is_empty() {
        return Ok(all);
    }
    Err(ModelError::Weights { path: path.to_owned(), fitting: all.len(), expected: all.len() + problems.len(), problems })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_storage_gives_the_values_it_holds() {
        let values = [0.0, -1.5, 65504.0, 6.1035156e-5, 5.9604645e-8, -0.25];
        let f32_bytes: Vec<u8> = values.iter().flat_map(|v: &f32| v.to_le_bytes()).collect();
        assert_eq!(read(&f32_bytes, Storage::F32).ok().unwrap(), values);
        let f16_bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        assert_eq!(read(&f16_bytes, Storage::F16).ok().unwrap(), values);
        let bf16_values = [0.0, -1.5, 3.0e38, 1.0e-39_f32].map(|v| half::bf16::from_f32(v).to_f32());
        let bf16_bytes: Vec<u8> = bf16_values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
        assert_eq!(read(&bf16_bytes, Storage::Bf16).ok().unwrap(), bf16_values);
    }

    #[test]
    fn a_long_half_precision_weight_is_read_whole() {
        let values: Vec<f32> = (0..BLOCK + 777).map(|i| (i % 2048) as f32).collect();
        let bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        assert_eq!(read(&bytes, Storage::F16).ok().unwrap(), values);
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_found() {
        for (index, value) in [(0, f32::NAN), (BLOCK + 3, f32::INFINITY), (2 * BLOCK + 9, f32::NEG_INFINITY)] {
            let mut values = vec![f32::MAX; 2 * BLOCK + 10];
            values[index] = value;
            values[2 * BLOCK + 9] = f32::NEG_INFINITY;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            for found in [read(&bytes, Storage::F32).err(), check(&values).err()] {
                let found = found.unwrap();
                assert_eq!((found.index, found.value.to_bits()), (index, value.to_bits()));
            }
        }
    }
}
