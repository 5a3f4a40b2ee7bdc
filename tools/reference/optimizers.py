"""Makes crates/graftling-tensor/tests/golden/optimizers.json: twelve updates of a toy vector by every optimizer.

    python tools/reference/optimizers.py

Each case is computed in double precision by the recurrences below (Goodfellow et al., Deep Learning, algorithms 8.1-8.3 and 8.7, in the
forms that frameworks use) and, where torch.optim has the same form, by torch.optim too: the two must agree, or the script fails.
Every update sees its own learning rate, so that a rate hidden in a moment shows.
"""

import numpy as np
import torch

from golden import made_by, write_json
from bert import ROOT

STEPS, SIZE = 12, 6
AGREEMENT = 1e-13  # of the recurrence with torch, both in double precision
FORMULAS = {
    "gradient_descent": "g = gradient_scale * gradient + weight_decay * p; p -= learning_rate * g",
    "momentum accumulated": "g as above; v = momentum * v + g, from v = 0; p -= learning_rate * (nesterov ? g + momentum * v : v)",
    "momentum averaged": "g as above; v = momentum * v + (1 - momentum) * g, from v = 0; "
    "p -= learning_rate * (nesterov ? (1 - momentum) * g + momentum * v : v)",
    "adam": "g as above; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2; with bias_correction at update t (from 1) "
    "m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t), else m^ = m, v^ = v; p -= learning_rate * m^ / (sqrt(v^) + epsilon)",
    "adamw": "p *= 1 - learning_rate * weight_decay; then as adam, with g = gradient_scale * gradient",
}


def main() -> None:
    generator = np.random.default_rng(30)
    single = lambda values: values.astype(np.float32).astype(np.float64)
    start = single(generator.normal(size=SIZE))
    # Sizes from 1e-3 to 1e2: where an epsilon or a missing square root would show. One gradient is zero throughout.
    gradients = single(generator.normal(size=(STEPS, SIZE)) * np.array([1e-3, 1e-1, 1.0, 10.0, 1e2, 0.0]))
    learning_rates = single(0.05 * (STEPS - np.arange(STEPS)) / STEPS)
    cases = [{**case, "values": trajectory(case, start, gradients, learning_rates).tolist()} for case in all_cases()]
    write_json(
        ROOT / "crates/graftling-tensor/tests/golden/optimizers.json",
        {
            "made_by": made_by("optimizers.py"),
            "about": "values[t] are the parameters after update t; each update takes gradients[t] and learning_rates[t]",
            "formulas": FORMULAS,
            "start": start.tolist(), "gradients": gradients.tolist(), "learning_rates": learning_rates.tolist(), "cases": cases,
        },
    )
    print(f"{len(cases)} cases")


def all_cases() -> list:
    """One object a case: name, optimizer, its numbers, weight_decay and gradient_scale."""
    def case(name: str, optimizer: str, weight_decay: float = 0.0, gradient_scale: float = 1.0, **numbers) -> dict:
        return {"name": name, "optimizer": optimizer, **numbers, "weight_decay": weight_decay, "gradient_scale": gradient_scale}

    def momentum(name: str, form: str, nesterov: bool, **rest) -> dict:
        return case(name, "momentum", momentum=0.9, form=form, nesterov=nesterov, **rest)

    def adam(name: str, optimizer: str, bias_correction: bool, epsilon: float = 1e-8, **rest) -> dict:
        return case(name, optimizer, beta1=0.9, beta2=0.999, epsilon=epsilon, bias_correction=bias_correction, **rest)

    return [
        case("gradient descent", "gradient_descent"),
        case("gradient descent with weight decay", "gradient_descent", weight_decay=0.1),
        case("gradient descent with clipped gradients", "gradient_descent", gradient_scale=0.25),
        momentum("accumulated momentum", "accumulated", False),
        momentum("accumulated momentum with nesterov", "accumulated", True),
        momentum("accumulated momentum with weight decay and clipped gradients", "accumulated", False, weight_decay=0.1, gradient_scale=0.25),
        momentum("averaged momentum", "averaged", False),
        momentum("averaged momentum with nesterov", "averaged", True),
        momentum("averaged momentum with weight decay", "averaged", False, weight_decay=0.1),
        adam("adam", "adam", True),
        adam("adam without bias correction", "adam", False),
        adam("adam with weight decay", "adam", True, weight_decay=0.1),
        adam("adam with a large epsilon and clipped gradients", "adam", True, epsilon=1e-2, gradient_scale=0.25),
        adam("adamw", "adamw", True),
        adam("adamw with weight decay", "adamw", True, weight_decay=0.1),
        adam("adamw without bias correction, with weight decay", "adamw", False, weight_decay=0.1),
        adam("adamw with weight decay and clipped gradients", "adamw", True, weight_decay=0.1, gradient_scale=0.25),
    ]


def trajectory(case: dict, start: np.ndarray, gradients: np.ndarray, learning_rates: np.ndarray) -> np.ndarray:
    """The recurrence, checked against torch where torch has the same form."""
    values = recurrence(case, start, gradients, learning_rates)
    checked = by_torch(case, start, gradients, learning_rates)
    if checked is not None:
        apart = np.abs(values - checked).max()
        assert apart < AGREEMENT, f"{case['name']}: {apart} from torch"
    print(f"{case['name']}: {'torch agrees' if checked is not None else 'torch has no such form'}")
    return values


def recurrence(case: dict, start: np.ndarray, gradients: np.ndarray, learning_rates: np.ndarray) -> np.ndarray:
    p, m, v, values = start.copy(), np.zeros(SIZE), np.zeros(SIZE), []
    for t, (gradient, rate) in enumerate(zip(gradients, learning_rates), start=1):
        g = case["gradient_scale"] * gradient
        if case["optimizer"] == "adamw":
            p *= 1 - rate * case["weight_decay"]
        else:
            g = g + case["weight_decay"] * p
        if case["optimizer"] == "gradient_descent":
            direction = g
        elif case["optimizer"] == "momentum":
            new = g if case["form"] == "accumulated" else (1 - case["momentum"]) * g
            v = case["momentum"] * v + new
            direction = new + case["momentum"] * v if case["nesterov"] else v
        else:
            m = case["beta1"] * m + (1 - case["beta1"]) * g
            v = case["beta2"] * v + (1 - case["beta2"]) * g**2
            m_hat, v_hat = (m / (1 - case["beta1"] ** t), v / (1 - case["beta2"] ** t)) if case["bias_correction"] else (m, v)
            direction = m_hat / (np.sqrt(v_hat) + case["epsilon"])
        p = p - rate * direction
        values.append(p.copy())
    return np.array(values)


def by_torch(case: dict, start: np.ndarray, gradients: np.ndarray, learning_rates: np.ndarray) -> np.ndarray | None:
    """The same by torch.optim; `None` for the averaged form (torch's dampening spares the first update) and without bias correction."""
    if case.get("form") == "averaged" or case.get("bias_correction") is False:
        return None
    parameter = torch.nn.Parameter(torch.tensor(start))
    if case["optimizer"] in ("gradient_descent", "momentum"):
        options = {"momentum": case.get("momentum", 0.0), "nesterov": case.get("nesterov", False)}
        optimizer = torch.optim.SGD([parameter], lr=0.0, weight_decay=case["weight_decay"], **options)
    else:
        kind = torch.optim.AdamW if case["optimizer"] == "adamw" else torch.optim.Adam
        betas = (case["beta1"], case["beta2"])
        optimizer = kind([parameter], lr=0.0, betas=betas, eps=case["epsilon"], weight_decay=case["weight_decay"])
    values = []
    for gradient, rate in zip(gradients, learning_rates):
        optimizer.param_groups[0]["lr"] = float(rate)
        parameter.grad = torch.tensor(case["gradient_scale"] * gradient)
        optimizer.step()
        values.append(parameter.detach().numpy().copy())
    return np.array(values)


if __name__ == "__main__":
    main()
