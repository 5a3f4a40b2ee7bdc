//! The types of ggml's tensors: how many values share a block, how many bytes a block has, and what values it stands for.
//! Knows no file and no tensor's name.
//!
//! The layouts are those of ggml's `ggml-common.h` (`block_q4_0` and its like), the arithmetic that of `dequantize_row_*` in `ggml-quants.c`: each value is
//! computed in single precision, products before sums, with no multiply-add in one rounding.

use half::f16;

/// Reads the values of one block.
type ReadBlock = fn(&[u8], &mut [f32]);

/// A type of tensors.
#[derive(Debug)]
pub(super) struct TensorType {
    /// Its number in a file.
    number: u32,
    /// Its name in ggml.
    pub name: &'static str,
    /// How many values a block holds.
    pub block: usize,
    /// How many bytes a block has.
    pub bytes: usize,
    /// How a block is read, where it is.
    read: Option<ReadBlock>,
}

/// How many values a block of the K types holds: ggml's `QK_K`.
const SUPER: usize = 256;

const fn offered(number: u32, name: &'static str, block: usize, bytes: usize, read: ReadBlock) -> TensorType {
    TensorType { number, name, block, bytes, read: Some(read) }
}

const fn known(number: u32, name: &'static str, block: usize, bytes: usize) -> TensorType {
    TensorType { number, name, block, bytes, read: None }
}

/// ggml's `enum ggml_type` with the sizes of its `type_traits`; what was removed from it is not here.
static TYPES: &[TensorType] = &[
    offered(0, "F32", 1, 4, f32_block),
    offered(1, "F16", 1, 2, f16_block),
    offered(30, "BF16", 1, 2, bf16_block),
    offered(8, "Q8_0", 32, 34, q8_0),
    offered(2, "Q4_0", 32, 18, q4_0),
    offered(3, "Q4_1", 32, 20, q4_1),
    offered(6, "Q5_0", 32, 22, q5_0),
    offered(7, "Q5_1", 32, 24, q5_1),
    offered(12, "Q4_K", SUPER, 144, q4_k),
    offered(13, "Q5_K", SUPER, 176, q5_k),
    offered(14, "Q6_K", SUPER, 210, q6_k),
    known(9, "Q8_1", 32, 40),
    known(10, "Q2_K", SUPER, 84),
    known(11, "Q3_K", SUPER, 110),
    known(15, "Q8_K", SUPER, 292),
    known(16, "IQ2_XXS", SUPER, 66),
    known(17, "IQ2_XS", SUPER, 74),
    known(18, "IQ3_XXS", SUPER, 98),
    known(19, "IQ1_S", SUPER, 50),
    known(20, "IQ4_NL", 32, 18),
    known(21, "IQ3_S", SUPER, 110),
    known(22, "IQ2_S", SUPER, 82),
    known(23, "IQ4_XS", SUPER, 136),
    known(24, "I8", 1, 1),
    known(25, "I16", 1, 2),
    known(26, "I32", 1, 4),
    known(27, "I64", 1, 8),
    known(28, "F64", 1, 8),
    known(29, "IQ1_M", SUPER, 56),
    known(34, "TQ1_0", SUPER, 54),
    known(35, "TQ2_0", SUPER, 66),
    known(39, "MXFP4", 32, 17),
    known(40, "NVFP4", 64, 36),
    known(41, "Q1_0", 128, 18),
];

impl TensorType {
    /// The type with this number, whether it is read or not.
    pub fn numbered(number: u32) -> Option<&'static TensorType> {
        TYPES.iter().find(|kind| kind.number == number)
    }

    /// Whether its blocks are read.
    pub fn is_offered(&self) -> bool {
        self.read.is_some()
    }

    /// The names of the types that are read.
    pub fn offered_names() -> String {
        TYPES.iter().filter(|kind| kind.is_offered()).map(|kind| kind.name).collect::<Vec<_>>().join(", ")
    }

    /// The values of whole blocks.
    pub fn read(&self, bytes: &[u8], values: &mut [f32]) {
        let read = self.read.expect("types that are not offered are refused before their values are read");
        assert_eq!(
            bytes.len() / self.bytes * self.block,
            values.len(),
            "{}: {} bytes for {} values",
            self.name,
            bytes.len(),
            values.len()
        );
        for (bytes, values) in bytes.chunks_exact(self.bytes).zip(values.chunks_exact_mut(self.block)) {
            read(bytes, values);
        }
    }
}

/// A number of half precision at this place of a block.
fn half(bytes: &[u8], place: usize) -> f32 {
    f16::from_le_bytes([bytes[place], bytes[place + 1]]).to_f32()
}

fn f32_block(bytes: &[u8], values: &mut [f32]) {
    values[0] = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
}

fn f16_block(bytes: &[u8], values: &mut [f32]) {
    values[0] = half(bytes, 0);
}

fn bf16_block(bytes: &[u8], values: &mut [f32]) {
    values[0] = f32::from_bits(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) << 16);
}

/// `d * q`, q a signed byte.
fn q8_0(bytes: &[u8], values: &mut [f32]) {
    let scale = half(bytes, 0);
    for (value, byte) in values.iter_mut().zip(&bytes[2..]) {
        *value = f32::from(byte.cast_signed()) * scale;
    }
}

/// The lower halves of all bytes are the first values of a block, the upper halves the others.
fn nibbles(bytes: &[u8], values: &mut [f32], value: impl Fn(usize, u8) -> f32) {
    let middle = bytes.len();
    for (place, byte) in bytes.iter().enumerate() {
        values[place] = value(place, byte & 15);
        values[place + middle] = value(place + middle, byte >> 4);
    }
}

/// `d * (q - 8)`, q of 4 bits.
fn q4_0(bytes: &[u8], values: &mut [f32]) {
    let scale = half(bytes, 0);
    nibbles(&bytes[2..], values, |_, bits| f32::from(bits.cast_signed() - 8) * scale);
}

/// `d * q + m`, q of 4 bits.
fn q4_1(bytes: &[u8], values: &mut [f32]) {
    let (scale, least) = (half(bytes, 0), half(bytes, 2));
    nibbles(&bytes[4..], values, |_, bits| f32::from(bits) * scale + least);
}

/// The fifth bit of a value, in the place of that bit.
fn fifth(bits: u32, place: usize) -> u8 {
    ((bits >> place) as u8 & 1) << 4
}

/// `d * (q - 16)`, q of 5 bits, the fifth bits of a block in four bytes.
fn q5_0(bytes: &[u8], values: &mut [f32]) {
    let scale = half(bytes, 0);
    let high = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
    nibbles(&bytes[6..], values, |place, bits| f32::from((bits | fifth(high, place)).cast_signed() - 16) * scale);
}

/// `d * q + m`, q of 5 bits.
fn q5_1(bytes: &[u8], values: &mut [f32]) {
    let (scale, least) = (half(bytes, 0), half(bytes, 2));
    let high = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    nibbles(&bytes[8..], values, |place, bits| f32::from(bits | fifth(high, place)) * scale + least);
}

/// The scale and the least value of one of eight parts of a block, each of 6 bits, packed into twelve bytes: ggml's `get_scale_min_k4`.
fn scale_and_least(packed: &[u8], part: usize) -> (u8, u8) {
    if part < 4 {
        return (packed[part] & 63, packed[part + 4] & 63);
    }
    let low = packed[part + 4];
    ((low & 15) | (packed[part - 4] >> 6 << 4), (low >> 4) | (packed[part] >> 6 << 4))
}

/// `d * scale * q - dmin * least` in eight parts of 32 values; `bits` gives a part's q by its place in the part.
fn eight_parts(bytes: &[u8], values: &mut [f32], bits: impl Fn(usize, usize) -> u8) {
    let (d, dmin, packed) = (half(bytes, 0), half(bytes, 2), &bytes[4..16]);
    for (part, values) in values.chunks_exact_mut(32).enumerate() {
        let (scale, least) = scale_and_least(packed, part);
        let (scale, least) = (d * f32::from(scale), dmin * f32::from(least));
        for (place, value) in values.iter_mut().enumerate() {
            *value = scale * f32::from(bits(part, place)) - least;
        }
    }
}

/// A half of the byte that a value of a part has: two parts share 32 bytes, lower halves first.
fn shared_nibble(bytes: &[u8], part: usize, place: usize) -> u8 {
    bytes[part / 2 * 32 + place] >> (part % 2 * 4) & 15
}

fn q4_k(bytes: &[u8], values: &mut [f32]) {
    let low = &bytes[16..];
    eight_parts(bytes, values, |part, place| shared_nibble(low, part, place));
}

fn q5_k(bytes: &[u8], values: &mut [f32]) {
    let (high, low) = bytes[16..].split_at(SUPER / 8);
    eight_parts(bytes, values, |part, place| shared_nibble(low, part, place) | (high[place] >> part & 1) << 4);
}

/// `d * scale * (q - 32)`, q of 6 bits, a signed scale for 16 values. Each half of a block has four runs of 32 values: their lower four bits lie in 64 bytes,
/// their upper two in 32.
fn q6_k(bytes: &[u8], values: &mut [f32]) {
    let (low, rest) = bytes.split_at(SUPER / 2);
    let (high, rest) = rest.split_at(SUPER / 4);
    let (scales, d) = rest.split_at(SUPER / 16);
    let d = half(d, 0);
    for (index, value) in values.iter_mut().enumerate() {
        let (part, run, place) = (index / 128, index % 128 / 32, index % 32);
        let lower = low[part * 64 + run % 2 * 32 + place] >> (run / 2 * 4) & 15;
        let upper = high[part * 32 + place] >> (run * 2) & 3;
        let scale = d * f32::from(scales[index / 16].cast_signed());
        *value = scale * f32::from((lower | upper << 4).cast_signed() - 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_and_no_name_is_there_twice() {
        for (place, kind) in TYPES.iter().enumerate() {
            let others = TYPES[place + 1..].iter();
            assert!(others.clone().all(|other| other.number != kind.number && other.name != kind.name), "{}", kind.name);
        }
    }
}
