"""Golden files of the import of Marian's model files: a tiny student of random weights in every form that is read.

Writes crates/graftling/tests/golden/marian/: student.npz (entries stored, headers as Marian's own writer of arrays makes them), deflated.npz
(as numpy writes it), float32.bin, mixed.bin (matrices of 8 bits, the table of embeddings not) and intgemm8.bin (all of 8 bits, with multipliers
of activations and padding), two_tables.npz (a student with a vocabulary and a table for each language), and expected.json.gz: the config, digests of the weights as numpy has them, and tokens of a few texts. Run it with a
Python that has torch, transformers, numpy and sentencepiece:

    python tools/reference/marian_import.py

The forms are written down here from marian-dev's common/binary.cpp, common/types.h, 3rd_party/cnpy and graph/expression_graph_packable.h; what is
expected is each matrix as it was drawn, or as 8 bits hold it, turned so that it has a row for each output. Nothing of Marian runs here, and no
weights of a published model are used.
"""
import gzip
import hashlib
import importlib.metadata
import io
import json
import pathlib
import struct
import zipfile

import numpy
import sentencepiece

from golden import made_by

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/graftling/tests/golden/marian"
VOCABULARIES = ROOT / "crates/graftling-text/tests/golden/vocabularies"
TEXTS = ["The house is small.", "A film that I would see again, and again!", "", "  two  blanks ", "unknown signs: 北京 ü"]

WIDTH, HEADS, INNER, DECODER_INNER, ENCODER_LAYERS, DECODER_LAYERS = 8, 2, 12, 10, 2, 1
FLOAT32, INT8, INTGEMM8 = 0x404, 0x101, 0x4101


def settings(read: int, written: int, one_table: bool) -> str:
    """As the settings of a published student, but for its sizes and a few keys of newer versions."""
    yes_no = lambda value: "true" if value else "false"
    return f"""bert-train-type-embeddings: true
bert-type-vocab-size: 2
dec-cell: ssru
dec-cell-base-depth: 2
dec-cell-high-depth: 1
dec-depth: {DECODER_LAYERS}
dim-emb: {WIDTH}
dim-rnn: 1024
dim-vocabs:
  - {read}
  - {written}
enc-cell: gru
enc-cell-depth: 1
enc-depth: {ENCODER_LAYERS}
enc-type: bidirectional
factors-combine: sum
factors-dim-emb: 0
input-types:
  []
layer-normalization: false
lemma-dependency: ""
lemma-dim-emb: 0
output-omit-bias: false
right-left: false
skip: false
tied-embeddings: {yes_no(not one_table)}
tied-embeddings-all: {yes_no(one_table)}
tied-embeddings-src: false
transformer-aan-activation: swish
transformer-aan-depth: 2
transformer-aan-nogate: false
transformer-decoder-autoreg: rnn
transformer-decoder-dim-ffn: {DECODER_INNER}
transformer-decoder-ffn-depth: 0
transformer-dim-aan: 2048
transformer-dim-ffn: {INNER}
transformer-ffn-activation: swish
transformer-ffn-depth: 2
transformer-guided-alignment-layer: last
transformer-heads: {HEADS}
transformer-no-projection: false
transformer-pool: false
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-postprocess-top: ""
transformer-preprocess: ""
transformer-tied-layers: []
transformer-train-position-embeddings: false
type: transformer
ulr: false
ulr-dim-emb: 0
ulr-trainable-transformation: false
version: v1.12.0 0000000 2024-01-01 00:00:00 +0000"""


def shapes(tables: dict) -> dict:
    """The shape of every tensor in a file of Marian: a row for each input, vectors as matrices of one row. `tables` are names and sizes, the last
    one that of the target."""
    found = {name: (size, WIDTH) for name, size in tables.items()}
    found["decoder_ff_logit_out_b"] = (1, list(tables.values())[-1])

    def norm(part: str) -> None:
        found[f"{part}_ln_scale"], found[f"{part}_ln_bias"] = (1, WIDTH), (1, WIDTH)

    def attention(part: str) -> None:
        for letter in "qkvo":
            found[f"{part}_W{letter}"], found[f"{part}_b{letter}"] = (WIDTH, WIDTH), (1, WIDTH)
        norm(f"{part}_Wo")

    def feed_forward(part: str, inner: int) -> None:
        found[f"{part}_W1"], found[f"{part}_b1"] = (WIDTH, inner), (1, inner)
        found[f"{part}_W2"], found[f"{part}_b2"] = (inner, WIDTH), (1, WIDTH)
        norm(f"{part}_ffn")

    for layer in range(1, ENCODER_LAYERS + 1):
        attention(f"encoder_l{layer}_self")
        feed_forward(f"encoder_l{layer}_ffn", INNER)
    for layer in range(1, DECODER_LAYERS + 1):
        rnn = f"decoder_l{layer}_rnn"
        found[f"{rnn}_W"], found[f"{rnn}_Wf"], found[f"{rnn}_bf"] = (WIDTH, WIDTH), (WIDTH, WIDTH), (1, WIDTH)
        norm(f"{rnn}_ffn")
        attention(f"decoder_l{layer}_context")
        feed_forward(f"decoder_l{layer}_ffn", DECODER_INNER)
    return dict(sorted(found.items()))


def is_matrix(shape: tuple) -> bool:
    return shape[0] > 1


def is_table(name: str) -> bool:
    return name.endswith("Wemb")


def text_bytes(text: str) -> bytes:
    return text.encode() + b"\0"


def marian_array(descr: str, shape: tuple, data: bytes) -> bytes:
    """An array with the header of Marian's own writer: filled up with blanks to a multiple of 16, a line's end behind them."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''}), }}"
    header += " " * (15 - (10 + len(header)) % 16) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def npz(path: pathlib.Path, weights: dict, text: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, values in weights.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), marian_array("<f4", values.shape, values.tobytes()))
        data = text_bytes(text)
        archive.writestr(zipfile.ZipInfo("special:model.yml.npy"), marian_array("<i1", (len(data),), data))
    path.write_bytes(out.getvalue())


def deflated(path: pathlib.Path, weights: dict, text: str) -> None:
    special = numpy.frombuffer(text_bytes(text), numpy.int8)
    # A vector may have one dimension alone.
    shaped = {name: values.reshape(-1) if values.shape[0] == 1 else values for name, values in weights.items()}
    numpy.savez_compressed(path, **{"special:model.yml": special}, **shaped)


def quantised(name: str, values: numpy.ndarray) -> tuple:
    """Bytes and multiplier, as intgemm rounds; all matrices but the table of embeddings lie transposed."""
    stored = values if is_table(name) else values.T
    multiplier = numpy.float32(127.0) / numpy.abs(values).max()
    return numpy.clip(numpy.rint(stored * multiplier), -127, 127).astype(numpy.int8), multiplier


def binary(path: pathlib.Path, items: list) -> None:
    """`items` are names, types, shapes and bytes."""
    out = struct.pack("<QQ", 1, len(items))
    for name, kind, shape, data in items:
        out += struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data))
    out += b"".join(name.encode() + b"\0" for name, *_ in items)
    out += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    padding = (-(len(out) + 8)) % 256
    out += struct.pack("<Q", padding) + bytes(padding) + b"".join(data for *_, data in items)
    path.write_bytes(out)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 256)


def float_item(name: str, values: numpy.ndarray) -> tuple:
    return name, FLOAT32, values.shape, values.tobytes()


def byte_item(name: str, values: numpy.ndarray) -> tuple:
    stored, multiplier = quantised(name, values)
    return name, INTGEMM8, values.shape, padded(stored.tobytes() + multiplier.tobytes())


def expected(weights: dict) -> dict:
    """Each weight with a row for each output."""
    def described(name: str, values: numpy.ndarray) -> dict:
        turned = values if is_table(name) else values.T if is_matrix(values.shape) else values.reshape(-1)
        turned = numpy.ascontiguousarray(turned)
        return {"shape": list(turned.shape), "sha256": hashlib.sha256(turned.tobytes()).hexdigest(), "first": [float(x) for x in turned.reshape(-1)[:3]]}
    return {name: described(name, values) for name, values in weights.items()}


def rounded(name: str, values: numpy.ndarray) -> numpy.ndarray:
    """What 8 bits hold of a matrix, as it was drawn."""
    stored, multiplier = quantised(name, values)
    held = stored.astype(numpy.float32) * (numpy.float32(1) / multiplier)
    return held if is_table(name) else held.T


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    pieces, of_targets = [sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / f"marian-{side}.model")) for side in ("source", "target")]
    vocabulary, written = pieces.get_piece_size(), of_targets.get_piece_size()
    generator = numpy.random.default_rng(11)
    draw = lambda tables: {name: generator.standard_normal(shape).astype(numpy.float32) for name, shape in shapes(tables).items()}
    weights = draw({"Wemb": vocabulary})
    text = settings(vocabulary, vocabulary, one_table=True)
    special = ("special:model.yml", INT8, (len(text_bytes(text)),), text_bytes(text))
    npz(GOLDEN / "student.npz", weights, text)
    deflated(GOLDEN / "deflated.npz", weights, text)
    binary(GOLDEN / "float32.bin", [*[float_item(name, values) for name, values in weights.items()], special])
    mixed = {name for name, values in weights.items() if is_matrix(values.shape) and not is_table(name)}
    items = [byte_item(name, values) if name in mixed else float_item(name, values) for name, values in weights.items()]
    binary(GOLDEN / "mixed.bin", [*items, special])
    items = []
    for name, values in weights.items():
        if not is_matrix(values.shape):
            items.append(float_item(name, values))
            continue
        # The multiplier of the table's activations has the type of the table.
        alpha = padded(numpy.float32(17.5).tobytes())
        items += [byte_item(name, values), (f"{name}_QuantMultA", INTGEMM8 if is_table(name) else FLOAT32, (1, 1), alpha)]
    items.append(("none_QuantMultA", FLOAT32, (1, 1), padded(numpy.float32(9).tobytes())))
    binary(GOLDEN / "intgemm8.bin", [*items, special])
    of_each = draw({"encoder_Wemb": vocabulary, "decoder_Wemb": written})
    npz(GOLDEN / "two_tables.npz", of_each, settings(vocabulary, written, one_table=False))
    config = {
        "architectures": ["MarianSSRU"], "model_type": "marian-ssru", "vocab_size": vocabulary, "decoder_vocab_size": vocabulary, "d_model": WIDTH, "encoder_layers": ENCODER_LAYERS,
        "decoder_layers": DECODER_LAYERS, "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": INNER,
        "decoder_ffn_dim": DECODER_INNER, "activation_function": "silu", "layer_norm_eps": 1e-6, "norm": "post", "scale_embedding": True,
        "position": "sinusoidal (sin half, cos half)", "tie_embeddings": "all", "share_encoder_decoder_embeddings": True, "decoder_autoreg": "ssru", "pad_token_id": None,
        "eos_token_id": pieces.eos_id(), "unk_token_id": pieces.unk_id(), "decoder_start": "zero embedding", "dtype": "float32",
    }
    everything = {name: rounded(name, values) if is_matrix(values.shape) else values for name, values in weights.items()}
    golden = {
        "made_by": {**made_by("marian_import.py"), "sentencepiece": importlib.metadata.version("sentencepiece")},
        "config": config,
        "config_of_two": {**config, "decoder_vocab_size": written, "tie_embeddings": "target", "share_encoder_decoder_embeddings": False},
        "float32": expected(weights),
        "mixed": expected({name: rounded(name, values) if name in mixed else values for name, values in weights.items()}),
        "intgemm8": expected(everything),
        "two_tables": expected(of_each),
        "texts": [{"text": text, "input_ids": [*pieces.encode(text), pieces.eos_id()]} for text in TEXTS],
        "written": [{"text": text, "input_ids": [*of_targets.encode(text), of_targets.eos_id()]} for text in TEXTS],
    }
    with open(GOLDEN / "expected.json.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(json.dumps(golden, separators=(",", ":")).encode())
    for path in sorted(GOLDEN.iterdir()):
        print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
