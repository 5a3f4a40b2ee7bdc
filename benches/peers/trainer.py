"""The peer that trains: transformers' Trainer. Prints one JSON line.

    trainer.py MODEL TRAIN OUTPUT --config default|best [--task TASK] [--test TEST] [--epochs N] [--learning-rate X] ...

default: TrainingArguments as they come (fused AdamW, random order, dynamic padding). best: batches of texts of like length as well.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

ENTERED = time.time()
parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("train")
parser.add_argument("output")
parser.add_argument("--config", choices=["default", "best"], required=True)
parser.add_argument("--task", default="sequence_classification")
parser.add_argument("--test")
parser.add_argument("--epochs", type=float, default=1)
parser.add_argument("--learning-rate", type=float, default=1e-4)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--max-length", type=int, default=128)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--started", type=float, default=ENTERED, help="when the command was given, in seconds of the epoch")
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

import torch  # noqa: E402  (after the thread count)
import transformers  # noqa: E402
from transformers import AutoTokenizer, Trainer, TrainingArguments  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/reference"))
from peer_tasks import PeerTask, read_rows  # noqa: E402


class CountingTrainer(Trainer):
    """A Trainer that counts the real tokens of the batches it trains on."""

    real_tokens = 0

    def training_step(self, model, inputs, *rest, **named):
        self.real_tokens += int(inputs["attention_mask"].sum())
        # Of texts that are written from others also those that are written.
        if "decoder_input_ids" in inputs:
            self.real_tokens += int((inputs["labels"] != -100).sum())
        return super().training_step(model, inputs, *rest, **named)


def main() -> None:
    torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    imported = time.time()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    train_rows = read_rows(arguments.train)
    peer = PeerTask(arguments.task, tokenizer, train_rows, arguments.max_length)
    model = peer.model(arguments.model)
    best = {"train_sampling_strategy": "group_by_length"} if arguments.config == "best" else {}
    settings = TrainingArguments(
        output_dir=arguments.output, num_train_epochs=arguments.epochs, per_device_train_batch_size=arguments.batch_size,
        per_device_eval_batch_size=64, learning_rate=arguments.learning_rate, seed=arguments.seed, use_cpu=True,
        save_strategy="no", report_to="none", disable_tqdm=True, logging_strategy="no", **best,
    )
    trainer = CountingTrainer(
        model=model, args=settings, train_dataset=peer.encode(train_rows), processing_class=tokenizer, data_collator=peer.collator(model)
    )
    training = time.time()
    trainer.train()
    trained = time.time()
    trainer.save_model(arguments.output)
    saved = time.time()
    outcome = {
        "peer": f"Trainer, {arguments.config}",
        "command_to_saved_model_s": saved - arguments.started,
        "import_s": imported - ENTERED,
        "train_runtime": trained - training,
        "train_tokens_per_second": trainer.real_tokens / (trained - training),
        "train_tokens": trainer.real_tokens,
        "steps": trainer.state.global_step,
    }
    if arguments.test:
        outcome["test_accuracy"] = peer.figures(trainer.predict(peer.encode(read_rows(arguments.test))))["accuracy"]
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
