"""Makes the golden files of crates/graftling-models/tests/parity.rs: what transformers computes for BERT.

    python tools/reference/bert.py tiny                          # makes the tiny model too
    python tools/reference/bert.py minilm --model FOLDER         # FOLDER holds all-MiniLM-L6-v2

Everything is computed in double precision from the single-precision weights and then rounded, so that a golden value carries no
noise of its own; `noise` in batches.json says how far transformers' own single precision is from it.

The recipe of the ten steps: torch.optim.AdamW, betas 0.9 / 0.999, weight decay 0.01 on everything but biases and LayerNorm weights;
gradients clipped to norm 1 by torch.nn.utils.clip_grad_norm_; learning rate of step t (from 0) = rate * (10 - t) / 10
(transformers' linear schedule without warm-up); step t sees batch t; the loss is the mean cross-entropy of the batch.
"""
import argparse
import copy
import csv
import json
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification, BertTokenizer

from golden import made_by, write_json, write_tensors

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/graftling-models/tests/golden"
STEPS = 10
WEIGHT_DECAY = 0.01
MAX_GRAD_NORM = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description="make the golden files of BERT")
    models = parser.add_subparsers(dest="model_name", required=True)
    models.add_parser("tiny")
    minilm_parser = models.add_parser("minilm")
    minilm_parser.add_argument("--model", required=True, type=Path, help="folder of all-MiniLM-L6-v2")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.model_name == "tiny":
        tiny(GOLDEN / "tiny-bert")
    else:
        minilm(arguments.model, GOLDEN / "minilm")


def tiny(folder: Path) -> None:
    """A tiny random BERT, and every value of its gradients and of its weights after one and after ten steps."""
    torch.manual_seed(20)
    model = tiny_model(folder / "model")
    generator = torch.Generator().manual_seed(21)
    lengths = [[1, 30, 2, 7, 30, 13, 4, 22], *([torch.randint(1, 31, (1,), generator=generator).item() for _ in range(6)] for _ in range(STEPS - 1))]
    batches = [random_batch(row, model.config, generator) for row in lengths]
    # An epsilon of 1e-6 (that of BERT's own training) keeps rounding noise from deciding the direction of a step: AdamW divides each
    # gradient by its size, and the gradient of a key's bias, zero in exact arithmetic, is nothing but noise.
    recipe = {"learning_rate": 1e-3, "epsilon": 1e-6}
    run = golden_run(model, batches, recipe)
    tensors = {"logits": run.logits}
    for prefix, values in [("gradient", run.gradients), ("step1", run.weights[1]), ("step10", run.weights[STEPS])]:
        tensors |= {f"{prefix}/{name}": value for name, value in values.items()}
    write_tensors(folder / "expected.safetensors", tensors, "bert.py tiny")
    write_json(folder / "batches.json", {"made_by": made_by("bert.py tiny"), **run.facts(recipe), "batches": batches})


def minilm(source: Path, folder: Path) -> None:
    """The real MiniLM with a new head of two classes: norms and sampled values of its gradients and of its weights after ten steps."""
    torch.manual_seed(22)
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2)
    tokenizer = AutoTokenizer.from_pretrained(source)
    batches = review_batches(tokenizer, 4)
    recipe = {"learning_rate": 2e-5, "epsilon": 1e-8}
    run = golden_run(model, batches, recipe)
    initial = dict(run.weights[0])
    tensors = {"logits": run.logits, "initial/classifier.weight": initial["classifier.weight"], "initial/classifier.bias": initial["classifier.bias"]}
    for name, gradient in run.gradients.items():
        indices = sampled_indices(gradient)
        tensors |= {
            f"indices/{name}": indices,
            f"gradient/{name}": gradient.flatten()[indices],
            f"gradient_norm/{name}": gradient.norm().reshape(1),
            f"step0/{name}": initial[name].flatten()[indices],
            f"step10/{name}": run.weights[STEPS][name].flatten()[indices],
        }
    write_tensors(folder / "expected.safetensors", tensors, "bert.py minilm")
    write_json(folder / "batches.json", {"made_by": made_by("bert.py minilm"), **run.facts(recipe), "batches": batches})


def tiny_model(folder: Path) -> BertForSequenceClassification:
    """Makes and saves a BERT of 2 layers whose biases and norms are random as well, with a vocabulary of real words and characters."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = "the a of and film movie story is was not very good bad great dull i it this that never again ! , . ' ?".split()
    words = [word for word in words if len(word) > 1 or not word.isalpha()]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words, *"这部电影很好不看", "##ly", "##ing", "##ed"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)}, model_max_length=64)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.2,
        id2label={0: "negative", 1: "neutral", 2: "positive"}, label2id={"negative": 0, "neutral": 1, "positive": 2},
        problem_type="single_label_classification",
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.copy_(centre + 0.2 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    return model


def random_batch(lengths: list, config: BertConfig, generator: torch.Generator) -> dict:
    """Sequences of these lengths with random ids; from each sequence's middle on, the second token type in every other sequence."""
    def draw(limit: int, count: int, first: int = 0) -> list:
        return torch.randint(first, limit, (count,), generator=generator).tolist()
    # Never id 0, the padding: torch gives its embedding no gradient, and a packed batch holds none.
    return {
        "input_ids": [draw(config.vocab_size, length, first=1) for length in lengths],
        "token_type_ids": [[int(index % 2 == 1 and place >= length // 2) for place in range(length)] for index, length in enumerate(lengths)],
        "labels": draw(config.num_labels, len(lengths)),
    }


def review_batches(tokenizer, size: int) -> list:
    """The first texts of sentiment-movie's test set, `size` in a batch, as they come; negative is class 0."""
    with open(ROOT / "data/sentiment-movie/test.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[: size * STEPS]
    encoded = tokenizer([row["text"] for row in rows])
    labels = [["negative", "positive"].index(row["label"]) for row in rows]
    cuts = [slice(start, start + size) for start in range(0, len(rows), size)]
    return [{"input_ids": encoded["input_ids"][cut], "token_type_ids": encoded["token_type_ids"][cut], "labels": labels[cut]} for cut in cuts]


def sampled_indices(gradient: torch.Tensor) -> torch.Tensor:
    """64 places of a tensor (all of a smaller one): the 32 of the largest gradient and 32 at equal distances."""
    if gradient.numel() <= 64:
        return torch.arange(gradient.numel())
    largest = gradient.flatten().abs().topk(32).indices
    return torch.cat([largest, torch.arange(32) * gradient.numel() // 32])


class GoldenRun:
    """What one precision computes: logits, loss and gradients of the first batch, then weights, losses and norms of ten steps."""

    def __init__(self, model, batches: list, recipe: dict, precision: torch.dtype):
        model = copy.deepcopy(model).to(precision).train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for config in {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}.values():
            config._attn_implementation = "eager"
            config.attention_probs_dropout_prob = config.hidden_dropout_prob = 0.0
        named = dict(model.named_parameters())
        decayed = [parameter for name, parameter in named.items() if not plain(name)]
        kept = [parameter for name, parameter in named.items() if plain(name)]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": kept, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=recipe["learning_rate"], eps=recipe["epsilon"], betas=(0.9, 0.999))
        snapshot = lambda: {name: parameter.detach().clone() for name, parameter in named.items()}
        self.weights, self.losses, self.gradient_norms = {0: snapshot()}, [], []
        for step, batch in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = recipe["learning_rate"] * (STEPS - step) / STEPS
            optimizer.zero_grad()
            output = model(**padded(batch))
            output.loss.backward()
            missing = [name for name, parameter in named.items() if parameter.grad is None]
            assert not missing, f"no gradient for {missing}"
            if step == 0:
                self.logits = output.logits.detach()
                self.gradients = {name: parameter.grad.clone() for name, parameter in named.items()}
            self.losses.append(output.loss.item())
            self.gradient_norms.append(torch.nn.utils.clip_grad_norm_(named.values(), MAX_GRAD_NORM).item())
            optimizer.step()
            self.weights[step + 1] = snapshot()

    def facts(self, recipe: dict) -> dict:
        optimizer = {"name": "AdamW", **recipe, "beta1": 0.9, "beta2": 0.999, "weight_decay": WEIGHT_DECAY, "no_weight_decay": ["*.bias", "*LayerNorm.weight"]}
        schedule = "learning_rate * (10 - step) / 10, step from 0"
        return {
            "recipe": {"optimizer": optimizer, "schedule": schedule, "max_grad_norm": MAX_GRAD_NORM, "dropout": 0.0, "steps": STEPS},
            "noise": self.noise, "loss": self.losses[0], "losses": self.losses, "gradient_norms": self.gradient_norms,
        }


def golden_run(model, batches: list, recipe: dict) -> GoldenRun:
    """The run in double precision, which also knows how far single precision is from it."""
    exact = GoldenRun(model, batches, recipe, torch.float64)
    single = GoldenRun(model, batches, recipe, torch.float32)
    names = [name for name in exact.gradients if not name.endswith("attention.self.key.bias")]
    relative = lambda name: ((single.gradients[name] - exact.gradients[name]).norm() / exact.gradients[name].norm()).item()
    apart = lambda name, step: (single.weights[step][name] - exact.weights[step][name]).abs().max().item()
    worst = max(exact.gradients, key=lambda name: apart(name, STEPS))
    moved = lambda run, name: run.weights[STEPS][name].double() - run.weights[0][name].double()
    drift = {name: ((moved(single, name) - moved(exact, name)).norm() / moved(exact, name).norm()).item() for name in names}
    exact.noise = {
        "about": "torch in single against double precision",
        "logits": (single.logits - exact.logits).abs().max().item(),
        "loss": max(abs(a - b) for a, b in zip(single.losses, exact.losses)),
        "gradient, relative to its norm, key biases apart": max(map(relative, names)),
        "weights after step 10": apart(worst, STEPS),
        "weights after step 10, worst parameter": worst,
        "movement of ten steps, relative to its norm, key biases apart": max(drift.values()),
    }
    print(json.dumps(exact.noise, indent=1))
    return exact


def plain(name: str) -> bool:
    """Whether a parameter is a bias or a norm's weight, which no weight decay shall pull."""
    return name.endswith(".bias") or name.endswith("LayerNorm.weight")


def padded(batch: dict) -> dict:
    """The batch as transformers wants it: padded with zeros on the right, and masked."""
    pad = lambda rows: torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    mask = pad([[1] * len(row) for row in batch["input_ids"]])
    return {"input_ids": pad(batch["input_ids"]), "token_type_ids": pad(batch["token_type_ids"]), "attention_mask": mask, "labels": torch.tensor(batch["labels"])}


if __name__ == "__main__":
    main()
