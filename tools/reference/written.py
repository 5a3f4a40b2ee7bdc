"""Texts that a decoder writes after the same fine-tuning here and in transformers, scored by references.

    python tools/reference/written.py --graftling BINARY --model FOLDER --data FOLDER [--examples 2000] [--epochs 1] [--learning-rate 1e-4]
        [--batch-size 16] [--max-length 320] [--max-new-tokens 32] [--tested N] [--seed 42] [--threads 2] [--sides untrained,ours,transformers]
        [--template TEXT] [--completion COLUMN] [--log FILE]

--data has train, validation and test.jsonl; the first --examples of train are trained on and the first 100 of validation evaluated after each epoch. Both
sides: prompt and completion as tokens apart, an end token behind, the loss on the completion alone, AdamW with linear decay after warm-up over a
tenth, no weight decay, clipping at 1, batches of texts of like length in transformers, single precision. Then the test prompts are answered
greedily with at most --max-new-tokens, and first lines are scored by `graftling score` (ROUGE as rouge_score
computes it without its stemmer). A finished side is a line of the log, and its texts stand beside it.
"""
import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from peer_tasks import PeerTask


def main() -> None:
    parser = argparse.ArgumentParser(description="the same fine-tuning of a decoder here and in transformers")
    parser.add_argument("--graftling", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--tested", type=int, default=10**9, help="so many of the test examples")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=320)
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", default="untrained,ours,transformers")
    parser.add_argument("--template", default="Package: {document}\n\nSummary:\n")
    parser.add_argument("--completion", default="summary")
    parser.add_argument("--log", type=Path, default=Path("target/written.jsonl"))
    arguments = parser.parse_args()
    sides = {"untrained": untrained, "ours": ours, "transformers": transformers_side}
    for side in arguments.sides.split(","):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = {split: cut(arguments, split, folder) for split in ("train", "validation", "test")}
            texts, told = sides[side](arguments, files, folder)
            line = {"side": side, "model": arguments.model.name, "data": arguments.data.name, "examples": arguments.examples, "epochs": arguments.epochs,
                    "learning_rate": arguments.learning_rate, "batch_size": arguments.batch_size, "seed": arguments.seed, **told,
                    "tested": len(texts), **scores(arguments, texts, files["test"], folder)}
        print(json.dumps(line), flush=True)
        arguments.log.parent.mkdir(parents=True, exist_ok=True)
        with open(arguments.log, "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        arguments.log.with_suffix(f".{side}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


def cut(arguments, split: str, folder: Path) -> Path:
    """A file with the first examples of a split."""
    count = {"train": arguments.examples, "validation": 100, "test": arguments.tested}[split]
    lines = (arguments.data / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    path = folder / f"{split}.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(path: Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def command(arguments, *words) -> None:
    subprocess.run([str(arguments.graftling), *map(str, words)], stdout=subprocess.DEVNULL, check=True)


def untrained(arguments, files: dict, folder: Path) -> tuple:
    return written(arguments, arguments.model, files, folder), {}


def ours(arguments, files: dict, folder: Path) -> tuple:
    run = folder / "run"
    began = time.time()
    command(
        arguments, "train", "--task", "causal_lm", "--model", arguments.model, "--train", files["train"], "--validation", files["validation"],
        "--output", run, "--template", arguments.template.replace("\n", "\\n"), "--label-column", arguments.completion, "--epochs", arguments.epochs,
        "--learning-rate", arguments.learning_rate, "--batch-size", arguments.batch_size, "--max-length", arguments.max_length, "--warmup", 0.1,
        "--weight-decay", 0, "--threads", arguments.threads, "--seed", arguments.seed,
    )
    trained = time.time() - began
    results = json.loads((run / "all_results.json").read_text(encoding="utf-8"))
    texts = written(arguments, run, files, folder)
    return texts, {"train_seconds": round(trained), "eval_loss": results.get("eval_loss"), "write_seconds": round(time.time() - began - trained)}


def written(arguments, model: Path, files: dict, folder: Path) -> list:
    output = folder / "written.jsonl"
    command(
        arguments, "generate", "--model", model, "--input", files["test"], "--output", output, "--template", arguments.template.replace("\n", "\\n"),
        "--max-new-tokens", arguments.max_new_tokens, "--num-beams", 1, "--threads", arguments.threads,
    )
    return [first_line(row["generated_text"]) for row in rows(output)]


def transformers_side(arguments, files: dict, folder: Path) -> tuple:
    """The Trainer with the same recipe; imported here, so that our side needs no torch."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments, set_seed

    torch.set_num_threads(arguments.threads)
    set_seed(arguments.seed)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    peer = PeerTask("causal_lm", tokenizer, [], arguments.max_length)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype="float32")

    def prompt(row: dict) -> str:
        return arguments.template.format(**row)

    def encode(row: dict) -> dict:
        return peer.prompted({"prompt": prompt(row), "completion": row[arguments.completion]})

    settings = TrainingArguments(
        output_dir=str(folder / "peer"), num_train_epochs=arguments.epochs, learning_rate=arguments.learning_rate, warmup_steps=0.1, weight_decay=0.0,
        per_device_train_batch_size=arguments.batch_size, per_device_eval_batch_size=16, seed=arguments.seed, use_cpu=True, report_to="none",
        disable_tqdm=True, logging_strategy="no", eval_strategy="epoch", save_strategy="no", train_sampling_strategy="group_by_length",
    )
    trainer = Trainer(
        model=model, args=settings, train_dataset=[encode(row) for row in rows(files["train"])], eval_dataset=[encode(row) for row in rows(files["validation"])],
        data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True), processing_class=tokenizer,
    )
    began = time.time()
    trainer.train()
    trained = time.time() - began
    loss = trainer.evaluate()["eval_loss"]
    began = time.time()
    tokenizer.padding_side = "left"
    prompts = [prompt(row) for row in rows(files["test"])]
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    texts = [""] * len(prompts)
    model.eval()
    for start in range(0, len(order), 32):
        places = order[start:start + 32]
        batch = tokenizer([prompts[place] for place in places], return_tensors="pt", padding=True)
        with torch.no_grad():
            output = model.generate(**batch, max_new_tokens=arguments.max_new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        for place, ids in zip(places, output):
            texts[place] = first_line(tokenizer.decode(ids[batch["input_ids"].shape[1]:], skip_special_tokens=True))
    return texts, {"train_seconds": round(trained), "eval_loss": loss, "write_seconds": round(time.time() - began)}


def scores(arguments, texts: list, test: Path, folder: Path) -> dict:
    (folder / "hypotheses.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    references = [" ".join(row[arguments.completion].split()) for row in rows(test)]
    (folder / "references.txt").write_text("\n".join(references) + "\n", encoding="utf-8")
    words = [arguments.graftling, "score", "--hypotheses", folder / "hypotheses.txt", "--references", folder / "references.txt", "--metric", "rouge", "--rouge-tokenize", "rouge_score", "--json"]
    told = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True).stdout
    return {"scores": json.loads(told)}


if __name__ == "__main__":
    main()
