//! Writes small GGUF files, also such as no program would write. Knows nothing of how they are read.

use std::ops::Range;

use half::{bf16, f16};

/// The types of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the names of the format")]
pub enum Kind {
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    BF16 = 30,
}

impl Kind {
    /// How many values a block has.
    fn values(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_K | Self::Q5_K | Self::Q6_K => 256,
            _ => 32,
        }
    }

    /// Where the scales of half precision lie in a block of quantised values, and how many bytes it has (ggml's `ggml-common.h`).
    fn block(self) -> (&'static [usize], usize) {
        match self {
            Self::F32 => (&[], 4),
            Self::F16 | Self::BF16 => (&[], 2),
            Self::Q4_0 => (&[0], 18),
            Self::Q4_1 => (&[0, 2], 20),
            Self::Q5_0 => (&[0], 22),
            Self::Q5_1 => (&[0, 2], 24),
            Self::Q8_0 => (&[0], 34),
            Self::Q4_K => (&[0, 2], 144),
            Self::Q5_K => (&[0, 2], 176),
            Self::Q6_K => (&[208], 210),
        }
    }
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

    /// A tensor of the values 0, 1, 2 ..., or of blocks of bytes that count, with scales of one half.
    pub fn tensor(&mut self, name: &str, dimensions: &[u64], kind: Kind) {
        let count = dimensions.iter().product::<u64>() as usize;
        let block = || {
            let (scales, size) = kind.block();
            let mut bytes: Vec<u8> = (0..size).map(|place| place as u8).collect();
            scales.iter().for_each(|place| bytes[*place..place + 2].copy_from_slice(&[0x00, 0x38]));
            bytes
        };
        let bytes = match kind {
            Kind::F32 => (0..count).flat_map(|value| (value as f32).to_le_bytes()).collect(),
            Kind::F16 => (0..count).flat_map(|value| f16::from_f32(value as f32).to_le_bytes()).collect(),
            Kind::BF16 => (0..count).flat_map(|value| bf16::from_f32(value as f32).to_le_bytes()).collect(),
            _ => (0..count / kind.values()).flat_map(|_| block()).collect(),
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

/// A model of one layer and width 4 of an architecture, with two heads of width 16 that share their keys, or of width 2. Rows of its projection behind
/// attention are of one kind, rows of the one at the end of the layer, as long as a block of it, of another.
pub fn tiny(architecture: &str, attention: Kind, down: Kind) -> Writer {
    let mut writer = Writer { pairs: Vec::new(), tensors: Vec::new() };
    let inner = down.values().max(32) as u64;
    let is_gpt2 = architecture == "gpt2";
    writer.set("general.architecture", Value::Text(architecture.into()));
    let mut sizes = vec![
        ("block_count", 1),
        ("context_length", 16),
        ("embedding_length", 4),
        ("feed_forward_length", inner as u32),
        ("attention.head_count", 2),
    ];
    sizes.extend((!is_gpt2).then_some([("attention.head_count_kv", 1), ("attention.key_length", 16)]).into_iter().flatten());
    for (key, value) in sizes {
        writer.set(&format!("{architecture}.{key}"), Value::U32(value));
    }
    let epsilon = if is_gpt2 { "layer_norm_epsilon" } else { "layer_norm_rms_epsilon" };
    writer.set(&format!("{architecture}.attention.{epsilon}"), Value::F32(1e-5));
    writer.set("tokenizer.ggml.model", Value::Text("gpt2".into()));
    writer.set("tokenizer.ggml.add_bos_token", Value::Bool(false));
    writer.set("tokenizer.ggml.tokens", Value::Texts(["a", "b", "c", "ab", "<s>", "</s>"].map(str::to_owned).to_vec()));
    writer.set("tokenizer.ggml.token_type", Value::I32s(vec![1, 1, 1, 1, 3, 3]));
    writer.set("tokenizer.ggml.merges", Value::Texts(vec!["a b".into()]));
    writer.set("tokenizer.ggml.eos_token_id", Value::U32(5));
    writer.tensor("token_embd.weight", &[4, 6], Kind::F32);
    writer.tensor("output_norm.weight", &[4], Kind::F32);
    if is_gpt2 {
        writer.tensor("position_embd.weight", &[4, 16], Kind::F32);
        writer.tensor("output_norm.bias", &[4], Kind::F32);
    }
    let mut add = |name: &str, dimensions: &[u64], kind: Kind| writer.tensor(&format!("blk.0.{name}"), dimensions, kind);
    add("attn_norm.weight", &[4], Kind::F32);
    add("ffn_norm.weight", &[4], Kind::F32);
    add("ffn_up.weight", &[4, inner], Kind::BF16);
    add("ffn_down.weight", &[inner, 4], down);
    if is_gpt2 {
        add("attn_qkv.weight", &[4, 12], Kind::F16);
        add("attn_output.weight", &[4, 4], attention);
        for (name, size) in
            [("attn_norm", 4), ("attn_qkv", 12), ("attn_output", 4), ("ffn_norm", 4), ("ffn_up", inner), ("ffn_down", 4)]
        {
            add(&format!("{name}.bias"), &[size], Kind::F32);
        }
        return writer;
    }
    add("attn_q.weight", &[4, 32], Kind::F16);
    add("attn_k.weight", &[4, 16], Kind::F32);
    add("attn_v.weight", &[4, 16], Kind::BF16);
    add("attn_output.weight", &[32, 4], attention);
    add("ffn_gate.weight", &[4, inner], Kind::F16);
    let more: &[(&str, u64)] = match architecture {
        "qwen2" => &[("attn_q.bias", 32), ("attn_k.bias", 16), ("attn_v.bias", 16)],
        "qwen3" => &[("attn_q_norm.weight", 16), ("attn_k_norm.weight", 16)],
        _ => &[],
    };
    more.iter().for_each(|(name, size)| add(name, &[*size], Kind::F32));
    writer
}
