//! Writes small GGUF files, also such as no program would write. Knows nothing of how they are read.

use std::ops::Range;

/// The types of tensors that are written here.
#[derive(Clone, Copy)]
pub enum Kind {
    F32 = 0,
    Q8_0 = 8,
}

/// A value of the metadata.
#[derive(Clone)]
pub enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
    /// The number of a kind and whatever follows it.
    Raw(u32, Vec<u8>),
}

/// A tensor as it is to be written.
pub struct Tensor {
    pub name: String,
    /// The fastest first, as in a file.
    pub dimensions: Vec<u64>,
    pub kind: u32,
    pub bytes: Vec<u8>,
    /// Where its values are said to begin, where that is not where they do.
    pub offset: Option<u64>,
}

/// A file to be written.
pub struct Writer {
    pub pairs: Vec<(String, Value)>,
    pub tensors: Vec<Tensor>,
}

impl Writer {
    /// Puts a value under a key, in the place of the one that was there.
    pub fn set(&mut self, key: &str, value: Value) {
        match self.pairs.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((key.to_owned(), value)),
        }
    }

    /// A tensor of the values 0, 1, 2 ...
    pub fn tensor(&mut self, name: &str, dimensions: &[u64], kind: Kind) {
        let count = dimensions.iter().product::<u64>();
        let bytes = match kind {
            Kind::F32 => (0..count).flat_map(|value| (value as f32).to_le_bytes()).collect(),
            // A scale of one half, and bytes that count.
            Kind::Q8_0 => (0..count / 32).flat_map(|_| [0x00, 0x38].into_iter().chain(0..32_u8)).collect(),
        };
        let (name, dimensions) = (name.to_owned(), dimensions.to_vec());
        self.tensors.push(Tensor { name, dimensions, kind: kind as u32, bytes, offset: None });
    }

    /// The tensor with this name.
    pub fn named(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
    }

    /// With other values in a tensor of single precision.
    pub fn with_values(mut self, name: &str, values: &[f32]) -> Self {
        let bytes = &mut self.named(name).bytes;
        for (place, value) in values.iter().enumerate() {
            bytes[4 * place..4 * place + 4].copy_from_slice(&value.to_le_bytes());
        }
        self
    }

    /// The bytes of the file, and where its numbers lie: counts, lengths, kinds, sizes, offsets.
    pub fn written(&self) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut file = File { bytes: b"GGUF".to_vec(), numbers: Vec::new() };
        file.u32(3);
        file.u64(self.tensors.len() as u64);
        file.u64(self.pairs.len() as u64);
        for (key, value) in &self.pairs {
            file.text(key);
            file.value(value);
        }
        let mut place = 0;
        for tensor in &self.tensors {
            file.text(&tensor.name);
            file.u32(tensor.dimensions.len() as u32);
            tensor.dimensions.iter().for_each(|size| file.u64(*size));
            file.u32(tensor.kind);
            file.u64(tensor.offset.unwrap_or(place));
            place += tensor.bytes.len().next_multiple_of(32) as u64;
        }
        for tensor in &self.tensors {
            file.bytes.resize(file.bytes.len().next_multiple_of(32), 0);
            file.bytes.extend(&tensor.bytes);
        }
        (file.bytes, file.numbers)
    }
}

/// A file as far as it is written.
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

    fn u32(&mut self, number: u32) {
        self.number(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.number(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::U32(value) => {
                self.u32(4);
                self.u32(*value);
            }
            Value::F32(value) => {
                self.u32(6);
                self.number(&value.to_le_bytes());
            }
            Value::Bool(value) => {
                self.u32(7);
                self.number(&[u8::from(*value)]);
            }
            Value::Text(value) => {
                self.u32(8);
                self.text(value);
            }
            Value::Texts(values) => {
                self.array(8, values.len());
                values.iter().for_each(|value| self.text(value));
            }
            Value::I32s(values) => {
                self.array(5, values.len());
                values.iter().for_each(|value| self.number(&value.to_le_bytes()));
            }
            Value::Raw(kind, raw) => {
                self.u32(*kind);
                self.bytes.extend(raw);
            }
        }
    }

    fn array(&mut self, kind: u32, count: usize) {
        self.u32(9);
        self.u32(kind);
        self.u64(count as u64);
    }
}

/// A Llama of one layer and width 4, with two heads of width 4 that share their keys.
pub fn tiny_llama() -> Writer {
    let mut writer = Writer { pairs: Vec::new(), tensors: Vec::new() };
    writer.set("general.architecture", Value::Text("llama".into()));
    for (key, value) in [
        ("block_count", 1),
        ("context_length", 16),
        ("embedding_length", 4),
        ("feed_forward_length", 32),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("attention.key_length", 4),
    ] {
        writer.set(&format!("llama.{key}"), Value::U32(value));
    }
    writer.set("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5));
    writer.set("tokenizer.ggml.add_bos_token", Value::Bool(false));
    writer.set("tokenizer.ggml.tokens", Value::Texts(["a", "b", "c", "ab", "<s>", "</s>"].map(str::to_owned).to_vec()));
    writer.set("tokenizer.ggml.token_type", Value::I32s(vec![1, 1, 1, 1, 3, 3]));
    writer.set("tokenizer.ggml.eos_token_id", Value::U32(5));
    for (name, dimensions) in [
        ("token_embd.weight", &[4, 6][..]),
        ("blk.0.attn_norm.weight", &[4]),
        ("blk.0.attn_q.weight", &[4, 8]),
        ("blk.0.attn_k.weight", &[4, 4]),
        ("blk.0.attn_v.weight", &[4, 4]),
        ("blk.0.attn_output.weight", &[8, 4]),
        ("blk.0.ffn_norm.weight", &[4]),
        ("blk.0.ffn_gate.weight", &[4, 32]),
        ("blk.0.ffn_up.weight", &[4, 32]),
        ("output_norm.weight", &[4]),
    ] {
        writer.tensor(name, dimensions, Kind::F32);
    }
    writer.tensor("blk.0.ffn_down.weight", &[32, 4], Kind::Q8_0);
    writer
}
