"""Makes crates/graftling-tensor/tests/golden/recurrence.json: the simpler simple recurrent unit, its states and its gradients.

    python tools/reference/recurrence.py

Everything is computed by torch in double precision, one row after the other: c = f * c + (1 - f) * z with f = sigmoid(gate), output relu(c),
as Marian's cell `ssru` computes it.
"""
import torch

from bert import ROOT
from golden import made_by, write_json


def main() -> None:
    generator = torch.Generator().manual_seed(31)
    cases = [
        case("from zeros", [4, 1, 6], 3, False, generator),
        case("from states", [2, 5], 4, True, generator),
        case("wide, gates that are nearly shut or open", [3], 131, False, generator, spread=6.0),
    ]
    write_json(ROOT / "crates/graftling-tensor/tests/golden/recurrence.json", {"made_by": made_by("recurrence.py"), "cases": cases})
    print(f"{len(cases)} cases")


def case(name: str, lengths: list, columns: int, started: bool, generator: torch.Generator, spread: float = 1.0) -> dict:
    draw = lambda rows: torch.randn(rows, columns, generator=generator).double()
    rows = sum(lengths)
    gate, candidate, upstream = (spread * draw(rows)).requires_grad_(), draw(rows).requires_grad_(), draw(rows)
    start = draw(len(lengths)) if started else None
    outputs, states, first = [], [], 0
    for sequence, length in enumerate(lengths):
        state = start[sequence] if started else torch.zeros(columns, dtype=torch.double)
        for row in range(first, first + length):
            keep = torch.sigmoid(gate[row])
            state = keep * state + (1 - keep) * candidate[row]
            outputs.append(torch.relu(state))
        states.append(state)
        first += length
    output = torch.stack(outputs)
    (output * upstream).sum().backward()
    values = lambda tensor: [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]
    return {
        "name": name, "lengths": lengths, "columns": columns, "gate": values(gate), "candidate": values(candidate),
        "start": values(start) if started else None, "output": values(output), "states": values(torch.stack(states)),
        "upstream": values(upstream), "gate_gradient": values(gate.grad), "candidate_gradient": values(candidate.grad),
    }


if __name__ == "__main__":
    main()
