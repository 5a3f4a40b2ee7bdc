"""Makes crates/graftling/tests/golden/probabilities.json: figures of random probabilities as scikit-learn computes them.

    python tools/reference/probabilities.py

A case: "classes" or "labels", how many there are, the truths as letters, the probabilities in sixty-fourths (exact in single precision), and ROC-AUC,
average precision, Brier score, calibration error; of labels also ROC-AUC and average precision over all decisions pooled. Null where a figure is
not defined. The calibration error, which scikit-learn does not have, is computed here by numpy from its definition (Guo and others, 2017).
"""
import random
import warnings
from pathlib import Path

import numpy
import sklearn
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.preprocessing import label_binarize

from golden import made_by, write_json

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES = 1200
PARTS = 64
BINS = 15


def calibration_error(confidence, right) -> float:
    edges = numpy.linspace(0, 1, BINS + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high) | (low == 0) & (confidence == 0)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def defined(truth) -> bool:
    """Whether every column has both values."""
    return bool(((truth.sum(axis=0) > 0) & (truth.sum(axis=0) < len(truth))).all())


def classes(number: int, rng: random.Random) -> list:
    kind = ["noise", "good", "ties", "constant", "one class", "certain"][number % 6]
    count, examples = rng.choice([2, 2, 3, 4]), rng.randint(1, 9)
    truths = [rng.randrange(1 if kind == "one class" else count) for _ in range(examples)]
    rows = []
    for truth in truths:
        grain = 16 if kind == "ties" else 1
        cuts = sorted(rng.randint(0, PARTS // grain) * grain for _ in range(count - 1))
        row = [high - low for low, high in zip([0, *cuts], [*cuts, PARTS])]
        if kind == "good" and rng.random() < 0.7:
            best = row.index(max(row))
            row[best], row[truth] = row[truth], row[best]
        if kind == "certain":
            row = [0] * count
            row[rng.choice([truth, rng.randrange(count)])] = PARTS
        rows.append(row)
    if kind == "constant":
        rows = [rows[0]] * examples
    p, y = numpy.array(rows) / PARTS, numpy.array(truths)
    one_hot = label_binarize(y, classes=range(count)) if count > 2 else (y == 1).reshape(-1, 1).astype(int)
    scores = p if count > 2 else p[:, 1:]
    figures = [
        roc_auc_score(one_hot, scores, average="macro") if defined(one_hot) else None,
        average_precision_score(one_hot, scores, average="macro") if (one_hot.sum(axis=0) > 0).all() else None,
        brier_score_loss(y, p[:, 1], pos_label=1, labels=[0, 1]) if count == 2 else brier_score_loss(y, p, labels=list(range(count)), scale_by_half=False),
        calibration_error(p.max(axis=1), p.argmax(axis=1) == y),
    ]
    return ["classes", count, "".join(map(str, truths)), [part for row in rows for part in row], rounded(figures)]


def labels(number: int, rng: random.Random) -> list:
    kind = ["noise", "good", "ties", "constant", "empty", "full"][number % 6]
    count, examples = rng.randint(1, 4), rng.randint(1, 9)
    truths = [[{"empty": 0, "full": 1}.get(kind, rng.randrange(2)) for _ in range(count)] for _ in range(examples)]
    grain = 16 if kind == "ties" else 1
    rows = [[rng.randint(0, PARTS // grain) * grain for _ in row] for row in truths]
    if kind == "good":
        rows = [[max(part, PARTS - part) if truth else min(part, PARTS - part) for part, truth in zip(row, truth_row)] for row, truth_row in zip(rows, truths)]
    if kind == "constant":
        rows = [rows[0]] * examples
    p, y = numpy.array(rows) / PARTS, numpy.array(truths)
    flat_p, flat_y = p.ravel(), y.ravel()
    mixed = 0 < flat_y.sum() < len(flat_y)
    figures = [
        roc_auc_score(y, p, average="macro") if defined(y) else None,
        average_precision_score(y, p, average="macro") if (y.sum(axis=0) > 0).all() else None,
        float(((p - y) ** 2).mean()),
        calibration_error(numpy.where(flat_p > 0.5, flat_p, 1 - flat_p), (flat_p > 0.5) == (flat_y == 1)),
        roc_auc_score(flat_y, flat_p) if mixed else None,
        average_precision_score(flat_y, flat_p) if flat_y.any() else None,
    ]
    return ["labels", count, "".join(str(truth) for row in truths for truth in row), [part for row in rows for part in row], rounded(figures)]


def rounded(figures: list) -> list:
    return [None if figure is None else round(float(figure), 9) for figure in figures]


def main() -> None:
    warnings.simplefilter("ignore")
    rng = random.Random(11)
    cases = [(classes if number % 2 == 0 else labels)(number // 2, rng) for number in range(CASES)]
    write_json(GOLDEN / "probabilities.json", {"made_by": made_by("probabilities.py") | {"scikit-learn": sklearn.__version__}, "cases": cases})


if __name__ == "__main__":
    main()
