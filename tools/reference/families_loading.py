"""Makes the golden files of crates/graftling-models/tests/pretrained.rs: which weights transformers takes from a checkpoint and which it has
to draw anew, for every class that a checkpoint of a family is saved from and every head that is put on it.

    python tools/reference/families_loading.py
"""
import contextlib
import io
import logging

import torch
import transformers

from bert import GOLDEN
from families import FAMILIES, HEADS, SOME_HEADS
from golden import made_by, write_json

# Classes that a checkpoint on the hub may come from, beside those with a head that is offered.
FURTHER = ("Model", "ForPreTraining")
# One layer is enough for the names.
ONE_LAYER = {"distilbert": {"n_layers": 1}}
WANTED = {
    "sequence": ("ForSequenceClassification", {"num_labels": 3}),
    "tokens": ("ForTokenClassification", {"num_labels": 5}),
    "masked": ("ForMaskedLM", {}),
    "answers": ("ForQuestionAnswering", {"num_labels": 2}),
}


def main() -> None:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    missing = {}
    for family in FAMILIES:
        if family not in SOME_HEADS:
            missing[family] = {source: wanted(family, source) for source in sources(family)}
    write_json(GOLDEN / "pretrained" / "new.json", {"made_by": made_by("families_loading.py"), "new": missing})


def sources(family: str) -> list:
    """The class of each checkpoint; those without a head that is offered are made here, the others are those of families.py."""
    prefix, sizes = FAMILIES[family]
    made = [suffix for suffix in FURTHER if hasattr(transformers, prefix + suffix)]
    for suffix in made:
        config = getattr(transformers, f"{prefix}Config")(**{**sizes, "num_hidden_layers": 1, **ONE_LAYER.get(family, {})})
        folder = GOLDEN / "pretrained" / family / suffix
        getattr(transformers, prefix + suffix)(config).save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)
            if file.name not in ("config.json", "model.safetensors"):
                file.unlink()
    return made + list(WANTED)


def wanted(family: str, source: str) -> dict:
    """By head: the weights that transformers draws anew."""
    prefix, _ = FAMILIES[family]
    folder = GOLDEN / "pretrained" / family / source if source in FURTHER else GOLDEN / "families" / family / source / "model"
    outcome = {}
    for head, (suffix, told) in WANTED.items():
        # A sequence classifier of the stored labels would be taken over whole.
        labels = {"num_labels": 2} if head == source == "sequence" else told
        with contextlib.redirect_stdout(io.StringIO()):
            model, info = getattr(transformers, prefix + suffix).from_pretrained(
                folder, output_loading_info=True, ignore_mismatched_sizes=True, problem_type=None, **labels
            )
        # What is another name of a weight that is there is not new.
        new = {*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])} - {*(model._tied_weights_keys or {})}
        outcome[head] = sorted(new)
    return outcome


if __name__ == "__main__":
    main()
