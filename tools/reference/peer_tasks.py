"""Each task as a script around transformers' Trainer would do it: rows of a file, features, model, collator, figures. Knows no recipe.

Used by quality.py and by benches/peers, so that both compare with the same peer. torch and transformers are imported when a peer is made.
"""
import csv
import json
from pathlib import Path


class PeerTask:
    """One task on the rows of its training file, whose labels it learns from them."""

    def __init__(self, task: str, tokenizer, training_rows: list, max_length: int):
        self.task, self.tokenizer, self.max_length = task, tokenizer, max_length
        if task == "multi_label_classification":
            self.labels = sorted({label for row in training_rows for label in row["labels"]})
        elif task == "token_classification":
            self.labels = sorted({tag for row in training_rows for tag in row["tags"]})
        elif task == "translation":
            self.labels = []
        elif task == "causal_lm":
            self.labels = []
            tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        else:
            self.labels = [""] if task == "sequence_regression" else sorted({row["label"] for row in training_rows})

    def model(self, folder):
        from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification, AutoModelForTokenClassification

        if self.task == "translation":
            return AutoModelForSeq2SeqLM.from_pretrained(folder, dtype="float32")
        if self.task == "causal_lm":
            return AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
        problem = {"multi_label_classification": "multi_label_classification", "sequence_regression": "regression"}.get(self.task)
        kind = AutoModelForTokenClassification if self.task == "token_classification" else AutoModelForSequenceClassification
        names = {} if self.task == "sequence_regression" else {
            "id2label": dict(enumerate(self.labels)), "label2id": {label: index for index, label in enumerate(self.labels)}
        }
        # In single precision whatever the weights are stored in: transformers trains those of half precision as they are.
        return kind.from_pretrained(folder, dtype="float32", num_labels=len(self.labels), **names, **({"problem_type": problem} if problem else {}))

    def collator(self, model):
        from transformers import DataCollatorForSeq2Seq, DataCollatorForTokenClassification, DataCollatorWithPadding

        if self.task in ("causal_lm", "translation"):
            return DataCollatorForSeq2Seq(self.tokenizer, model if self.task == "translation" else None, padding=True)
        return (DataCollatorForTokenClassification if self.task == "token_classification" else DataCollatorWithPadding)(self.tokenizer)

    def encode(self, rows: list) -> list:
        """The features of every row, with its target."""
        if self.task == "causal_lm":
            return [self.prompted(row) for row in rows]
        if self.task == "translation":
            return [self.tokenizer(row["source"], text_target=row["target"], truncation=True, max_length=self.max_length) for row in rows]
        examples = []
        for row in rows:
            of_words = self.task == "token_classification"
            texts = [row["words"]] if of_words else [row["text_a"], row["text_b"]] if "text_a" in row else [row["text"]]
            encoded = self.tokenizer(*texts, truncation=True, max_length=self.max_length, is_split_into_words=of_words)
            examples.append({**encoded, "labels": self.target(row, encoded)})
        return examples

    def prompted(self, row: dict) -> dict:
        """A prompt and its completion, which alone has labels, with an end token behind it."""
        completion = self.tokenizer(row["completion"], add_special_tokens=False).input_ids + [self.tokenizer.eos_token_id]
        prompt = self.tokenizer(row["prompt"]).input_ids[-(self.max_length - len(completion)):]
        return {"input_ids": prompt + completion, "attention_mask": [1] * len(prompt + completion), "labels": [-100] * len(prompt) + completion}

    def target(self, row: dict, encoded):
        if self.task == "multi_label_classification":
            return [float(label in row["labels"]) for label in self.labels]
        if self.task == "sequence_regression":
            return float(row["score"])
        if self.task == "sequence_classification":
            return self.labels.index(row["label"])
        words = encoded.word_ids()

        def known(place: int) -> bool:
            first = words[place] is not None and (place == 0 or words[place - 1] != words[place])
            return first and row["tags"][words[place]] in self.labels

        return [self.labels.index(row["tags"][words[place]]) if known(place) else -100 for place in range(len(words))]

    def best_figure(self) -> str:
        """The validation figure that chooses the epoch; larger is better."""
        return {"multi_label_classification": "f1_micro", "sequence_regression": "negative_mse", "token_classification": "f1"}.get(self.task, "accuracy")

    def figures(self, prediction) -> dict:
        """By the labels that come with the predictions, whatever the order of rows is."""
        import numpy

        said, true = prediction.predictions, prediction.label_ids
        if self.task == "multi_label_classification":
            said, true = said > 0, true > 0.5
            return {"f1_micro": float(2 * (said & true).sum() / max(1, said.sum() + true.sum()))}
        if self.task == "sequence_regression":
            said = said.reshape(-1)
            return {"pearson": float(numpy.corrcoef(said, true)[0, 1]), "negative_mse": -float(((said - true) ** 2).mean())}
        if self.task == "sequence_classification":
            return {"accuracy": float((said.argmax(-1) == true).mean())}
        from seqeval.metrics import f1_score
        from seqeval.scheme import IOB2

        tags = lambda ids, row: [self.labels[tag] for tag, truth in zip(ids, row) if truth != -100]
        told = [tags(row, truth) for row, truth in zip(said.argmax(-1), true)]
        truths = [tags(truth, truth) for truth in true]
        return {"f1": float(f1_score(truths, told)), "strict_f1": float(f1_score(truths, told, mode="strict", scheme=IOB2))}


def data_file(folder: Path, split: str) -> Path:
    """The file of a split."""
    for ending in ("csv", "jsonl", "conll"):
        if (folder / f"{split}.{ending}").is_file():
            return folder / f"{split}.{ending}"
    raise SystemExit(f"{folder}: no {split}.csv, .jsonl or .conll")


def read_rows(path) -> list:
    path = Path(path)
    with open(path, encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        sentences = [block.split("\n") for block in file.read().split("\n\n")]
        pairs = [[line.split("\t") for line in sentence if line.strip()] for sentence in sentences]
        return [{"words": [pair[0] for pair in sentence], "tags": [pair[-1] for pair in sentence]} for sentence in pairs if sentence]
