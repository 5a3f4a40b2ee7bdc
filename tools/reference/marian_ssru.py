"""Makes crates/graftling-models/tests/golden/families/marian-ssru and marian-ssru-two: tiny student models of Marian, whose decoder has an SSRU in each
layer; the second has a vocabulary and a table of embeddings for each language, as models for Chinese or Japanese have.

    python tools/reference/marian_ssru.py

transformers has no such model. It is written down here from the papers (Vaswani et al. 2017; Kim et al. 2019, "From Research to Production
and Back", equation 1) and as Marian computes it: norms after sums, sines over one half of a vector and cosines over the other, the slowest
10,000 times slower than the fastest, one table for words on both sides and for logits, and a decoder that starts from a vector of zeros.
What is made is what families.py makes of every family, in double precision from single-precision weights: the checkpoint, batches, logits,
losses, every gradient, the weights after ten steps of AdamW; and the ids that greedy decoding writes from the sources of the first batch.
"""
import json
import math
from collections.abc import Iterator

import torch

from bert import GOLDEN, STEPS
from families import recipe, trained_run
from golden import made_by, write_json, write_tensors

CONFIG = {
    "architectures": ["MarianSSRU"], "model_type": "marian-ssru", "vocab_size": 40, "d_model": 12, "encoder_layers": 2, "decoder_layers": 3,
    "encoder_attention_heads": 2, "decoder_attention_heads": 3, "encoder_ffn_dim": 18, "decoder_ffn_dim": 14, "activation_function": "silu",
    "layer_norm_eps": 1e-3, "norm": "post", "scale_embedding": True, "position": "sinusoidal (sin half, cos half)", "tie_embeddings": "all",
    "decoder_autoreg": "ssru", "pad_token_id": None, "eos_token_id": 0, "unk_token_id": 1, "decoder_start": "zero embedding",
}
TWO_TABLES = {"vocab_size": 46, "decoder_vocab_size": 40, "tie_embeddings": "target", "share_encoder_decoder_embeddings": False}
VARIANTS = {"marian-ssru": CONFIG, "marian-ssru-two": {**CONFIG, **TWO_TABLES}}
WIDTH, END = CONFIG["d_model"], CONFIG["eos_token_id"]
LONGEST = 16


def main() -> None:
    torch.set_num_threads(1)
    for name, config in VARIANTS.items():
        make(name, config)


def make(name: str, config: dict) -> None:
    generator = torch.Generator().manual_seed(78)
    batches = [batch(config, generator) for _ in range(STEPS)]
    # A model of the first seed with which some text that it writes has several words: one word again and again would show little.
    draws = (drawn(config, seed) for seed in range(77, 277))
    weights = next(weights for weights in draws if any(len(set(text)) > 3 for text in written(config, weights, batches[0])))
    folder = GOLDEN / "families" / name / "seq2seq"
    write_tensors(folder / "model" / "model.safetensors", weights, "marian_ssru.py")
    (folder / "model" / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    outcome = run(config, weights, batches)
    write_tensors(folder / "expected.safetensors", outcome.pop("tensors"), "marian_ssru.py")
    texts = list(written(config, weights, batches[0]))
    write_json(folder / "batches.json", {"made_by": made_by("marian_ssru.py"), "recipe": recipe(), **outcome, "written": texts, "batches": batches})
    print(name, outcome["losses"][0], texts)


def tables(config: dict) -> dict:
    """The table of embeddings of the source and that of the target, which logits are made by: names and sizes."""
    if config["tie_embeddings"] == "all":
        return {"source": ("Wemb", config["vocab_size"]), "target": ("Wemb", config["vocab_size"])}
    return {"source": ("encoder_Wemb", config["vocab_size"]), "target": ("decoder_Wemb", config["decoder_vocab_size"])}


def start(config: dict) -> int:
    """What stands for no word: the id behind the vocabulary."""
    return tables(config)["target"][1]


def drawn(config: dict, seed: int) -> dict:
    torch.manual_seed(seed)
    return {name: centre(name) + spread(name, shape) * torch.randn(shape) for name, shape in shapes(config).items()}


def written(config: dict, weights: dict, one: dict) -> Iterator:
    """The ids that are written greedily from each source of a batch."""
    student = Student(config, {name: tensor.double() for name, tensor in weights.items()})
    with torch.no_grad():
        yield from (student.written(source) for source in one["input_ids"])


def shapes(config: dict) -> dict:
    """The shape of every weight, under Marian's name."""
    found = {name: (size, WIDTH) for name, size in tables(config).values()}
    found["decoder_ff_logit_out_b"] = (start(config),)

    def attention(part: str) -> None:
        for letter in "qkvo":
            found[f"{part}_W{letter}"], found[f"{part}_b{letter}"] = (WIDTH, WIDTH), (WIDTH,)
        norm(f"{part}_Wo")

    def norm(part: str) -> None:
        found[f"{part}_ln_scale"], found[f"{part}_ln_bias"] = (WIDTH,), (WIDTH,)

    for side in ("encoder", "decoder"):
        inner = CONFIG[f"{side}_ffn_dim"]
        for layer in range(1, CONFIG[f"{side}_layers"] + 1):
            prefix = f"{side}_l{layer}"
            if side == "encoder":
                attention(f"{prefix}_self")
            else:
                found[f"{prefix}_rnn_W"], found[f"{prefix}_rnn_Wf"], found[f"{prefix}_rnn_bf"] = (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH,)
                norm(f"{prefix}_rnn_ffn")
                attention(f"{prefix}_context")
            found[f"{prefix}_ffn_W1"], found[f"{prefix}_ffn_b1"] = (inner, WIDTH), (inner,)
            found[f"{prefix}_ffn_W2"], found[f"{prefix}_ffn_b2"] = (WIDTH, inner), (WIDTH,)
            norm(f"{prefix}_ffn_ffn")
    return found


def centre(name: str) -> float:
    return 1.0 if name.endswith("_ln_scale") else 0.0


def spread(name: str, shape: tuple) -> float:
    # Matrices so wide that the words before are not all that says what comes next.
    return 0.4 if len(shape) == 2 and not name.endswith("Wemb") else 0.2


def batch(config: dict, generator: torch.Generator) -> dict:
    def draw(side: str, count: int) -> list:
        return torch.randint(1, tables(config)[side][1], (count,), generator=generator).tolist()
    sources = [[*draw("source", length - 1), END] for length in (9, 1, 14, 5)]
    targets = [[*draw("target", length - 1), END] for length in (4, 6, 1, 12)]
    return {
        "input_ids": sources, "token_type_ids": [[0] * len(source) for source in sources],
        "decoder_input_ids": [[start(config), *target[:-1]] for target in targets], "token_labels": targets,
    }


class Student:
    """The model over a dict of weights by name."""

    def __init__(self, config: dict, weights: dict):
        self.config, self.weights = config, weights
        self.tables, self.start = {side: table for side, (table, _) in tables(config).items()}, start(config)

    def linear(self, x, weight: str, bias: str | None = None):
        return torch.nn.functional.linear(x, self.weights[weight], None if bias is None else self.weights[bias])

    def norm(self, x, part: str):
        return torch.nn.functional.layer_norm(x, (WIDTH,), self.weights[f"{part}_ln_scale"], self.weights[f"{part}_ln_bias"], CONFIG["layer_norm_eps"])

    def attention(self, queries, keys, part: str, heads: int):
        of_heads = lambda x, letter: self.linear(x, f"{part}_W{letter}", f"{part}_b{letter}").view(len(x), heads, -1).transpose(0, 1)
        query, key, value = of_heads(queries, "q"), of_heads(keys, "k"), of_heads(keys, "v")
        scores = query @ key.transpose(1, 2) / math.sqrt(WIDTH // heads)
        found = (torch.softmax(scores, -1) @ value).transpose(0, 1).reshape(len(queries), WIDTH)
        return self.norm(queries + self.linear(found, f"{part}_Wo", f"{part}_bo"), f"{part}_Wo")

    def feed_forward(self, x, part: str):
        inner = torch.nn.functional.silu(self.linear(x, f"{part}_W1", f"{part}_b1"))
        return self.norm(x + self.linear(inner, f"{part}_W2", f"{part}_b2"), f"{part}_ffn")

    def recurrence(self, x, part: str):
        gates, candidates = torch.sigmoid(self.linear(x, f"{part}_Wf", f"{part}_bf")), self.linear(x, f"{part}_W")
        state, states = torch.zeros(WIDTH, dtype=x.dtype), []
        for gate, candidate in zip(gates, candidates):
            state = gate * state + (1 - gate) * candidate
            states.append(state)
        return self.norm(x + torch.relu(torch.stack(states)), f"{part}_ffn")

    def embedded(self, side: str, ids: list):
        table = self.weights[self.tables[side]]
        rows = [torch.zeros(WIDTH, dtype=table.dtype) if side == "target" and token == self.start else table[token] * math.sqrt(WIDTH) for token in ids]
        pairs = torch.arange(WIDTH // 2, dtype=torch.double)
        angles = torch.arange(len(ids), dtype=torch.double)[:, None] * 10_000 ** (-pairs / (WIDTH // 2 - 1))
        return torch.stack(rows) + torch.cat([angles.sin(), angles.cos()], 1)

    def encoded(self, source: list):
        x = self.embedded("source", source)
        for layer in range(1, CONFIG["encoder_layers"] + 1):
            x = self.attention(x, x, f"encoder_l{layer}_self", CONFIG["encoder_attention_heads"])
            x = self.feed_forward(x, f"encoder_l{layer}_ffn")
        return x

    def logits(self, encoded, ids: list):
        x = self.embedded("target", ids)
        for layer in range(1, CONFIG["decoder_layers"] + 1):
            x = self.recurrence(x, f"decoder_l{layer}_rnn")
            x = self.attention(x, encoded, f"decoder_l{layer}_context", CONFIG["decoder_attention_heads"])
            x = self.feed_forward(x, f"decoder_l{layer}_ffn")
        return self.linear(x, self.tables["target"], "decoder_ff_logit_out_b")

    def written(self, source: list) -> list:
        encoded, ids = self.encoded(source), [self.start]
        while len(ids) <= LONGEST and ids[-1] != END:
            ids.append(self.logits(encoded, ids)[-1].argmax().item())
        return ids[1:]


def run(config: dict, weights: dict, batches: list) -> dict:
    named = {name: tensor.double().requires_grad_() for name, tensor in weights.items()}
    student = Student(config, named)

    def forward(one: dict) -> tuple:
        pairs = zip(one["input_ids"], one["decoder_input_ids"], strict=True)
        logits = torch.cat([student.logits(student.encoded(source), ids) for source, ids in pairs])
        return logits, torch.nn.functional.cross_entropy(logits, torch.tensor(sum(one["token_labels"], [])))
    return trained_run(named, lambda name: named[name].dim() == 1, batches, forward)


if __name__ == "__main__":
    main()
