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
import csv
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

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
    if any(all(line.get(part) == value for part, value in key.items()) for line in read_log(arguments.log)):
        return
    files = {split: find(arguments.data / name, split) for split in ("train", "validation", "test")}
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        figure = (by_graftling if side == "ours" else by_transformers)(name, files, seed, Path(folder), arguments)
    line = {**key, f"test_{SETS[name][1]}": figure, "seconds": round(time.time() - began)}
    print(json.dumps(line), flush=True)
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.log, "a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def find(folder: Path, split: str) -> Path:
    """The file of a split."""
    for ending in ("csv", "jsonl", "conll"):
        if (folder / f"{split}.{ending}").is_file():
            return folder / f"{split}.{ending}"
    raise SystemExit(f"{folder}: no {split}.csv, .jsonl or .conll")


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
    import numpy
    import torch
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer
    from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

    torch.set_num_threads(arguments.threads)
    set_seed(seed)
    task = SETS[name][0]
    rows = {split: read_rows(path) for split, path in files.items()}
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    if task == "multi_label_classification":
        labels = sorted({label for row in rows["train"] for label in row["labels"]})
    elif task == "token_classification":
        labels = sorted({tag for row in rows["train"] for tag in row["tags"]})
    else:
        labels = [""] if task == "sequence_regression" else sorted({row["label"] for row in rows["train"]})

    def target(row: dict, encoded):
        if task == "multi_label_classification":
            return [float(label in row["labels"]) for label in labels]
        if task == "sequence_regression":
            return float(row["score"])
        if task == "sequence_classification":
            return labels.index(row["label"])
        words = encoded.word_ids()
        known = lambda place: words[place] is not None and (place == 0 or words[place - 1] != words[place]) and row["tags"][words[place]] in labels
        return [labels.index(row["tags"][words[place]]) if known(place) else -100 for place in range(len(words))]

    def encode(split: str) -> list:
        examples = []
        for row in rows[split]:
            texts = [row["words"]] if task == "token_classification" else [row["text_a"], row["text_b"]] if "text_a" in row else [row["text"]]
            encoded = tokenizer(*texts, truncation=True, max_length=arguments.max_length, is_split_into_words=task == "token_classification")
            examples.append({**encoded, "labels": target(row, encoded)})
        return examples

    def figures(prediction) -> dict:
        """By the labels that come with the predictions, whatever the order of rows is."""
        said, true = prediction.predictions, prediction.label_ids
        if task == "multi_label_classification":
            said, true = said > 0, true > 0.5
            return {"f1_micro": float(2 * (said & true).sum() / max(1, said.sum() + true.sum()))}
        if task == "sequence_regression":
            said = said.reshape(-1)
            return {"pearson": float(numpy.corrcoef(said, true)[0, 1]), "negative_mse": -float(((said - true) ** 2).mean())}
        if task == "sequence_classification":
            return {"accuracy": float((said.argmax(-1) == true).mean())}
        from seqeval.metrics import f1_score
        from seqeval.scheme import IOB2

        tags = lambda ids, row: [labels[tag] for tag, truth in zip(ids, row) if truth != -100]
        told = [tags(row, truth) for row, truth in zip(said.argmax(-1), true)]
        truths = [tags(truth, truth) for truth in true]
        return {"f1": float(f1_score(truths, told)), "strict_f1": float(f1_score(truths, told, mode="strict", scheme=IOB2))}

    best = {"multi_label_classification": "f1_micro", "sequence_regression": "negative_mse", "token_classification": "f1"}.get(task, "accuracy")
    settings = TrainingArguments(
        output_dir=str(folder), num_train_epochs=arguments.epochs, learning_rate=arguments.learning_rate, warmup_steps=arguments.warmup,
        per_device_train_batch_size=arguments.batch_size, per_device_eval_batch_size=64, seed=seed, use_cpu=True, report_to="none",
        disable_tqdm=True, logging_strategy="no", eval_strategy="epoch", save_strategy="epoch", save_total_limit=1,
        load_best_model_at_end=True, metric_for_best_model=best, greater_is_better=True,
        train_sampling_strategy="group_by_length" if arguments.group_by_length else "random",
    )
    of_tokens = task == "token_classification"
    problem = {"multi_label_classification": "multi_label_classification", "sequence_regression": "regression"}.get(task)
    model = (AutoModelForTokenClassification if of_tokens else AutoModelForSequenceClassification).from_pretrained(
        arguments.model, num_labels=len(labels), **({"problem_type": problem} if problem else {}))
    trainer = Trainer(
        model=model, args=settings, processing_class=tokenizer, train_dataset=encode("train"), eval_dataset=encode("validation"),
        data_collator=(DataCollatorForTokenClassification if of_tokens else DataCollatorWithPadding)(tokenizer), compute_metrics=figures,
    )
    trainer.train()
    return trainer.predict(encode("test")).metrics[f"test_{SETS[name][1]}"]


def read_rows(path: Path) -> list:
    with open(path, encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        sentences = [block.split("\n") for block in file.read().split("\n\n")]
        pairs = [[line.split("\t") for line in sentence if line.strip()] for sentence in sentences]
        return [{"words": [pair[0] for pair in sentence], "tags": [pair[-1] for pair in sentence]} for sentence in pairs if sentence]


def read_log(path: Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def report(lines: list, wanted: dict, sets: list, seeds: str) -> None:
    """Means and standard deviations of the seeds, and whether we are worse than transformers by more than one deviation."""
    chosen = [line for line in lines if all(line.get(part) == value for part, value in wanted.items()) and str(line["seed"]) in seeds.split(",")]
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
