"""Makes crates/graftling/tests/golden/schedule.json: the factors of the learning rate as transformers computes them.

    python tools/reference/schedule.py

Warm-up goes through `TrainingArguments.get_warmup_steps`, the factors come from `get_scheduler`, three steps beyond the end included.
"""
from pathlib import Path

import torch
from transformers import TrainingArguments
from transformers.optimization import get_scheduler

from golden import made_by, write_json

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
LENGTHS = [1, 2, 7, 10, 30, 41]
WARMUPS = [0, 0.06, 0.1, 0.5, 1, 5]


def warmup_steps(warmup, training_steps):
    arguments = TrainingArguments(output_dir="unused", warmup_steps=warmup, report_to=[])
    return arguments.get_warmup_steps(training_steps)


def factors(name, warmup, training_steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=training_steps)
    for _ in range(training_steps + 3):
        yield scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()


cases = []
for kind, name in KINDS.items():
    for training_steps in LENGTHS:
        for warmup in WARMUPS:
            steps = warmup_steps(warmup, training_steps)
            if steps <= training_steps:
                values = [round(value, 15) for value in factors(name, steps, training_steps)]
                cases.append({"kind": kind, "warmup": warmup, "training_steps": training_steps, "factors": values})

write_json(ROOT / "crates/graftling/tests/golden/schedule.json", {"made_by": made_by("schedule.py"), "cases": cases})
print(len(cases), "cases")
