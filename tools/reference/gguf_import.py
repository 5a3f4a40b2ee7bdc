"""Golden files of GGUF import: blocks of every type that is read, and tiny models with their tokenizers.

Writes crates/graftling-models/tests/golden/gguf/ (a file of random blocks and what the gguf package reads from it) and
crates/graftling/tests/golden/gguf/ (for each architecture a GGUF file, and what the model it was made of has in transformers: config,
digests of its weights as the file's types hold them, tokens of many texts). Run it with a Python that has torch, transformers,
tokenizers, sentencepiece and gguf:

    python tools/reference/gguf_import.py

The weights are put into a file as llama.cpp's converter does (`LlamaModel.permute`, the transposed weights of GPT-2, the divisors of
Llama 3.1's rotary frequencies). What is expected never goes that way: it is each weight of transformers, rounded by its type where it
lies. The tokenizers are built as the models' own tokenizer.json files have them, with special tokens outside the vocabulary where
those have them there.
"""

import gzip
import hashlib
import importlib.metadata
import json
import math
import pathlib
import types

import gguf
import numpy
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from golden import made_by, write_tensors
from tokenization import PAIRS, TEXTS
from tokenizer_families import BYTE_SPECIAL, PlainBpe, VOCABULARIES, converters

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCKS = ROOT / "crates/graftling-models/tests/golden/gguf"
MODELS = ROOT / "crates/graftling/tests/golden/gguf"
READ = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q4_K, Type.Q5_K, Type.Q6_K]
# Where the numbers of half precision lie in a block: scales and least values.
HALVES = {Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}
TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

CASES = TEXTS + [
    "  leading and   inner  spaces  ",
    "1234567 12 3.14 1,000 x2y ½ ² Ⅳ ٣",
    "<|im_start|>user\nhi there<|im_end|>\n<think>\n</think>",
    "<s>a</s> b <unk> c",
    "don't we'll they're I'D 'S",
    "def f(x):\n\treturn x ** 2  # 3.14159\r\n\n\n",
    "a▁b ▁ c",
    " x",
]


def random_blocks(kind, rows, columns, generator):
    """Bytes of random values, with scales of every sign that half precision has, but neither infinities nor what is no number."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    if kind in (Type.F32, Type.F16, Type.BF16):
        numbers = generator.standard_normal((rows, columns)).astype(numpy.float32) * 10.0 ** generator.integers(-6, 5, (rows, columns))
        return quantize(numbers.astype(numpy.float32), kind)
    raw = generator.integers(0, 256, (rows * columns // block, size), dtype=numpy.uint8)
    for place in HALVES[kind]:
        scales = (generator.standard_normal(len(raw)) * 10.0 ** generator.integers(-7, 3, len(raw))).astype(numpy.float16)
        raw[:, place:place + 2] = scales.view(numpy.uint8).reshape(-1, 2)
    return raw.reshape(rows, -1)


def blocks():
    BLOCKS.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(4)
    writer, expected = gguf.GGUFWriter(BLOCKS / "blocks.gguf", "blocks"), {}
    for kind in READ:
        raw = random_blocks(kind, 2, 512, generator)
        # The writer knows these two by the type of the array.
        typed = {Type.F32: numpy.float32, Type.F16: numpy.float16}.get(kind)
        writer.add_tensor(kind.name, raw if typed is None else raw.view(typed), raw_dtype=None if typed else kind)
        expected[kind.name] = torch.from_numpy(dequantize(raw, kind).astype(numpy.float32).reshape(2, 512).copy())
    finish(writer)
    write_tensors(BLOCKS / "blocks.safetensors", expected, "gguf_import.py")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# Tokenizers: each gives the one that transformers would have, and the metadata that llama.cpp's converter makes of it.


def byte_pairs(pre, pre_tokenizer, normalizer=None, ignore_merges=False, inside=(), control=(), user_defined=(), bos=None, padded=0):
    """`inside` are special tokens at the front of the vocabulary, `control` and `user_defined` such as stand behind it."""
    whole = json.loads((VOCABULARIES / "vocab.json").read_text())
    pieces = [token for token in sorted(whole, key=whole.get) if token not in BYTE_SPECIAL]
    merges = [tuple(line.split(" ")) for line in (VOCABULARIES / "merges.txt").read_text().splitlines() if not line.startswith("#version")]
    tokens = list(inside) + pieces
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges, ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in [*inside, *control]])
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in user_defined])
    tokens = tokens + list(control) + list(user_defined)
    if bos:
        frame = processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, tokens.index(bos))])
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), frame])
    kinds = [3 if token in inside or token in control else 4 if token in user_defined else 1 for token in tokens]
    fill = [f"[PAD{index}]" for index in range(len(tokens), len(tokens) + padded)]

    def describe(writer):
        writer.add_tokenizer_model("gpt2")
        if pre:
            writer.add_tokenizer_pre(pre)
        writer.add_token_list(tokens + fill)
        writer.add_token_types(kinds + [5] * padded)
        writer.add_token_merges([" ".join(merge) for merge in merges])

    return tokenizer, len(tokens) + padded, tokens, describe


def byte_level(use_regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def pattern(text):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(text), behavior="isolated"), byte_level(use_regex=False)])


class Llama(converters.LlamaConverter):
    """Llama's way with the pieces of sentencepiece, around merges as tokenizer_families.py makes them."""

    tokenizer = PlainBpe.tokenizer


def pieces(name):
    proto = sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / name))
    slow = types.SimpleNamespace(vocab_file=str(VOCABULARIES / name), convert_ids_to_tokens=proto.id_to_piece, legacy=True, add_prefix_space=True)
    tokenizer = Llama(slow).converted()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    count = proto.get_piece_size()
    kind = lambda index: 2 if proto.is_unknown(index) else 3 if proto.is_control(index) else 6 if proto.is_byte(index) else 1

    def describe(writer):
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list([proto.id_to_piece(index) for index in range(count)])
        writer.add_token_scores([proto.get_score(index) for index in range(count)])
        writer.add_token_types([kind(index) for index in range(count)])
        writer.add_unk_token_id(0)

    return tokenizer, count, [proto.id_to_piece(index) for index in range(count)], describe


def permuted(weights, heads):
    """llama.cpp's `LlamaModel.permute`."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def llama3_divisors(config):
    """llama.cpp's `LlamaModel.generate_extra_tensors`."""
    rope, dim = config.rope_parameters, config.head_dim
    low, high, original = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    factors = []
    for place in range(0, dim, 2):
        wave = 2 * math.pi * rope["rope_theta"] ** (place / dim)
        if wave < original / high:
            factors.append(1)
        elif wave > original / low:
            factors.append(rope["factor"])
        else:
            smooth = (original / wave - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return numpy.array(factors, dtype=numpy.float32)


KEYS = ["architectures", "model_type", "vocab_size", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "hidden_size", "intermediate_size",
        "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps", "rope_parameters",
        "attention_bias", "mlp_bias", "n_embd", "n_head", "n_layer", "n_positions", "n_inner", "layer_norm_epsilon", "activation_function"]


def model(name, arch, make, config, tokenizer, kinds, describe_model, seed, template=None):
    """`kinds` are the types of the weights whose names hold a word; all others keep single precision."""
    backend, _, tokens, describe_tokenizer = tokenizer
    generator = torch.Generator().manual_seed(seed)
    network = make(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    MODELS.mkdir(parents=True, exist_ok=True)
    path = MODELS / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    describe_model(writer)
    describe_tokenizer(writer)
    for add, token in ((writer.add_bos_token_id, config.bos_token_id), (writer.add_eos_token_id, config.eos_token_id), (writer.add_pad_token_id, config.pad_token_id)):
        if token is not None:
            add(token)
    if template:
        writer.add_chat_template(template)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    weights = {}
    state = network.state_dict()
    for weight, tensor in state.items():
        if weight == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = tensor.numpy()
        kind = next((kind for word, kind in kinds.items() if word in weight and values.ndim == 2), Type.F32)
        turned = arch == gguf.MODEL_ARCH.GPT2 and weight.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight"))
        stored = numpy.ascontiguousarray(values.T if turned else values)
        expected = dequantize(quantize(stored, kind), kind).astype(numpy.float32).reshape(stored.shape)
        expected = numpy.ascontiguousarray(expected.T if turned else expected)
        weights[weight] = {"shape": list(values.shape), "sha256": hashlib.sha256(expected.tobytes()).hexdigest(), "first": [float(x) for x in expected.reshape(-1)[:3]]}
        if arch == gguf.MODEL_ARCH.LLAMA and "q_proj" in weight:
            stored = permuted(stored, config.num_attention_heads)
        if arch == gguf.MODEL_ARCH.LLAMA and "k_proj" in weight:
            stored = permuted(stored, config.num_key_value_heads)
        packed = quantize(numpy.ascontiguousarray(stored), kind)
        typed = packed.dtype in (numpy.float32, numpy.float16)
        writer.add_tensor(names.get_name(weight, try_suffixes=(".weight", ".bias")), packed, raw_dtype=None if typed else kind)
    if (getattr(config, "rope_parameters", None) or {}).get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(config))
    finish(writer)
    config.architectures = [make.__name__]
    described = config.to_dict()
    golden = {
        "made_by": {**made_by("gguf_import.py"), "gguf": importlib.metadata.version("gguf"), "sentencepiece": sentencepiece.__version__},
        "config": {key: described[key] for key in KEYS if key in described},
        "weights": weights,
        "chat_template": template,
        "texts": [{"text": text, "pair": pair, "input_ids": backend.encode(*([text] if pair is None else [text, pair])).ids} for text, pair in [(text, None) for text in CASES] + [tuple(pair) for pair in PAIRS]],
    }
    with open(MODELS / f"{name}.json.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(json.dumps(golden, separators=(",", ":")).encode())
    print(name, path.stat().st_size, "bytes,", len(tokens), "tokens")


def decoder(writer, config):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def main():
    blocks()
    small = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, bos_token_id=None, eos_token_id=None, pad_token_id=None)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

    # SmolLM2: tied, digits one by one, special tokens in front, values as in the files that are about.
    tokenizer = byte_pairs("smollm", pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()]), inside=special)
    config = LlamaConfig(**{**small, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}, vocab_size=tokenizer[1], head_dim=8, max_position_embeddings=256,
                         rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 100000.0})

    def smollm(writer):
        decoder(writer, config)
        writer.add_vocab_size(config.vocab_size)
        writer.add_rope_dimension_count(8)
        writer.add_add_bos_token(False)
        writer.add_add_space_prefix(False)
    model("smollm", gguf.MODEL_ARCH.LLAMA, LlamaForCausalLM, config, tokenizer, {"embed": Type.Q8_0, "q_proj": Type.Q4_1, "k_proj": Type.Q4_1, "v_proj": Type.Q4_0, "o_proj": Type.Q5_0, "mlp": Type.Q5_1}, smollm, 1, TEMPLATE)

    # Llama 3.1: scaled positions told by divisors of frequencies, an output of its own, the beginning before every text though no key says so.
    control = ["<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_pairs("llama-bpe", pattern(LLAMA3), ignore_merges=True, control=control, bos="<|begin_of_text|>")
    first = tokenizer[2].index("<|begin_of_text|>")
    config3 = LlamaConfig(**{**small, "bos_token_id": first, "eos_token_id": first + 1}, vocab_size=tokenizer[1], head_dim=8, max_position_embeddings=131072,
                          rms_norm_eps=1e-5, tie_word_embeddings=False, attention_bias=True, rope_parameters={
                              "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192})

    def llama3(writer):
        decoder(writer, config3)
        writer.add_vocab_size(config3.vocab_size)
        writer.add_rope_dimension_count(8)
    model("llama3", gguf.MODEL_ARCH.LLAMA, LlamaForCausalLM, config3, tokenizer, {"embed": Type.F16, "proj": Type.BF16, "lm_head": Type.Q8_0}, llama3, 2)

    # Mistral: pieces of sentencepiece, heads wider than their share of the width.
    tokenizer = pieces("fallback.model")
    config_m = LlamaConfig(**{**small, "bos_token_id": 1, "eos_token_id": 2}, vocab_size=tokenizer[1], head_dim=16, max_position_embeddings=512,
                           rms_norm_eps=1e-6, tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})

    def mistral(writer):
        decoder(writer, config_m)
        writer.add_key_length(16)
        writer.add_value_length(16)
        writer.add_rope_dimension_count(16)
    model("mistral", gguf.MODEL_ARCH.LLAMA, LlamaForCausalLM, config_m, tokenizer, {"embed": Type.Q4_0, "proj": Type.Q8_0, "lm_head": Type.Q8_0}, mistral, 3, TEMPLATE)

    # Qwen2: biases, rows as they are, composed texts, more embeddings than tokens, stretched positions.
    tokenizer = byte_pairs("qwen2", pattern(QWEN2), normalizer=normalizers.NFC(), control=special, padded=7)
    first = tokenizer[2].index("<|endoftext|>")
    config2 = Qwen2Config(**{**small, "bos_token_id": first, "eos_token_id": first + 2, "pad_token_id": first}, vocab_size=tokenizer[1], max_position_embeddings=1024,
                          rms_norm_eps=1e-6, tie_word_embeddings=True, rope_parameters={"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0, "original_max_position_embeddings": 256})

    def qwen2(writer):
        decoder(writer, config2)
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(4.0)
        writer.add_rope_scaling_orig_ctx_len(256)
        writer.add_add_bos_token(False)
    model("qwen2", gguf.MODEL_ARCH.QWEN2, Qwen2ForCausalLM, config2, tokenizer, {"embed": Type.Q8_0, "proj": Type.Q4_0}, qwen2, 4, TEMPLATE)

    # Qwen3: norms of queries and keys, a token that a person may type.
    tokenizer = byte_pairs("qwen2", pattern(QWEN2), normalizer=normalizers.NFC(), control=special, user_defined=["<think>", "</think>"])
    first = tokenizer[2].index("<|endoftext|>")
    config_3 = Qwen3Config(**{**small, "bos_token_id": first, "eos_token_id": first + 2, "pad_token_id": first}, vocab_size=tokenizer[1], head_dim=16, max_position_embeddings=1024,
                           rms_norm_eps=1e-6, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})

    def qwen3(writer):
        decoder(writer, config_3)
        writer.add_key_length(16)
        writer.add_value_length(16)
        writer.add_add_bos_token(False)
    model("qwen3", gguf.MODEL_ARCH.QWEN3, Qwen3ForCausalLM, config_3, tokenizer, {"embed": Type.Q8_0, "proj": Type.Q5_1}, qwen3, 5, TEMPLATE)

    # GPT-2: weights with the inputs first; an older file, which does not name its pre-tokenizer.
    tokenizer = byte_pairs(None, byte_level(), control=["<|endoftext|>"])
    last = tokenizer[1] - 1
    config_g = GPT2Config(vocab_size=tokenizer[1], n_embd=32, n_head=4, n_layer=2, n_positions=64, n_inner=96, bos_token_id=last, eos_token_id=last, pad_token_id=None, tie_word_embeddings=True)

    def gpt2(writer):
        writer.add_context_length(64)
        writer.add_embedding_length(32)
        writer.add_block_count(2)
        writer.add_feed_forward_length(96)
        writer.add_head_count(4)
        writer.add_layer_norm_eps(1e-5)
    model("gpt2", gguf.MODEL_ARCH.GPT2, GPT2LMHeadModel, config_g, tokenizer, {"wte": Type.Q8_0, "wpe": Type.F16, "c_attn": Type.Q4_1, "mlp": Type.Q8_0}, gpt2, 6)


if __name__ == "__main__":
    main()
