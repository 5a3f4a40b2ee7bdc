//! The header of a safetensors file: which weights it holds, and where. Knows no model.

use std::ops::Range;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::error::HeaderProblem;

/// The longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;
/// The bytes that hold the length of the header.
const LENGTH_BYTES: usize = 8;

/// A weight in a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredTensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Where its values lie in the file.
    pub range: Range<usize>,
}

/// The weights of a file, in the order of their values. Every range lies in the file, and has the size that its shape and
/// dtype ask for; nothing is allocated that is larger than the header.
pub(crate) fn parse(file: &[u8]) -> Result<Vec<StoredTensor>, HeaderProblem> {
    let bytes = file.len();
    let Some(length) = file.first_chunk::<LENGTH_BYTES>() else { return Err(HeaderProblem::TooShort { bytes }) };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER {
        return Err(HeaderProblem::HeaderTooLong { length, largest: LONGEST_HEADER });
    }
    let data_start = LENGTH_BYTES + length as usize;
    let Some(header) = file.get(LENGTH_BYTES..data_start) else { return Err(HeaderProblem::HeaderLength { length, bytes }) };
    // The crate's `SafeTensors::read_metadata` adds up offsets from the file without a check; its `Metadata` alone does not,
    // and has made sure that the weights lie end to end from 0 and have the sizes of their shapes.
    let metadata: Metadata = serde_json::from_slice(header).map_err(|source| HeaderProblem::Header { source })?;
    let found = bytes - data_start;
    if metadata.data_len() != found {
        return Err(HeaderProblem::DataLength { expected: metadata.data_len(), found });
    }
    let mut tensors: Vec<StoredTensor> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let (start, end) = info.data_offsets;
            StoredTensor { name, dtype: info.dtype, shape: info.shape.clone(), range: data_start + start..data_start + end }
        })
        .collect();
    tensors.sort_by(|a, b| (a.range.start, a.range.end, &a.name).cmp(&(b.range.start, b.range.end, &b.name)));
    Ok(tensors)
}
