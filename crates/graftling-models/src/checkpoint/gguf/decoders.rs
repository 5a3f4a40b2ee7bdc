//! The architectures that are imported: their metadata as the `config.json` of transformers, and their tensors as its weights. Knows no bytes.
//!
//! Names are those of llama.cpp's `gguf-py/gguf/constants.py` and `tensor_mapping.py` on the one side, of transformers' modelling files on the other.

use serde_json::{Map, Value, json};

use super::container::Gguf;
use super::keys::Keys;
use super::problem::GgufProblem;
use super::rotary_scaling::RotaryScaling;
use crate::error::ConfigProblem;
use crate::families::config_reader::{LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};

const EMBEDDING: &str = "token_embd.weight";
const OUTPUT: &str = "output.weight";
const DIVISORS: &str = "rope_freqs.weight";
/// No layer has fewer tensors, even where some are missing.
const FEWEST_TENSORS: usize = 5;

/// An architecture that is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoder {
    Llama,
    Qwen2,
    Qwen3,
    Gpt2,
}

impl Decoder {
    const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gpt2];

    /// Its name in `general.architecture`, which is also its `model_type`.
    fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gpt2 => "gpt2",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
            Self::Gpt2 => "GPT2LMHeadModel",
        }
    }
}

/// How the values of a tensor lie, beside how those of the weight do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As in the weight.
    Same,
    /// The rows of a head are in pairs that are turned together; in the weight, the first of all pairs come before the second ones. llama.cpp's converter puts the
    /// queries and keys of Llama so (`LlamaModel.permute`).
    RotaryPairs { heads: usize },
    /// Outputs first; the weight has inputs first, as GPT-2's `Conv1D` does.
    Transposed,
}

/// A weight that a model has.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The tensor that holds it.
    pub tensor: String,
    /// Its name in transformers.
    pub weight: String,
    /// Its shape in transformers.
    pub shape: Vec<usize>,
    pub layout: Layout,
}

/// What a file comes down to.
pub(super) struct Translation {
    pub model_type: &'static str,
    pub num_hidden_layers: usize,
    pub max_positions: usize,
    pub vocabulary_size: usize,
    /// `config.json`, but for the type of the weights.
    pub config: Map<String, Value>,
    /// `generation_config.json`.
    pub generation: Map<String, Value>,
    pub weights: Vec<Wanted>,
    pub notices: Vec<String>,
}

/// Why a file is not translated.
pub(super) enum Refusal {
    File(GgufProblem),
    Keys(Vec<ConfigProblem>),
}

impl From<GgufProblem> for Refusal {
    fn from(problem: GgufProblem) -> Self {
        Self::File(problem)
    }
}

/// What a file holds, in the words of transformers.
pub(super) fn translate(gguf: &Gguf<'_>) -> Result<Translation, Refusal> {
    let found = gguf.text("general.architecture")?.unwrap_or_default();
    let Some(decoder) = Decoder::ALL.into_iter().find(|decoder| decoder.name() == found) else {
        let accepted = Decoder::ALL.map(Decoder::name).join(", ");
        return Err(Refusal::File(GgufProblem::Architecture { found: found.to_owned(), accepted }));
    };
    match gguf.count("split.count")? {
        Some(files) if files > 1 => return Err(Refusal::File(GgufProblem::Split { files })),
        _ => {}
    }
    let mut keys = Keys::new(gguf, decoder.name());
    let sizes = Sizes::read(decoder, &mut keys);
    let ids = Ids::read(&mut keys, sizes.vocabulary);
    let (mut config, mut weights) = match decoder {
        Decoder::Gpt2 => gpt2(&sizes, &mut keys),
        _ => rotary_decoder(decoder, &sizes, &mut keys),
    };
    let unread = keys.finish().map_err(Refusal::Keys)?;
    let tied = is_tied(gguf);
    if !tied {
        weights.push(weight(OUTPUT, "lm_head.weight", &[sizes.vocabulary, sizes.hidden]));
    }
    config.insert("architectures".to_owned(), json!([decoder.class()]));
    config.insert("model_type".to_owned(), decoder.name().into());
    config.insert("tie_word_embeddings".to_owned(), tied.into());
    config.insert("use_cache".to_owned(), true.into());
    config.insert("vocab_size".to_owned(), sizes.vocabulary.into());
    for (name, id) in [("bos_token_id", ids.bos), ("eos_token_id", ids.eos), ("pad_token_id", ids.pad)] {
        config.insert(name.to_owned(), json!(id));
    }
    config.sort_keys();
    let mut notices = Vec::new();
    if !unread.is_empty() {
        notices.push(format!("keys of the metadata that nothing was made of: {}", unread.join(", ")));
    }
    Ok(Translation {
        model_type: decoder.name(),
        num_hidden_layers: sizes.layers,
        max_positions: sizes.context,
        vocabulary_size: sizes.vocabulary,
        config,
        generation: ids.generation(),
        weights,
        notices,
    })
}

/// The sizes that all architectures have.
struct Sizes {
    layers: usize,
    hidden: usize,
    inner: usize,
    heads: usize,
    context: usize,
    vocabulary: usize,
}

impl Sizes {
    fn read(decoder: Decoder, keys: &mut Keys<'_>) -> Self {
        let mut layers = keys.size("block_count", MOST_LAYERS);
        // A number of layers costs no memory that the file has not.
        let tensors = keys.gguf.tensors().len();
        if layers > 1 && layers * FEWEST_TENSORS > tensors {
            keys.refuse("block_count", layers.to_string(), format!("as many layers as {tensors} tensors are enough for"));
            layers = 1;
        }
        let hidden = keys.size("embedding_length", LARGEST_WIDTH);
        let inner = keys.size("feed_forward_length", LARGEST_WIDTH);
        let heads = keys.size("attention.head_count", LARGEST_WIDTH);
        let context = keys.size("context_length", LARGEST_TABLE);
        let embedding = keys.gguf.tensors().iter().find(|tensor| tensor.name == EMBEDDING);
        let rows = embedding.map_or(1, |tensor| tensor.shape[0]);
        if let Some(said) = keys.size_if_there("vocab_size", LARGEST_TABLE)
            && embedding.is_some()
            && said != rows
        {
            keys.refuse("vocab_size", said.to_string(), format!("{rows}, as many as {EMBEDDING} has rows"));
        }
        // What would make another model of it than the one of this name in transformers.
        for name in
            ["expert_count", "expert_used_count", "attention.max_alibi_bias", "attention.clamp_kqv", "use_parallel_residual"]
        {
            keys.only(name, 0);
        }
        keys.only("attention.causal", 1);
        if decoder == Decoder::Llama {
            keys.only("attention.sliding_window", 0);
        }
        Self { layers, hidden, inner, heads, context, vocabulary: rows }
    }
}

/// Tokens that generation begins and ends with.
struct Ids {
    bos: Option<u64>,
    eos: Option<u64>,
    pad: Option<u64>,
    /// The ends of a turn and of a message, where they are other tokens.
    ends: Vec<u64>,
}

impl Ids {
    fn read(keys: &mut Keys<'_>, vocabulary: usize) -> Self {
        let mut id = |name| keys.token(name, vocabulary);
        let (bos, eos) = (id("tokenizer.ggml.bos_token_id"), id("tokenizer.ggml.eos_token_id"));
        let pad = id("tokenizer.ggml.padding_token_id");
        let mut ends: Vec<u64> = Vec::new();
        for end in [eos, id("tokenizer.ggml.eot_token_id"), id("tokenizer.ggml.eom_token_id")].into_iter().flatten() {
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
        Self { bos, eos, pad, ends }
    }

    fn generation(&self) -> Map<String, Value> {
        let ends = match self.ends.as_slice() {
            [] => None,
            [only] => Some(json!(only)),
            several => Some(json!(several)),
        };
        let keys =
            [("bos_token_id", self.bos.map(Value::from)), ("eos_token_id", ends), ("pad_token_id", self.pad.map(Value::from))];
        keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// Whether the output's vectors are the embedding's: there are no others, or the same once more.
fn is_tied(gguf: &Gguf<'_>) -> bool {
    let named = |name| gguf.tensors().iter().find(|tensor| tensor.name == name);
    match (named(EMBEDDING), named(OUTPUT)) {
        (_, None) => true,
        (Some(embedding), Some(output)) => {
            embedding.shape == output.shape && embedding.type_name() == output.type_name() && embedding.bytes == output.bytes
        }
        (None, Some(_)) => false,
    }
}

/// Llama and its relatives: rotary positions, a gated feed-forward part, RMS norms.
fn rotary_decoder(decoder: Decoder, sizes: &Sizes, keys: &mut Keys<'_>) -> (Map<String, Value>, Vec<Wanted>) {
    let Sizes { layers, hidden, inner, heads, context, vocabulary } = *sizes;
    let key_heads = keys.size_if_there("attention.head_count_kv", heads).unwrap_or(heads);
    if !heads.is_multiple_of(key_heads) {
        keys.refuse("attention.head_count_kv", key_heads.to_string(), format!("divisors of the {heads} heads"));
    }
    let rotated = keys.size_if_there("rope.dimension_count", LARGEST_WIDTH);
    let said = keys.size_if_there("attention.key_length", LARGEST_WIDTH);
    let head_dim = said.or(rotated).unwrap_or((hidden / heads).max(1));
    for (name, found) in [
        ("rope.dimension_count", rotated),
        ("attention.value_length", keys.size_if_there("attention.value_length", LARGEST_WIDTH)),
    ] {
        if let Some(found) = found.filter(|found| *found != head_dim) {
            keys.refuse(name, found.to_string(), format!("{head_dim}, the width of a head"));
        }
    }
    if !head_dim.is_multiple_of(2) {
        keys.refuse("attention.key_length", head_dim.to_string(), "even widths of heads".to_owned());
    }
    let epsilon = keys.number("attention.layer_norm_rms_epsilon", 0.0..=1.0);
    let base = keys.number_if_there("rope.freq_base", 1.0..=1e12).unwrap_or(10_000.0);
    let scaling = scaling(keys, base, head_dim);
    let there = |name: &str| keys.gguf.tensors().iter().any(|tensor| tensor.name == name);
    let attention_bias = decoder == Decoder::Llama && there("blk.0.attn_q.bias");
    let inner_bias = decoder == Decoder::Llama && there("blk.0.ffn_up.bias");
    let (queries, kept) = (heads * head_dim, key_heads * head_dim);
    let pairs = |heads| if decoder == Decoder::Llama { Layout::RotaryPairs { heads } } else { Layout::Same };
    let mut weights = vec![weight(EMBEDDING, "model.embed_tokens.weight", &[vocabulary, hidden])];
    for layer in 0..layers {
        let mut add = |tensor: &str, name: &str, shape: &[usize], layout| {
            let (tensor, weight) = (format!("blk.{layer}.{tensor}"), format!("model.layers.{layer}.{name}"));
            weights.push(Wanted { tensor, weight, shape: shape.to_vec(), layout });
        };
        add("attn_norm.weight", "input_layernorm.weight", &[hidden], Layout::Same);
        add("attn_q.weight", "self_attn.q_proj.weight", &[queries, hidden], pairs(heads));
        add("attn_k.weight", "self_attn.k_proj.weight", &[kept, hidden], pairs(key_heads));
        add("attn_v.weight", "self_attn.v_proj.weight", &[kept, hidden], Layout::Same);
        add("attn_output.weight", "self_attn.o_proj.weight", &[hidden, queries], Layout::Same);
        if attention_bias || decoder == Decoder::Qwen2 {
            add("attn_q.bias", "self_attn.q_proj.bias", &[queries], pairs(heads));
            add("attn_k.bias", "self_attn.k_proj.bias", &[kept], pairs(key_heads));
            add("attn_v.bias", "self_attn.v_proj.bias", &[kept], Layout::Same);
        }
        if attention_bias {
            add("attn_output.bias", "self_attn.o_proj.bias", &[hidden], Layout::Same);
        }
        if decoder == Decoder::Qwen3 {
            add("attn_q_norm.weight", "self_attn.q_norm.weight", &[head_dim], Layout::Same);
            add("attn_k_norm.weight", "self_attn.k_norm.weight", &[head_dim], Layout::Same);
        }
        add("ffn_norm.weight", "post_attention_layernorm.weight", &[hidden], Layout::Same);
        for (tensor, name, rows, columns) in [
            ("ffn_gate", "gate_proj", inner, hidden),
            ("ffn_up", "up_proj", inner, hidden),
            ("ffn_down", "down_proj", hidden, inner),
        ] {
            add(&format!("{tensor}.weight"), &format!("mlp.{name}.weight"), &[rows, columns], Layout::Same);
            if inner_bias {
                add(&format!("{tensor}.bias"), &format!("mlp.{name}.bias"), &[rows], Layout::Same);
            }
        }
    }
    weights.push(weight("output_norm.weight", "model.norm.weight", &[hidden]));
    let mut config = object(json!({
        "attention_dropout": 0.0,
        "head_dim": head_dim,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": inner,
        "max_position_embeddings": context,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": key_heads,
        "rms_norm_eps": epsilon,
        "rope_parameters": scaling.parameters(base),
        "rope_scaling": scaling.older_parameters(base),
        "rope_theta": base,
    }));
    match decoder {
        Decoder::Llama => config.extend(object(json!({ "attention_bias": attention_bias, "mlp_bias": inner_bias }))),
        Decoder::Qwen3 => {
            config.extend(object(json!({ "attention_bias": false, "sliding_window": null, "use_sliding_window": false })))
        }
        _ => config.extend(object(json!({ "sliding_window": null, "use_sliding_window": false }))),
    }
    (config, weights)
}

/// The stretching of rotary positions that the keys name or that the divisors of the file show.
fn scaling(keys: &mut Keys<'_>, base: f64, head_dim: usize) -> RotaryScaling {
    let said = RotaryScaling::of_keys(keys);
    let Some(tensor) = keys.gguf.tensors().iter().find(|tensor| tensor.name == DIVISORS) else { return said };
    let fits = tensor.value_count() == head_dim / 2;
    let divisors = fits.then(|| tensor.values().ok()).flatten();
    let found = divisors.and_then(|divisors| RotaryScaling::of_divisors(&divisors, base, head_dim));
    match found {
        Some(found) if said == RotaryScaling::Default => found,
        _ => {
            let accepted = format!("no {DIVISORS}, or {} divisors of Llama 3.1's scaling and no other scaling", head_dim / 2);
            keys.refuse("rope.scaling.type", format!("beside a tensor {DIVISORS} of {:?} values", tensor.shape), accepted);
            said
        }
    }
}

/// GPT-2: positions by number, weights with the inputs first, norms with a bias.
fn gpt2(sizes: &Sizes, keys: &mut Keys<'_>) -> (Map<String, Value>, Vec<Wanted>) {
    let Sizes { layers, hidden, inner, heads, context, vocabulary } = *sizes;
    if !hidden.is_multiple_of(heads) {
        keys.refuse("attention.head_count", heads.to_string(), format!("divisors of the width {hidden}"));
    }
    let epsilon = keys.number("attention.layer_norm_epsilon", 0.0..=1.0);
    let mut weights = vec![
        weight(EMBEDDING, "transformer.wte.weight", &[vocabulary, hidden]),
        weight("position_embd.weight", "transformer.wpe.weight", &[context, hidden]),
    ];
    for layer in 0..layers {
        let mut add = |tensor: &str, name: &str, shape: &[usize], layout| {
            let (tensor, weight) = (format!("blk.{layer}.{tensor}"), format!("transformer.h.{layer}.{name}"));
            weights.push(Wanted { tensor, weight, shape: shape.to_vec(), layout });
        };
        for (tensor, name, inputs, outputs) in [
            ("attn_norm", "ln_1", None, hidden),
            ("attn_qkv", "attn.c_attn", Some(hidden), 3 * hidden),
            ("attn_output", "attn.c_proj", Some(hidden), hidden),
            ("ffn_norm", "ln_2", None, hidden),
            ("ffn_up", "mlp.c_fc", Some(hidden), inner),
            ("ffn_down", "mlp.c_proj", Some(inner), hidden),
        ] {
            let (tensor_weight, name_weight) = (format!("{tensor}.weight"), format!("{name}.weight"));
            match inputs {
                Some(inputs) => add(&tensor_weight, &name_weight, &[inputs, outputs], Layout::Transposed),
                None => add(&tensor_weight, &name_weight, &[outputs], Layout::Same),
            }
            add(&format!("{tensor}.bias"), &format!("{name}.bias"), &[outputs], Layout::Same);
        }
    }
    weights.push(weight("output_norm.weight", "transformer.ln_f.weight", &[hidden]));
    weights.push(weight("output_norm.bias", "transformer.ln_f.bias", &[hidden]));
    let config = json!({
        "activation_function": "gelu_new",
        "initializer_range": 0.02,
        "layer_norm_epsilon": epsilon,
        "n_embd": hidden,
        "n_head": heads,
        "n_inner": inner,
        "n_layer": layers,
        "n_positions": context,
    });
    (object(config), weights)
}

fn weight(tensor: &str, weight: &str, shape: &[usize]) -> Wanted {
    Wanted { tensor: tensor.to_owned(), weight: weight.to_owned(), shape: shape.to_vec(), layout: Layout::Same }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { unreachable!("what is written as an object here is one") };
    object
}

impl Translation {
    /// Whether a tensor is looked at though it becomes no weight.
    pub fn uses_otherwise(&self, tensor: &str) -> bool {
        tensor == OUTPUT || (tensor == DIVISORS && self.model_type != Decoder::Gpt2.name())
    }
}
