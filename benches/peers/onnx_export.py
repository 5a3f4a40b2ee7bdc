"""Writes a fine-tuned BERT folder as fp32 ONNX, its attention, norms and activations fused by onnxruntime's own optimizer.

    onnx_export.py FOLDER OUTPUT.onnx
"""
import sys
import warnings

import numpy
import onnxruntime
import torch
import transformers
from onnxruntime.transformers import optimizer
from transformers import AutoModelForSequenceClassification

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
AGREEMENT = 1e-4


class Logits(torch.nn.Module):
    """The model with its inputs in order and nothing but the logits."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        return self.model(**dict(zip(INPUTS, inputs))).logits


def main(folder: str, output: str) -> None:
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    example = batch(model, sequences=2, length=7)
    axes = {name: {0: "sequences", 1: "length"} for name in INPUTS} | {"logits": {0: "sequences"}}
    plain = f"{output}.plain"
    torch.onnx.export(
        Logits(model).eval(), example, plain, dynamo=False, opset_version=17, input_names=INPUTS, output_names=["logits"], dynamic_axes=axes
    )
    config = model.config
    fused = optimizer.optimize_model(plain, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0)
    fused.save_model_to_file(output)
    check(model, output)


def check(model, output: str) -> None:
    """Other sizes than the example's, with padding: what was exported must be the model and not a trace of one batch."""
    inputs = batch(model, sequences=5, length=33)
    session = onnxruntime.InferenceSession(output)
    logits = session.run(None, {name: values.numpy() for name, values in zip(INPUTS, inputs)})[0]
    with torch.no_grad():
        apart = numpy.abs(logits - Logits(model)(*inputs).numpy()).max()
    assert apart < AGREEMENT, f"{output}: logits are off by {apart}"


def batch(model, sequences: int, length: int) -> tuple:
    ids = torch.randint(1, model.config.vocab_size, (sequences, length))
    mask = torch.ones_like(ids)
    mask[-1, length // 2 :] = 0
    return ids, mask, torch.zeros_like(ids)


if __name__ == "__main__":
    main(*sys.argv[1:])
