"""Whether a run of sentence_embedding opens in sentence-transformers and in transformers' AutoModel without a warning, and gives the same vectors there.

    cargo build --release -p graftling-cli
    python tools/reference/sentence_round_trip.py --graftling target/release/graftling --run RUN --texts TEXTS

TEXTS has a text a line. The other way round, a folder that sentence-transformers itself saves from the run is read by graftling again.
"""
import argparse
import json
import logging
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy
import transformers
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

warnings.simplefilter("error")


class Heard(logging.Handler):
    """Every warning of both libraries."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record) -> None:
        self.said.append(record.getMessage())


def ours(graftling: Path, folder: Path, texts: list) -> numpy.ndarray:
    command = [graftling, "predict", "--model", folder, "--json"]
    said = subprocess.run(command, input="\n".join(texts) + "\n", capture_output=True, text=True, check=True).stdout
    return numpy.array([json.loads(line)["embedding"] for line in said.splitlines()])


def main() -> None:
    parser = argparse.ArgumentParser(description="open in sentence-transformers what graftling wrote")
    parser.add_argument("--graftling", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    arguments = parser.parse_args()
    heard = Heard()
    for name in ("transformers", "sentence_transformers"):
        logging.getLogger(name).addHandler(heard)
    transformers.utils.logging.disable_progress_bar()
    texts = [line for line in arguments.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
    mine = ours(arguments.graftling, arguments.run, texts)
    model = SentenceTransformer(str(arguments.run), device="cpu")
    theirs = model.encode(texts, show_progress_bar=False)
    print(f"{len(texts)} texts, {mine.shape[1]} values, max_seq_length {model.max_seq_length}: farthest apart {abs(mine - theirs).max():.2e}")
    print("modules:", [type(module).__name__ for module in model])
    AutoTokenizer.from_pretrained(arguments.run)
    _, info = AutoModel.from_pretrained(arguments.run, output_loading_info=True)
    print("AutoModel:", {key: value for key, value in info.items() if value} or "every weight in its place")
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        again = ours(arguments.graftling, Path(folder), texts)
        print(f"saved by sentence-transformers, read by graftling: farthest apart {abs(again - mine).max():.2e}")
    print("warnings:", heard.said or "none")
    assert abs(mine - theirs).max() < 1e-5 and abs(again - mine).max() < 1e-6 and not heard.said


if __name__ == "__main__":
    main()
