"""Compares the translations of a real student of Marian by `graftling generate` with those of the numpy program in its folder, text for text.

    python tools/reference/marian_ssru_decode.py --graftling target/release/graftling --model FOLDER --texts test.jsonl [--count 200]

FOLDER holds a model of the family marian-ssru and `reference_decode.py`, which is called with the folder and texts and prints a line
`text -> translation` for each, decoded greedily. No such model is part of the project: the weights of Bergamot have a licence of their own.
With --resaved FOLDER the same is asked of what graftling saved of the model: the program reads both. Fails where a translation differs.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# The numpy program stops there.
LONGEST = 80


def main() -> None:
    parser = argparse.ArgumentParser(description="compare translations with those of reference_decode.py")
    parser.add_argument("--graftling", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--texts", required=True, type=Path, help="jsonl with the sources in the column `source`")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--resaved", type=Path, help="a folder that graftling saved the model to")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.texts.read_text(encoding="utf-8").splitlines()]
    texts = [row["source"] for row in rows if "\n" not in row["source"]][: arguments.count]
    if not texts:
        sys.exit(f"{arguments.texts}: no text to translate")
    ours = generated(arguments.graftling, arguments.model, texts)
    differ = compare("graftling generate", texts, ours, reference(arguments.model, arguments.model, texts))
    if arguments.resaved:
        differ += compare("the numpy program on what was saved", texts, reference(arguments.model, arguments.resaved, texts), ours)
    sys.exit(1 if differ else 0)


def generated(program: Path, model: Path, texts: list) -> list:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "sources.jsonl", Path(folder) / "targets.jsonl"
        source.write_text("".join(json.dumps({"source": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
        options = ["--text-column", "source", "--max-new-tokens", str(LONGEST), "--num-beams", "1"]
        subprocess.run([program, "generate", "--model", model, "--input", source, "--output", target, *options], check=True)
        return [json.loads(line)["generated_text"] for line in target.read_text(encoding="utf-8").splitlines()]


def reference(program: Path, model: Path, texts: list) -> list:
    """The program opens the SentencePiece model beside the weights."""
    printed = subprocess.run(
        [sys.executable, program / "reference_decode.py", model, *texts], check=True, capture_output=True, encoding="utf-8"
    ).stdout.splitlines()
    if len(printed) != len(texts):
        sys.exit(f"{program}: {len(printed)} lines for {len(texts)} texts")
    return [line[len(text) + len(" -> "):] for text, line in zip(texts, printed, strict=True)]


def compare(who: str, texts: list, found: list, expected: list) -> int:
    """How many translations differ."""
    different = [row for row in zip(texts, found, expected, strict=True) if row[1] != row[2]]
    for text, one, other in different:
        print(f"{text}\n  {one}\n  {other}")
    print(f"{who}: {len(texts) - len(different)} of {len(texts)} translations are the same")
    return len(different)


if __name__ == "__main__":
    main()
