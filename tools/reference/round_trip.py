"""Checks that folders go round between graftling and transformers: no warning, the same tokens, the same logits.

    python tools/reference/round_trip.py --graftling BINARY --run RUN --texts FILE.csv

There: transformers opens the run folder that `graftling train` left. Back: graftling opens a checkpoint that transformers saved (the same
encoder under a new head of three classes). Either way the log-probabilities of every text must agree: logits up to the constant
that softmax takes out.
"""
import argparse
import csv
import json
import logging
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

LOGITS = 1e-4  # issue 2, "Round trip"
LABELS = ["negative", "neutral", "positive"]


class Refuse(logging.Handler):
    """Turns whatever transformers would say as a warning into an error."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            raise AssertionError(f"transformers warns: {record.getMessage()}")


def main() -> None:
    parser = argparse.ArgumentParser(description="check that folders go round between graftling and transformers")
    parser.add_argument("--graftling", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="a folder that graftling trained")
    parser.add_argument("--texts", type=Path, required=True, help="a csv file with a column text")
    parser.add_argument("--count", type=int, default=64, help="how many of the texts")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    transformers_logging.disable_progress_bar()
    with open(arguments.texts, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][: arguments.count]
    # One that is cut, and some that are not English.
    texts += [" ".join(texts)[:20_000], "这部电影很好看。", "Ein schöner Film, naïve façade!", "😀 ok\tok"]
    compare("the run folder in transformers", arguments.graftling, arguments.run, texts)
    with tempfile.TemporaryDirectory() as folder:
        save_by_transformers(arguments.run, Path(folder))
        compare("a checkpoint of transformers in graftling", arguments.graftling, Path(folder), texts)


def compare(title: str, graftling: Path, folder: Path, texts: list) -> None:
    """Fails where the two sides' labels or log-probabilities differ, or transformers has something to complain of."""
    labels, theirs = by_transformers(folder, texts)
    ours = by_graftling(graftling, folder, texts, labels)
    apart = (ours - theirs).abs().max().item()
    assert apart <= LOGITS, f"{title}: log-probabilities are off by {apart:.2e}"
    print(f"{title}: {len(texts)} texts, {len(labels)} labels, no warning, log-probabilities within {apart:.1e}")


def by_transformers(folder: Path, texts: list) -> tuple:
    """The labels and each text's log-probabilities, one text at a time, so that no padding comes in."""
    warnings.simplefilter("error")
    handler = Refuse()
    transformers_logging.add_handler(handler)
    try:
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        with torch.no_grad():
            logits = [model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0] for text in texts]
    finally:
        transformers_logging.remove_handler(handler)
    labels = [model.config.id2label[index] for index in range(model.config.num_labels)]
    return labels, torch.stack(logits).double().log_softmax(-1)


def by_graftling(graftling: Path, folder: Path, texts: list, labels: list) -> torch.Tensor:
    """The same by `graftling predict --json`."""
    words = [graftling, "predict", "--model", folder, "--json"]
    for text in texts:
        words += ["--text", text]
    finished = subprocess.run(words, capture_output=True, text=True, check=True)
    predictions = [json.loads(line) for line in finished.stdout.splitlines()]
    assert len(predictions) == len(texts), f"{len(predictions)} predictions for {len(texts)} texts"
    rows = [[prediction["probabilities"][label] for label in labels] for prediction in predictions]
    return torch.tensor(rows, dtype=torch.float64).log()


def save_by_transformers(source: Path, folder: Path) -> None:
    """The encoder of `source` under a new, random head of three classes, as transformers saves it."""
    torch.manual_seed(40)
    transformers_logging.set_verbosity_error()
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {label: index for index, label in enumerate(LABELS)}}
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=len(LABELS), ignore_mismatched_sizes=True, **names)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    transformers_logging.set_verbosity_warning()


if __name__ == "__main__":
    main()
