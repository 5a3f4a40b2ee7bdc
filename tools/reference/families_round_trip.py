"""Whether every family under every head, as graftling saves it, opens in transformers: the same classes, no weight missing, unexpected or of
another shape, no warning, and every value what it was.

    cargo build -p graftling-models --example resave
    python tools/reference/families_round_trip.py --resave target/debug/examples/resave

The models are the golden files of families.py, written again by graftling.
"""
import argparse
import json
import logging
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
import transformers

from bert import GOLDEN

warnings.simplefilter("error")


def main() -> None:
    parser = argparse.ArgumentParser(description="open in transformers what graftling saved")
    parser.add_argument("--resave", type=Path, required=True)
    arguments = parser.parse_args()
    heard = Heard()
    logging.getLogger("transformers").addHandler(heard)
    for folder in sorted((GOLDEN / "families").glob("*/*/model")):
        if not hasattr(transformers, json.loads((folder / "config.json").read_text())["architectures"][0]):
            print(f"{folder.parent.relative_to(GOLDEN / 'families')}: not in transformers", flush=True)
            continue
        with tempfile.TemporaryDirectory() as output:
            subprocess.run([arguments.resave, folder, output], check=True)
            theirs, ours = json.loads((folder / "config.json").read_text()), json.loads((Path(output) / "config.json").read_text())
            model = getattr(transformers, theirs["architectures"][0])
            original = model.from_pretrained(folder)
            saved, info = model.from_pretrained(output, output_loading_info=True)
        # BART's config names labels of a head that is not there; ours leaves them out.
        ignored = ("transformers_version", "dtype", *(("id2label", "label2id") if folder.parent.name == "seq2seq" else ()))
        wrong = {key: value for key, value in info.items() if value}
        wrong |= {f"config {key}": (theirs.get(key), ours.get(key)) for key in theirs if key not in ignored and theirs[key] != ours.get(key)}
        before, after = original.state_dict(), saved.state_dict()
        wrong |= {name: "another value" for name in before if name not in after or not torch.equal(before[name], after[name])}
        name = folder.parent.relative_to(GOLDEN / "families")
        # Two stacks are no encoder of sentences.
        if name.name != "seq2seq":
            wrong |= wrong_without_head(arguments.resave, folder, original)
        print(f"{name}: {len(after)} tensors, {'the same' if not wrong and not heard.said else 'NOT the same: ' + str(wrong) + str(heard.said)}", flush=True)
        assert not wrong and not heard.said, name


def wrong_without_head(resave: Path, folder: Path, original) -> dict:
    """The same without the head, as an encoder of sentences: the bare class must find every weight."""
    with tempfile.TemporaryDirectory() as output:
        subprocess.run([resave, folder, output, "mean"], check=True)
        bare, info = transformers.AutoModel.from_pretrained(output, output_loading_info=True)
        declared = json.loads((Path(output) / "config.json").read_text())["architectures"]
    wrong = {f"bare {key}": value for key, value in info.items() if value}
    wrong |= {} if declared == [type(bare).__name__] else {"bare class": declared}
    encoder = original.base_model.state_dict()
    return wrong | {f"bare {name}": "another value" for name, value in bare.state_dict().items() if name in encoder and not torch.equal(value, encoder[name])}


class Heard(logging.Handler):
    """Every warning of transformers."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record) -> None:
        # A T5 with a matrix of its own to the vocabulary, which transformers itself writes with a config that says otherwise.
        if "we will NOT tie them" in record.getMessage():
            return
        self.said.append(record.getMessage())


if __name__ == "__main__":
    main()
