"""Makes crates/graftling-models/tests/golden/padding.json: gradients of word embeddings where the token that a config calls padding is read.

    python tools/reference/padding.py

Every family's tiny model (golden/families), its sequence classifier or its language model, reads one sequence in which padding stands twice and
nothing is masked: a literal `[PAD]` in a text, or a padding token that ends messages. torch gives `padding_idx` no gradient where it is looked
up. Of each: the token ids, the loss, and the rows of the word embeddings' gradient that are not zero, by their numbers. Where a decoder has one table
for both ends, padding has a row from what it predicts.
"""
import json

import torch
import transformers

from bert import GOLDEN
from golden import made_by, write_json

CLASSIFIERS = ["bert", "roberta", "ernie", "distilbert", "electra", "albert", "mpnet", "modernbert", "deberta-v2", "deberta-v2-own"]
DECODERS = ["gpt2", "llama", "llama-biased", "mistral", "qwen2", "qwen3"]


def main() -> None:
    cases = {}
    for family in CLASSIFIERS + DECODERS:
        head = "causal" if family in DECODERS else "sequence"
        folder = GOLDEN / "families" / family / head / "model"
        kind = transformers.AutoModelForCausalLM if family in DECODERS else transformers.AutoModelForSequenceClassification
        model = kind.from_pretrained(folder, attn_implementation="eager").double().eval()
        padding = json.loads((folder / "config.json").read_text())["pad_token_id"]
        padding = 1 if padding is None else padding
        ids = [3, padding, 9, 5, padding, 7]
        inputs = torch.tensor([ids])
        logits = model(input_ids=inputs, attention_mask=torch.ones_like(inputs)).logits
        if family in DECODERS:
            loss = torch.nn.functional.cross_entropy(logits[0, :-1], inputs[0, 1:])
        else:
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor([2]))
        loss.backward()
        gradient = model.get_input_embeddings().weight.grad
        rows = {str(number): [float(f"{value:.8g}") for value in row] for number, row in enumerate(gradient.tolist()) if any(row)}
        cases[f"{family}/{head}"] = {"input_ids": ids, "loss": loss.item(), "gradient": rows}
    write_json(GOLDEN / "padding.json", {"made_by": made_by("padding.py"), "cases": cases})


if __name__ == "__main__":
    main()
