"""Runs graftling and its peers in turns and writes the table. Started by `benches/peers/run`, which prepares everything.

Same weights, texts, batch size and thread count on every side. Each round runs every side once, one after the other, so that a change of the
machine's load hits all of them; ratios are taken within a round.
"""
import argparse
import csv
import json
import re
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import inputs
import table
from processes import Run, run

HERE = Path(__file__).resolve().parent
ROWS = ["minilm", "base", "minilm-full", "base-full", "command", "cold", "file", "words", "pairs", "tags", "decoder", "translator", "writing"]
BATCH_SIZE = 32
MAX_LENGTH = 128
# Texts for each row: enough for a minute of the slowest side. 1600 is one round of the Trainer's sorting by length (50 batches).
# Of the other tasks, all of ner-address and the first so many of the others.
TEXTS = {"words": None, "pairs": 800, "tags": 480, "decoder": 64, "translator": 480, "writing": 64, "minilm": 1600, "base": 320, "minilm-full": 320, "base-full": 96, "command": None, "cold": None, "file": None}
QUICK_TEXTS = {"words": 64, "pairs": 64, "tags": 32, "decoder": 8, "translator": 32, "writing": 8, "minilm": 64, "base": 32, "minilm-full": 32, "base-full": 32, "command": 96, "cold": None, "file": 64}
# The least that issue 2 asks of us: speed against the Trainer's defaults, against its best, and memory.
BOUNDS = {
    "minilm": ("2.5x", "1.3x", "0.45x"),
    "base": ("2.0x", "1.2x", "0.70x"),
    "minilm-full": ("1.25x", "1.25x", "0.45x"),
    "base-full": ("0.95x", "0.95x", "0.70x"),
}
# Rows of other tasks than sentiment: the set, the task, passes over it.
TASKS = {
    "words": ("ner-address", "token_classification", 3),
    "pairs": ("sentence-pairs-deb", "sequence_classification", 1),
    "tags": ("deb-tags", "multi_label_classification", 1),
}
# Of a decoder fewer examples at once, and longer ones.
DECODER_BATCH, DECODER_LENGTH = 16, 320
BEAMS, WRITTEN_TOKENS = 4, 32
ONE_TEXT = "An utterly charming film with a big heart."
# Two right programs may disagree on a text whose classes are level but for rounding.
SAME_LABELS = 0.999


@dataclass
class Bench:
    """What every comparison needs."""

    graftling: Path
    model: Path
    work: Path
    rounds: int
    threads: int
    texts: dict
    peak_gflops: float
    loads: list
    data: Path | None
    decoder: Path | None
    spm: Path | None

    def run(self, command: list) -> Run:
        finished = run(command)
        self.loads.append(finished.load)
        print(f"  {Path(str(command[0])).name} {Path(str(command[1])).name}: {finished.wall_s:.1f} s", file=sys.stderr)
        return finished

    def alternate(self, sides: dict) -> dict:
        """Every side once a round."""
        runs = {name: [] for name in sides}
        for number in range(self.rounds):
            print(f" round {number + 1} of {self.rounds}", file=sys.stderr)
            for name, side in sides.items():
                runs[name].append(side())
        return runs

    def ours(self, model: Path, train: Path, task: str = "sequence_classification", epochs: int = 1, validation: Path | None = None,
             batch: tuple = (BATCH_SIZE, MAX_LENGTH)) -> Run:
        """`graftling train`; the validation file it wants is short, for the Trainer has none."""
        output = fresh(self.work / "run")
        validation = validation or inputs.first_texts("validation", 32, self.work / "validation.csv")
        finished = self.run([
            self.graftling, "train", "--model", model, "--task", task, "--train", train, "--validation", validation,
            "--output", output, "--epochs", epochs, "--batch-size", batch[0], "--learning-rate", 1e-4, "--max-length", batch[1],
            "--threads", self.threads,
        ])
        finished.said = json.loads((output / "all_results.json").read_text())
        return finished

    def trainer(self, config: str, model: Path, train: Path, *more, epochs: int = 1, batch: tuple = (BATCH_SIZE, MAX_LENGTH)) -> Run:
        output = fresh(self.work / f"trainer-{config}")
        return self.run([
            sys.executable, HERE / "trainer.py", model, train, output, "--config", config, "--epochs", epochs, "--batch-size", batch[0],
            "--learning-rate", 1e-4, "--max-length", batch[1], "--threads", self.threads, "--started", "{now}", *more,
        ])

    def trained(self) -> Path:
        """A fine-tuned MiniLM, made once."""
        kept = self.work / "fine-tuned"
        if not (kept / "model.safetensors").is_file():
            self.ours(self.model, inputs.first_texts("train", 320, self.work / "fine-tuning.csv"))
            shutil.move(self.work / "run", fresh(kept))
        return kept


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ["graftling", "matmul-peak", "model", "work", "results"]:
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--decoder", type=Path)
    parser.add_argument("--spm", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    rows = arguments.only.split(",") if arguments.only else [row for row in ROWS if wanted(row, arguments)]
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        parser.error(f"--only: {', '.join(unknown)} is not one of {', '.join(ROWS)}")
    if arguments.data is None and set(rows) & set(TASKS):
        parser.error(f"--data: the folder with {', '.join(TASKS[row][0] for row in rows if row in TASKS)} is wanted")
    if "decoder" in rows and not (arguments.data and arguments.decoder):
        parser.error("--data: the folder with summarization-deb is wanted; --decoder: the folder of SmolLM2-135M")
    if {"translator", "writing"} & set(rows) and not (arguments.data and arguments.spm):
        parser.error("--data: the folder with translation-en-pt is wanted; --spm: a SentencePiece model for both of its languages")
    peak = run([arguments.matmul_peak]).said
    bench = Bench(
        graftling=arguments.graftling, model=arguments.model, work=arguments.work / "work", rounds=1 if arguments.quick else arguments.rounds,
        threads=arguments.threads, texts=QUICK_TEXTS if arguments.quick else TEXTS,
        peak_gflops=peak["gflops_1" if arguments.threads == 1 else "gflops_2"], loads=[],
        data=arguments.data, decoder=arguments.decoder, spm=arguments.spm,
    )
    lines = []
    for row in rows:
        print(row, file=sys.stderr)
        if row in TASKS:
            lines += of_task(bench, row)
        else:
            lines += OTHER_ROWS[row](bench) if row in OTHER_ROWS else training(bench, row)
    facts = {**table.machine(bench.threads, bench.loads), "rounds": bench.rounds}
    facts["matrix product alone"] = f"{peak['gflops_1']:.0f} GFLOP/s with 1 thread, {peak['gflops_2']:.0f} with 2 (ours; `matmul_peak`)"
    text = table.entry(("A smoke run, no figures: " if arguments.quick else "") + ", ".join(rows), facts, lines)
    print(text)
    if not arguments.quick:
        table.append(arguments.results, text)


def wanted(row: str, arguments) -> bool:
    """Whether a row is compared where none is named: where what it needs is given."""
    if row == "decoder":
        return bool(arguments.data and arguments.decoder)
    if row in ("translator", "writing"):
        return bool(arguments.data and arguments.spm)
    return row not in TASKS or bool(arguments.data)


def training(bench: Bench, row: str) -> list:
    """Real tokens a second while training, share of the matrix product's peak, and peak memory of the whole command."""
    shape, full = row.split("-")[0], row.endswith("-full")
    model = bench.model if shape == "minilm" else inputs.bert_base(bench.model, bench.work / "bert-base")
    path, count = bench.work / f"{row}.csv", bench.texts[row]
    work = inputs.work(inputs.full_texts(count, path) if full else inputs.first_texts("train", count, path), model, MAX_LENGTH)
    # With every text equally long there is nothing to group: the Trainer's defaults are its best.
    configs = ["default"] if full else ["default", "best"]
    sides = {config: lambda config=config: bench.trainer(config, model, work.path) for config in configs}
    runs = bench.alternate({**sides, "ours": lambda: bench.ours(model, work.path)})
    rate = {name: [one.said["train_tokens_per_second"] for one in of] for name, of in runs.items()}
    for name in runs:
        assert all(one.said["train_tokens"] == work.tokens for one in runs[name]), f"{name}: trained on other tokens than the {work.tokens} counted"
    share = lambda values: f"{statistics.median(values) * work.training_mflop_per_token / bench.peak_gflops / 1e3:.0%}"
    peak = {name: [one.peak_bytes / 1e6 for one in of] for name, of in runs.items()}
    title = f"{'MiniLM' if shape == 'minilm' else 'BERT-base shape'}, {'128 tokens each' if full else 'real lengths'}"
    size = f"{work.texts} texts, {work.tokens / work.texts:.1f} tokens, {work.training_mflop_per_token:.0f} MFLOP a token"
    lines = []
    for name, bound in zip(configs, BOUNDS[row]):
        cells = [f"{table.middle(rate[side])} tokens/s ({share(rate[side])} of peak)" for side in ("ours", name)]
        lines.append(table.line(f"training, {title} ({size}), Trainer {name}", *cells, table.ratio(rate["ours"], rate[name]), f">= {bound}"))
    for name in configs:
        cells = [f"{table.middle(peak[side])} MB" for side in ("ours", name)]
        lines.append(table.line(f"peak memory, {title}, Trainer {name}", *cells, table.ratio(peak["ours"], peak[name]), f"<= {BOUNDS[row][2]}"))
    return lines


def of_task(bench: Bench, row: str) -> list:
    """Real tokens a second of training and peak memory of the whole command, on a set of another task, against the Trainer's two configurations."""
    name, task, epochs = TASKS[row]
    train = inputs.first_rows(bench.data / name, "train", bench.texts[row], bench.work)
    # Of the training examples, so that it has no label that they have not.
    validation = inputs.first_rows(bench.data / name, "train", 32, bench.work)
    title = f"training, MiniLM, {name} ({task})"
    return training(bench, bench.model, task, (train, validation), (BATCH_SIZE, MAX_LENGTH), title, {"default": (">= 2x", "-"), "best": ("-", None)}, epochs)


def decoder(bench: Bench) -> list:
    """Real tokens a second of fine-tuning SmolLM2 on prompts with completions, and peak memory of the whole command."""
    train = inputs.prompts(bench.data / "summarization-deb", bench.texts["decoder"], bench.work)
    validation = inputs.prompts(bench.data / "summarization-deb", 4, bench.work)
    title = f"fine-tuning, {bench.decoder.name}, prompts and completions"
    bounds = dict.fromkeys(("default", "best"), (">= 1.6x", "<= 0.5x"))
    return training(bench, bench.decoder, "causal_lm", (train, validation), (DECODER_BATCH, DECODER_LENGTH), title, bounds)


def translator(bench: Bench) -> list:
    """The same of a Marian of the shape of OPUS-MT's base models, from sentences to sentences; the tokens of both are counted."""
    folder = inputs.marian(bench.spm, bench.work / "marian-base")
    train, validation = (inputs.first_rows(bench.data / "translation-en-pt", "train", count, bench.work) for count in (bench.texts["translator"], 8))
    title = "training, Marian base shape, translation-en-pt"
    bounds = dict.fromkeys(("default", "best"), (">= 2x", "<= 0.5x"))
    return training(bench, folder, "translation", (train, validation), (BATCH_SIZE, MAX_LENGTH), title, bounds)


def writing(bench: Bench) -> list:
    """Seconds from sources to texts by beams, everything at once, with a model that is loaded; and of the whole commands."""
    folder = inputs.marian(bench.spm, bench.work / "marian-base")
    sources = inputs.first_rows(bench.data / "translation-en-pt", "test", bench.texts["writing"], bench.work)
    output = bench.work / "written.jsonl"
    peer = lambda name: bench.run([
        sys.executable, HERE / "seq2seq_generate.py", folder, sources, "--peer", name, "--converted", bench.work / "marian-ct2", "--beams", BEAMS,
        "--tokens", WRITTEN_TOKENS, "--threads", bench.threads,
    ])

    def ours() -> Run:
        output.unlink(missing_ok=True)
        finished = bench.run([
            bench.graftling, "generate", "--model", folder, "--input", sources, "--text-column", "source", "--output", output, "--num-beams", BEAMS,
            "--min-new-tokens", WRITTEN_TOKENS, "--max-new-tokens", WRITTEN_TOKENS, "--threads", bench.threads,
        ])
        # "wrote FILE for 64 prompts: 2,048 tokens in 5.3 s (386 tokens/s)"
        tokens, rate = (int(figure.replace(",", "")) for figure in re.search(r": ([\d,]+) tokens in .*\(([\d,]+) tokens/s\)", finished.told).groups())
        finished.said = {"tokens": tokens, "write_s": tokens / rate}
        return finished

    runs = bench.alternate({"transformers": lambda: peer("transformers"), "ctranslate2": lambda: peer("ctranslate2"), "ours": ours})
    lines = []
    for name, bound in (("transformers", ">= 3x"), ("ctranslate2", ">= 0.9x")):
        wanted, written = bench.texts["writing"] * WRITTEN_TOKENS, {one.said["tokens"] for side in ("ours", name) for one in runs[side]}
        assert written == {wanted}, f"ours and {name} wrote {written} tokens, not {wanted}"
        title = f"writing, Marian base shape, {bench.texts['writing']} sources, {BEAMS} beams of {WRITTEN_TOKENS} tokens, {name}"
        for what, seconds, its_bound in (("", lambda one: one.said["write_s"], bound), (", whole commands", lambda one: one.wall_s, "")):
            ours_s, peer_s = ([seconds(one) for one in runs[side]] for side in ("ours", name))
            cells = [f"{table.middle(values, '{:.2f}')} s" for values in (ours_s, peer_s)]
            lines.append(table.line(title + what, *cells, table.ratio(peer_s, ours_s), its_bound))
    return lines


def training(bench: Bench, model: Path, task: str, files: tuple, batch: tuple, title: str, bounds: dict, epochs: int = 1) -> list:
    """Real tokens a second of training and peak memory of the whole command. For each configuration the bounds of both; no line where there is none."""
    train, validation = files
    runs = bench.alternate({
        **{config: lambda config=config: bench.trainer(config, model, train, "--task", task, epochs=epochs, batch=batch) for config in bounds},
        "ours": lambda: bench.ours(model, train, task, epochs, validation, batch),
    })
    tokens = {name: {one.said["train_tokens"] for one in of} for name, of in runs.items()}
    assert len(set.union(*tokens.values())) == 1, f"{title}: not the same tokens: {tokens}"
    rate = {name: [one.said["train_tokens_per_second"] for one in of] for name, of in runs.items()}
    peak = {name: [one.peak_bytes / 1e6 for one in of] for name, of in runs.items()}
    lines = []
    for config, (of_rate, of_peak) in bounds.items():
        cells = [f"{table.middle(rate[side])} tokens/s" for side in ("ours", config)]
        lines.append(table.line(f"{title}, batches of {batch[0]}, Trainer {config}", *cells, table.ratio(rate["ours"], rate[config]), of_rate))
        if of_peak is not None:
            cells = [f"{table.middle(peak[side])} MB" for side in ("ours", config)]
            lines.append(table.line(f"peak memory, the same, Trainer {config}", *cells, table.ratio(peak["ours"], peak[config]), of_peak))
    return lines


def command(bench: Bench) -> list:
    """From the command to the saved model, one epoch, and the accuracy of what was saved."""
    train = inputs.first_texts("train", bench.texts["command"], bench.work / "command.csv")
    test = inputs.DATA / "test.csv"

    def ours() -> Run:
        finished = bench.ours(bench.model, train)
        evaluated = bench.run([bench.graftling, "evaluate", "--model", bench.work / "run", "--data", test, "--json"])
        return Run(finished.wall_s, finished.peak_bytes, finished.load, {"saved": finished.wall_s, "test_accuracy": evaluated.said["eval_accuracy"]})

    def trainer(config: str) -> Run:
        finished = bench.trainer(config, bench.model, train, "--test", test)
        finished.said["saved"] = finished.said["command_to_saved_model_s"]
        return finished

    runs = bench.alternate({"default": lambda: trainer("default"), "best": lambda: trainer("best"), "ours": ours})
    wall = {name: [one.said["saved"] for one in of] for name, of in runs.items()}
    accuracy = {name: table.middle([one.said["test_accuracy"] for one in of], "{:.4f}") for name, of in runs.items()}
    cell = lambda side: f"{table.middle(wall[side], '{:.1f}')} s, test accuracy {accuracy[side]}"
    bounds = {"default": ">= 2.5x", "best": ">= 1.4x"}
    title = "from command to saved model, MiniLM, one epoch of sentiment-movie"
    return [table.line(f"{title}, Trainer {name}", cell("ours"), cell(name), table.ratio(wall[name], wall["ours"]), bound) for name, bound in bounds.items()]


def cold(bench: Bench) -> list:
    """One text from the shell, everything loaded anew (the files are in the system's cache)."""
    folder = bench.trained()
    runs = bench.alternate({
        "peer": lambda: bench.run([sys.executable, HERE / "pipeline_predict.py", folder, ONE_TEXT]),
        "ours": lambda: bench.run([bench.graftling, "predict", "--model", folder, "--text", ONE_TEXT]),
    })
    wall = {name: [one.wall_s for one in of] for name, of in runs.items()}
    cells = [f"{table.middle(wall[side], '{:.2f}')} s" for side in ("ours", "peer")]
    return [table.line("one text, cold, from the shell, transformers' pipeline", *cells, table.ratio(wall["peer"], wall["ours"]), "< 0.3 s")]


def file(bench: Bench) -> list:
    """A file of texts. Our whole command, against the peer's whole command and against its prediction alone (nothing imported or loaded)."""
    folder, exported = bench.trained(), bench.work / "fine-tuned.onnx"
    bench.run([sys.executable, HERE / "onnx_export.py", folder, exported])
    texts = inputs.first_texts("train", bench.texts["file"], bench.work / "file.csv")
    output = {name: bench.work / f"predictions-{name}.csv" for name in ("ours", "file", "length")}
    peer = lambda order: bench.run([
        sys.executable, HERE / "onnx_predict.py", exported, folder, texts, output[order], "--order", order, "--threads", bench.threads,
        "--batch-size", BATCH_SIZE,
    ])
    ours = [bench.graftling, "predict", "--model", folder, "--input", texts, "--output", output["ours"], "--threads", bench.threads]

    def our_turn() -> Run:
        output["ours"].unlink(missing_ok=True)
        return bench.run(ours)

    runs = bench.alternate({"file": lambda: peer("file"), "length": lambda: peer("length"), "ours": our_turn})
    wall = {name: [one.wall_s for one in of] for name, of in runs.items()}
    alone = {name: [one.said["predict_s"] for one in runs[name]] for name in ("file", "length")}
    for order in ("file", "length"):
        same = agreement(output["ours"], output[order])
        assert same >= SAME_LABELS, f"file: only {same:.2%} of the labels are those of onnxruntime"
    count = sum(1 for _ in open_rows(texts))
    lines = []
    for order in ("file", "length"):
        for how, seconds in (("whole command", wall[order]), ("against its prediction alone", alone[order])):
            cells = [f"{table.middle(values, '{:.2f}')} s" for values in (wall["ours"], seconds)]
            title = f"predict over a file ({count} texts, {order} order for the peer), onnxruntime fp32, {how}"
            lines.append(table.line(title, *cells, table.ratio(seconds, wall["ours"]), ">= 1.2x"))
    return lines


def agreement(ours: Path, theirs: Path) -> float:
    """The share of equal labels, row by row; the rows must be as many."""
    labels = [[row["predicted_label"] for row in open_rows(path)] for path in (ours, theirs)]
    return statistics.mean(mine == other for mine, other in zip(*labels, strict=True))


def open_rows(path: Path):
    with open(path, encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def fresh(folder: Path) -> Path:
    """The place of a folder, with nothing there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


OTHER_ROWS = {"decoder": decoder, "translator": translator, "writing": writing, "command": command, "cold": cold, "file": file}

if __name__ == "__main__":
    main()
