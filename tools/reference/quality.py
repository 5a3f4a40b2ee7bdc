"""Test figures of graftling and of transformers with the same recipe, over seeds, on sets of every task.

    python tools/reference/quality.py --graftling BINARY --model FOLDER --data FOLDER [--sets NAME,NAME] [--seeds 42,43,44]
        [--sides ours,transformers] [--epochs 3] [--learning-rate 1e-4] ... [--log FILE]

--data holds a folder for each set with train, validation and test as csv, jsonl or conll. Each finished run is one line of the log file, and a
run that stands there is not run again: the seeds can be spread over several calls. At the end a table of means and standard deviations.

Both sides: AdamW, linear decay after warm-up, clipping at 1, dropout of the model's config, an evaluation on the validation file after
each epoch, and the epoch with the best validation figure is the one that is tested: accuracy; micro F1 of several labels; mean squared error
of numbers (the test's figure is Pearson's correlation); entity F1 in seqeval's default mode (the test's figure is its strict mode). Extra words
for our side alone go after --ours, such as `--ours "--long-texts windows --max-length 256"`. The Trainer may put texts of like length in a
batch (`--group-by-length`), which is faster and another order, nothing else.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from peer_tasks import PeerTask, data_file, read_rows

# What a set asks for: the task, the test's figure under our name, and what TF-IDF of 1-2 grams with logistic (or ridge) regression reaches on the same
# test file (data/*/README.md; the shared data's description).
SETS = {
    "sentiment-movie": ("sequence_classification", "accuracy", 0.803),
    "deb-section": ("sequence_classification", "accuracy", 0.8146),
    "spam-mail": ("sequence_classification", "accuracy", 0.9796),
    "sentence-pairs-deb": ("sequence_classification", "accuracy", 0.7887),
    "sentiment-zh-reviews": ("sequence_classification", "accuracy", 0.8274),
    "deb-tags": ("multi_label_classification", "f1_micro", 0.6002),
    "sentiment-intensity": ("sequence_regression", "pearson", 0.704),
    "ner-address": ("token_classification", "strict_f1", None),
}
USUAL = "sentiment-movie,deb-section,spam-mail"


def main() -> None:
    parser = argparse.ArgumentParser(description="compare test accuracy over seeds")
    parser.add_argument("--graftling", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=USUAL)
    parser.add_argument("--seeds", default="42,43,44")
    parser.add_argument("--sides", default="ours,transformers")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ours", default="", help="further words for our command line")
    parser.add_argument("--group-by-length", action="store_true")
    parser.add_argument("--log", type=Path, default=Path("target/quality.jsonl"))
    arguments = parser.parse_args()
    sides = arguments.sides.split(",")
    if set(sides) - {"ours", "transformers"}:
        parser.error("--sides: ours, transformers or both with a comma")
    if "ours" in sides and arguments.graftling is None:
        parser.error("--graftling: the binary is wanted")
    for name in arguments.sets.split(","):
        for seed in map(int, arguments.seeds.split(",")):
            for side in sides:
                once(side, name, seed, arguments)
    report(read_log(arguments.log), recipe(arguments), arguments.sets.split(","), arguments.seeds)


def recipe(arguments) -> dict:
    """What makes two runs comparable."""
    names = ["epochs", "learning_rate", "batch_size", "warmup", "max_length"]
    return {"model": arguments.model.name, **({"ours": arguments.ours} if arguments.ours else {}), **{name: getattr(arguments, name) for name in names}}


def once(side: str, name: str, seed: int, arguments) -> None:
    """One run, unless the log has it."""
    key = {"side": side, "set": name, "seed": seed, **recipe(arguments)}
    if any(is_of(line, key) for line in read_log(arguments.log)):
        return
    files = {split: data_file(arguments.data / name, split) for split in ("train", "validation", "test")}
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        figure = (by_graftling if side == "ours" else by_transformers)(name, files, seed, Path(folder), arguments)
    line = {**key, f"test_{SETS[name][1]}": figure, "seconds": round(time.time() - began)}
    print(json.dumps(line), flush=True)
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.log, "a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def by_graftling(name: str, files: dict, seed: int, folder: Path, arguments) -> float:
    task, figure, _ = SETS[name]
    words = [
        arguments.graftling, "train", "--model", arguments.model, "--task", task, "--output", folder / "run",
        *[word for split, path in files.items() for word in (f"--{split}", path)],
        "--epochs", arguments.epochs, "--learning-rate", arguments.learning_rate, "--batch-size", arguments.batch_size,
        "--warmup", arguments.warmup, "--threads", arguments.threads, "--seed", seed,
        *(["--max-length", arguments.max_length] if "--max-length" not in arguments.ours else []), *arguments.ours.split(),
    ]
    subprocess.run(list(map(str, words)), stdout=subprocess.DEVNULL, check=True)
    return json.loads((folder / "run/all_results.json").read_text(encoding="utf-8"))[f"test_{figure}"]


def by_transformers(name: str, files: dict, seed: int, folder: Path, arguments) -> float:
    """The Trainer with our recipe; imported here, so that our side needs no torch."""
    import torch
    from transformers import AutoTokenizer, Trainer, TrainingArguments, set_seed

    torch.set_num_threads(arguments.threads)
    set_seed(seed)
    rows = {split: read_rows(path) for split, path in files.items()}
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    peer = PeerTask(SETS[name][0], tokenizer, rows["train"], arguments.max_length)
    settings = TrainingArguments(
        output_dir=str(folder), num_train_epochs=arguments.epochs, learning_rate=arguments.learning_rate, warmup_steps=arguments.warmup,
        per_device_train_batch_size=arguments.batch_size, per_device_eval_batch_size=64, seed=seed, use_cpu=True, report_to="none",
        disable_tqdm=True, logging_strategy="no", eval_strategy="epoch", save_strategy="epoch", save_total_limit=1,
        load_best_model_at_end=True, metric_for_best_model=peer.best_figure(), greater_is_better=True,
        train_sampling_strategy="group_by_length" if arguments.group_by_length else "random",
    )
    model = peer.model(arguments.model)
    trainer = Trainer(
        model=model, args=settings, processing_class=tokenizer, train_dataset=peer.encode(rows["train"]),
        eval_dataset=peer.encode(rows["validation"]), data_collator=peer.collator(model), compute_metrics=peer.figures,
    )
    trainer.train()
    return trainer.predict(peer.encode(rows["test"])).metrics[f"test_{SETS[name][1]}"]


def read_log(path: Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def is_of(line: dict, wanted: dict) -> bool:
    """Whether a line of the log is of such a run; one with options of ours beside the recipe is another."""
    return line.get("ours") == wanted.get("ours") and all(line.get(part) == value for part, value in wanted.items())


def report(lines: list, wanted: dict, sets: list, seeds: str) -> None:
    """Means and standard deviations of the seeds, and whether we are worse than transformers by more than one deviation."""
    chosen = [line for line in lines if is_of(line, wanted) and str(line["seed"]) in seeds.split(",")]
    print(f"\n{json.dumps(wanted)}, seeds {seeds}\n")
    print("| set | ours | transformers | TF-IDF | not worse by more than one deviation |\n| --- | --- | --- | --- | --- |")
    for name in sets:
        _, figure, baseline = SETS[name]
        figures = {side: [line[f"test_{figure}"] for line in chosen if line["set"] == name and line["side"] == side] for side in ("ours", "transformers")}
        cells = {side: f"{statistics.mean(values):.4f} +- {deviation(values):.4f} ({len(values)})" if values else "-" for side, values in figures.items()}
        verdict = "-"
        if all(figures.values()):
            behind = statistics.mean(figures["transformers"]) - statistics.mean(figures["ours"])
            verdict = "yes" if behind <= max(map(deviation, figures.values())) else f"NO: behind by {behind:.4f}"
        print(f"| {name}, {figure} | {cells['ours']} | {cells['transformers']} | {baseline or '-'} | {verdict} |")


def deviation(values: list) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
