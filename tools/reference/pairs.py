"""Makes the golden file of crates/graftling-models/tests/pairs.rs: what transformers makes of an encoder that is to write one text from another
(`EncoderDecoderModel.from_encoder_decoder_pretrained`), for the classes that a BERT and a RoBERTa are saved from.

    python tools/reference/pairs.py

Of each: the weights that are in no weight of the checkpoint, and the logits of a batch once the values of every new weight are 0.3 sin(1), 0.3 sin(2) and so on. Everything is
computed in double precision. New zeros and ones are like those of a checkpoint that was never trained, and count as its own there.
"""
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

from bert import GOLDEN
from golden import made_by, write_json

FOLDERS = {
    "Model": "pretrained/bert/Model",
    "ForPreTraining": "pretrained/bert/ForPreTraining",
    "masked": "families/bert/masked/model",
    "sequence": "families/bert/sequence/model",
    "roberta-masked": "families/roberta/masked/model",
    "roberta-sequence": "families/roberta/sequence/model",
}
SOURCES = [[1, 7, 9, 30, 2], [1, 2], [1, 11, 12, 13, 14, 15, 2]]
TARGETS = [[1, 20, 21], [1, 22, 23, 24, 25], [1]]


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    cases = {name: case(GOLDEN / folder) for name, folder in FOLDERS.items()}
    write_json(GOLDEN / "pretrained" / "pairs.json", {"made_by": made_by("pairs.py"), "sources": SOURCES, "targets": TARGETS, "cases": cases})


def case(folder: Path) -> dict:
    model = transformers.EncoderDecoderModel.from_encoder_decoder_pretrained(folder, folder).double().eval()
    stored = [values.double() for values in load_file(folder / "model.safetensors").values()]
    new = []
    for name, parameter in model.named_parameters():
        if not any(values.shape == parameter.shape and torch.equal(values, parameter) for values in stored):
            new.append(name)
            with torch.no_grad():
                parameter.copy_((0.3 * torch.sin(torch.arange(1, parameter.numel() + 1, dtype=torch.float64))).reshape(parameter.shape))
    logits = []
    for source, target in zip(SOURCES, TARGETS):
        with torch.no_grad():
            output = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([target]))
        logits.append(output.logits[0].tolist())
    return {"new": sorted(new), "logits": logits}


if __name__ == "__main__":
    main()
