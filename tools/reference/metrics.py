"""Makes crates/graftling/tests/golden/metrics.json: figures of random classifications as scikit-learn computes them.

    python tools/reference/metrics.py

A case is written compactly: its classes, the true and the predicted ones as letters from "0" on, the figures in the order of
`FIGURES`, and precision, recall, F1 of each class. Figures are rounded to 9 places.
"""
import random
import warnings
from pathlib import Path

import sklearn
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support

from golden import made_by, write_json

ROOT = Path(__file__).resolve().parents[2]
CASES = 1000
FIGURES = ["accuracy", "matthews"] + [
    f"{figure}_{average}" for average in ("macro", "micro", "weighted") for figure in ("precision", "recall", "f1")
]
KINDS = ["guessed", "good", "constant", "one class", "absent", "perfect", "all wrong", "skewed"]


def example(kind, classes, rng):
    """True and predicted classes of one case; the kinds are what tends to go wrong."""
    count = rng.randint(1, 30)
    truth = [rng.randrange(classes) for _ in range(count)]
    if kind == "one class":
        truth = [truth[0]] * count
    if kind == "absent":
        used = rng.sample(range(classes), max(1, classes // 2))
        truth = [rng.choice(used) for _ in range(count)]
    if kind == "skewed":
        truth = [0 if rng.random() < 0.9 else t for t in truth]
    predicted = [rng.randrange(classes) for _ in range(count)]
    if kind in ("good", "absent", "skewed"):
        predicted = [t if rng.random() < 0.7 else p for t, p in zip(truth, predicted)]
    if kind == "constant":
        predicted = [predicted[0]] * count
    if kind == "perfect":
        predicted = list(truth)
    if kind == "all wrong":
        predicted = [(t + 1) % classes for t in truth]
    return truth, predicted


def rounded(values):
    return [round(float(value), 9) for value in values]


def case(kind, classes, rng):
    truth, predicted = example(kind, classes, rng)
    figures = [accuracy_score(truth, predicted), matthews_corrcoef(truth, predicted)]
    for average in ("macro", "micro", "weighted"):
        figures += precision_recall_fscore_support(truth, predicted, average=average)[:3]
    of_class = precision_recall_fscore_support(truth, predicted, labels=range(classes))[:3]
    letters = lambda numbers: "".join(chr(ord("0") + number) for number in numbers)
    return [classes, letters(truth), letters(predicted), *rounded(figures), *rounded(x for column in zip(*of_class) for x in column)]


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(2)
    sizes = [1, 2, 2, 3, 3, 4, 5]
    cases = [case(KINDS[n % len(KINDS)], sizes[n % len(sizes)], rng) for n in range(CASES)]
    cases += [case(kind, 40, rng) for kind in KINDS]
    header = {**made_by("metrics.py"), "scikit-learn": sklearn.__version__}
    write_json(ROOT / "crates/graftling/tests/golden/metrics.json", {"made_by": header, "figures": FIGURES, "cases": cases})
    print(len(cases), "cases")


main()
