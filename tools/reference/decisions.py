"""Makes crates/graftling/tests/golden/decisions.json.gz: temperatures and thresholds of random logits, by scipy and scikit-learn.

    python tools/reference/decisions.py

A case of "classes": how many there are, the logits in eighths (exact in single precision), the truths as letters, and the temperature with the
lowest cross-entropy: the root of its slope by scipy's `brentq`, which must be no worse than what `minimize_scalar` finds; null where there is none
(every example is told right, or guessing is no worse). A case of "labels": the logits of decisions, their truths, and the temperature likewise. A case of
"threshold": probabilities in sixty-fourths, their truths, and the threshold with the highest F1 by trying all; the F1 must be the
highest of scikit-learn's `precision_recall_curve`; null where nothing is true.
"""
import gzip
import random
import warnings
from fractions import Fraction
from pathlib import Path

import numpy
import scipy
import sklearn
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.metrics import f1_score, precision_recall_curve

from golden import layout, made_by

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES = 1200


def temperature(slope, loss, unbounded: bool):
    """`slope` and `loss` are of the inverse temperature."""
    if unbounded or slope(0.0) >= -1e-9:
        return None
    high = 1.0
    while slope(high) < 0:
        high *= 2
    inverse = brentq(slope, 0.0, high, xtol=1e-15, rtol=1e-14)
    other = minimize_scalar(loss, bounds=(0.0, 2 * high), method="bounded").fun
    assert loss(inverse) <= other + 1e-12, (loss(inverse), other)
    return float(f"{1 / inverse:.13g}")


def classes(number: int, rng: random.Random) -> list:
    kind = ["noise", "good", "overconfident", "constant", "one class", "all right", "one example"][number % 7]
    count, examples = rng.choice([2, 2, 3, 4]), 1 if kind == "one example" else rng.randint(2, 9)
    truths = [0 if kind == "one class" else rng.randrange(count) for _ in range(examples)]
    scale = 96 if kind == "overconfident" else 24
    logits = [[rng.randint(-scale, scale) for _ in range(count)] for _ in range(examples)]
    for row, truth in zip(logits, truths):
        if kind == "all right" or kind in ("good", "overconfident") and rng.random() < 0.7:
            row[truth] = max(row) + 8
    if kind == "constant":
        logits = [logits[0]] * examples
    z, y = numpy.array(logits) / 8, numpy.array(truths)
    true = z[numpy.arange(examples), y]
    slope = lambda inverse: float(((softmax(inverse * z, axis=1) * z).sum(axis=1) - true).sum())
    loss = lambda inverse: float(-log_softmax(inverse * z, axis=1)[numpy.arange(examples), y].sum())
    answer = temperature(slope, loss, bool((true == z.max(axis=1)).all()))
    return ["classes", count, [value for row in logits for value in row], "".join(map(str, truths)), answer]


def labels(number: int, rng: random.Random) -> list:
    kind = ["noise", "good", "none true", "constant", "all right", "one example"][number % 6]
    count = 1 if kind == "one example" else rng.randint(2, 14)
    truths = [0 if kind == "none true" else rng.randrange(2) for _ in range(count)]
    logits = [rng.randint(-40, 40) for _ in range(count)]
    if kind in ("good", "all right"):
        logits = [(abs(logit) + 1) * (1 if truth else -1) if kind == "all right" or rng.random() < 0.7 else logit for logit, truth in zip(logits, truths)]
    if kind == "constant":
        logits = [logits[0]] * count
    z, y = numpy.array(logits) / 8, numpy.array(truths)
    slope = lambda inverse: float((z * (expit(inverse * z) - y)).sum())
    loss = lambda inverse: float(-log_expit(inverse * z * (2 * y - 1)).sum())
    answer = temperature(slope, loss, bool((z * (2 * y - 1) >= 0).all()))
    return ["labels", 1, logits, "".join(map(str, truths)), answer]


def threshold(number: int, rng: random.Random) -> list:
    kind = ["noise", "good", "none true", "all true", "ties", "constant", "one example"][number % 7]
    count = 1 if kind == "one example" else rng.randint(2, 16)
    truths = [{"none true": 0, "all true": 1}.get(kind, rng.randrange(2)) for _ in range(count)]
    grain = 16 if kind == "ties" else 1
    parts = [rng.randint(0, 64 // grain) * grain for _ in range(count)]
    if kind == "good":
        parts = [max(part, 64 - part) if truth else min(part, 64 - part) for part, truth in zip(parts, truths)]
    if kind == "constant":
        parts = [parts[0]] * count
    levels = sorted(set(parts), reverse=True)
    candidates = []
    for place, level in enumerate(levels):
        middle = Fraction(level + (levels[place + 1] if place + 1 < len(levels) else 0), 128)
        said = [Fraction(part, 64) > middle for part in parts]
        right = sum(a and bool(b) for a, b in zip(said, truths))
        if middle > 0:
            candidates.append((Fraction(2 * right, sum(said) + sum(truths)), -abs(middle - Fraction(1, 2)), middle))
    answer = max(candidates)[2] if candidates and any(truths) else None
    if answer is not None:
        precision, recall, _ = precision_recall_curve(truths, numpy.array(parts) / 64)
        highest = max(2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall))
        found = f1_score(truths, numpy.array(parts) / 64 > float(answer), zero_division=0)
        # What has the probability 0 is never said; the curve says it at its lowest end.
        assert abs(found - highest) < 1e-12 or 0 in parts, (found, highest)
    return ["threshold", 1, parts, "".join(map(str, truths)), None if answer is None else float(answer)]


def main() -> None:
    warnings.simplefilter("ignore")
    rng = random.Random(29)
    kinds = [classes, labels, threshold]
    cases = [kinds[number % 3](number // 3, rng) for number in range(3 * CASES)]
    header = made_by("decisions.py") | {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    text = layout({"made_by": header, "cases": cases})
    (GOLDEN / "decisions.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    print(len(cases), "cases,", sum(case[4] is None for case in cases), "without an answer")


if __name__ == "__main__":
    main()
