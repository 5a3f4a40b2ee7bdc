//! Writes small model files of Marian in both containers, also such as no program would write. Knows nothing of how they are read.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::io::Write;
use std::ops::Range;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

pub const FLOAT32: u64 = 0x404;
pub const INT8: u64 = 0x101;
pub const INTGEMM8: u64 = 0x4101;

/// A tensor as it is to be written.
#[derive(Clone)]
pub struct Tensor {
    pub name: Vec<u8>,
    pub kind: u64,
    pub shape: Vec<i32>,
    pub bytes: Vec<u8>,
}

/// A file to be written.
pub struct Writer {
    /// Keys and values of special:model.yml.
    pub settings: Vec<(&'static str, String)>,
    pub tensors: Vec<Tensor>,
}

/// Bytes with where their numbers lie: counts, lengths, kinds, sizes, offsets.
type Written = (Vec<u8>, Vec<Range<usize>>);

impl Writer {
    /// Puts a value under a key, in the place of the one that was there.
    pub fn set(&mut self, key: &'static str, value: &str) {
        match self.settings.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.settings.push((key, value.to_owned())),
        }
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.settings.retain(|(name, _)| *name != key);
    }

    /// A tensor of single precision, of the values 0, 1, 2 ...
    pub fn tensor(&mut self, name: &str, shape: &[i32]) {
        let count = shape.iter().product::<i32>();
        let bytes = (0..count).flat_map(|value| (value as f32).to_le_bytes()).collect();
        self.tensors.push(Tensor { name: name.as_bytes().to_vec(), kind: FLOAT32, shape: shape.to_vec(), bytes });
    }

    /// The tensor with this name.
    pub fn named(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name.as_bytes()).unwrap()
    }

    /// With the bytes 0, 1, 2 ... and a multiplier of two in place of the values of a tensor.
    pub fn quantised(mut self, name: &str) -> Self {
        let tensor = self.named(name);
        let count = tensor.bytes.len() / 4;
        tensor.kind = INTGEMM8;
        tensor.bytes = (0..count).map(|value| value as u8).chain(2.0_f32.to_le_bytes()).collect();
        tensor.bytes.resize(tensor.bytes.len().next_multiple_of(256), 0);
        self
    }

    fn settings_text(&self) -> Vec<u8> {
        let lines = self.settings.iter().map(|(key, value)| format!("{key}: {value}"));
        let mut text = lines.collect::<Vec<_>>().join("\n").into_bytes();
        text.push(0);
        text
    }

    /// All that a file holds: the tensors, then the settings where there are any.
    fn items(&self) -> Vec<Tensor> {
        let mut items = self.tensors.clone();
        if !self.settings.is_empty() {
            let bytes = self.settings_text();
            items.push(Tensor { name: b"special:model.yml".to_vec(), kind: INT8, shape: vec![bytes.len() as i32], bytes });
        }
        items
    }

    /// The bytes of a `.bin`.
    pub fn binary(&self) -> Written {
        let items = self.items();
        let mut file = File::default();
        file.number(&1_u64.to_le_bytes());
        file.number(&(items.len() as u64).to_le_bytes());
        for Tensor { name, kind, shape, bytes } in &items {
            for number in [name.len() as u64 + 1, *kind, shape.len() as u64, bytes.len() as u64] {
                file.number(&number.to_le_bytes());
            }
        }
        for Tensor { name, .. } in &items {
            file.bytes.extend(name);
            file.bytes.push(0);
        }
        for Tensor { shape, .. } in &items {
            shape.iter().for_each(|size| file.number(&size.to_le_bytes()));
        }
        let padding = 256 - (file.bytes.len() + 8) % 256;
        file.number(&(padding as u64).to_le_bytes());
        file.bytes.resize(file.bytes.len() + padding, 0);
        items.iter().for_each(|tensor| file.bytes.extend(&tensor.bytes));
        (file.bytes, file.numbers)
    }

    /// The bytes of a `.npz`, stored or deflated.
    pub fn npz(&self, deflated: bool) -> Written {
        let entries = self.items().into_iter().map(|Tensor { name, kind, shape, bytes }| {
            let sizes: Vec<String> = shape.iter().map(i32::to_string).collect();
            let comma = if sizes.len() == 1 { "," } else { "" };
            let descr = if kind == INT8 { "<i1" } else { "<f4" };
            let shape = format!("({}{comma})", sizes.join(", "));
            let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
            ([&name[..], b".npy"].concat(), array(&header, &bytes))
        });
        archive(entries.collect(), deflated)
    }
}

/// An array with this header.
pub fn array(header: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = b"\x93NUMPY\x01\x00".to_vec();
    all.extend((header.len() as u16).to_le_bytes());
    all.extend(header.as_bytes());
    all.extend(bytes);
    all
}

/// A zip archive.
pub fn archive(entries: Vec<(Vec<u8>, Vec<u8>)>, deflated: bool) -> Written {
    let mut file = File::default();
    let mut central = File::default();
    for (name, content) in &entries {
        let mut crc = Crc::new();
        crc.update(content);
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.clone()
        };
        let start = file.bytes.len() as u32;
        let described = |file: &mut File| {
            // Flags, method, time, date.
            file.number(&0_u16.to_le_bytes());
            file.number(&(if deflated { 8_u16 } else { 0 }).to_le_bytes());
            file.bytes.extend([0; 4]);
            file.number(&crc.sum().to_le_bytes());
            file.number(&(packed.len() as u32).to_le_bytes());
            file.number(&(content.len() as u32).to_le_bytes());
            file.number(&(name.len() as u16).to_le_bytes());
            file.number(&0_u16.to_le_bytes());
        };
        file.bytes.extend(b"PK\x03\x04\x14\0");
        described(&mut file);
        file.bytes.extend(name);
        file.bytes.extend(&packed);
        central.bytes.extend(b"PK\x01\x02\x14\0\x14\0");
        described(&mut central);
        central.bytes.extend([0; 10]);
        central.number(&start.to_le_bytes());
        central.bytes.extend(name);
    }
    let (start, length) = (file.bytes.len(), central.bytes.len());
    file.numbers.extend(central.numbers.iter().map(|range| range.start + start..range.end + start));
    file.bytes.extend(central.bytes);
    file.bytes.extend(b"PK\x05\x06\0\0\0\0");
    file.number(&(entries.len() as u16).to_le_bytes());
    file.number(&(entries.len() as u16).to_le_bytes());
    file.number(&(length as u32).to_le_bytes());
    file.number(&(start as u32).to_le_bytes());
    file.number(&0_u16.to_le_bytes());
    (file.bytes, file.numbers)
}

/// A file as far as it is written.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    numbers: Vec<Range<usize>>,
}

impl File {
    fn number(&mut self, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend(bytes);
        self.numbers.push(start..self.bytes.len());
    }
}

/// A student with a vocabulary of 6, of width 4, with one layer on either side, whose inner part has 6 and 10.
pub fn tiny_student() -> Writer {
    let mut writer = Writer { settings: Vec::new(), tensors: Vec::new() };
    for (key, value) in [
        ("type", "transformer"),
        ("dec-cell", "ssru"),
        ("transformer-decoder-autoreg", "rnn"),
        ("transformer-postprocess", "dan"),
        ("transformer-preprocess", "\"\""),
        ("transformer-postprocess-emb", "d"),
        ("dim-emb", "4"),
        ("transformer-heads", "2"),
        ("transformer-dim-ffn", "6"),
        ("transformer-decoder-dim-ffn", "10"),
        ("transformer-ffn-activation", "relu"),
        ("enc-depth", "1"),
        ("dec-depth", "1"),
        ("dim-vocabs", "[6, 6]"),
        ("tied-embeddings-all", "true"),
        ("version", "v1.12.0"),
    ] {
        writer.set(key, value);
    }
    writer.tensor("Wemb", &[6, 4]);
    writer.tensor("decoder_ff_logit_out_b", &[1, 6]);
    for (side, part, inner) in [("encoder", "self", 6), ("decoder", "context", 10)] {
        for letter in ["q", "k", "v", "o"] {
            writer.tensor(&format!("{side}_l1_{part}_W{letter}"), &[4, 4]);
            writer.tensor(&format!("{side}_l1_{part}_b{letter}"), &[1, 4]);
        }
        writer.tensor(&format!("{side}_l1_ffn_W1"), &[4, inner]);
        writer.tensor(&format!("{side}_l1_ffn_b1"), &[1, inner]);
        writer.tensor(&format!("{side}_l1_ffn_W2"), &[inner, 4]);
        writer.tensor(&format!("{side}_l1_ffn_b2"), &[1, 4]);
        for norm in [format!("{part}_Wo"), "ffn_ffn".to_owned()] {
            writer.tensor(&format!("{side}_l1_{norm}_ln_scale"), &[1, 4]);
            writer.tensor(&format!("{side}_l1_{norm}_ln_bias"), &[1, 4]);
        }
    }
    writer.tensor("decoder_l1_rnn_W", &[4, 4]);
    writer.tensor("decoder_l1_rnn_Wf", &[4, 4]);
    for vector in ["rnn_bf", "rnn_ffn_ln_scale", "rnn_ffn_ln_bias"] {
        writer.tensor(&format!("decoder_l1_{vector}"), &[1, 4]);
    }
    writer
}
