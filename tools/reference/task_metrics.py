"""Makes crates/graftling/tests/golden/{regression,multi_label,entities}.json: figures of random predictions as scikit-learn and scipy compute them.

    python tools/reference/task_metrics.py

A case of regression: the number of outputs, the truths and the predictions (multiples of 1/8, exact in single precision), and mse, rmse, mae, r2,
pearson, spearman averaged over the outputs; null where one of them is not defined. A case of several labels: their number, the truths and
the predictions as letters 0 and 1, the figures in the order of `MULTI_LABEL`, and precision, recall, F1 of each label. A case of entities (seqeval):
the scheme, the true and the predicted tags of each sentence (words apart by blanks, sentences by bars), accuracy and then precision, recall, F1 for
micro, macro, weighted, first in the default mode, then in the strict mode with that scheme.
"""
import importlib.metadata
import math
import random
import warnings
from pathlib import Path

import numpy
import scipy
import seqeval.metrics
import seqeval.metrics.v1
import seqeval.scheme
import sklearn
from scipy.stats import pearsonr, spearmanr
from seqeval.metrics import accuracy_score as seqeval_accuracy
from sklearn.metrics import (
    accuracy_score, hamming_loss, mean_absolute_error, mean_squared_error, precision_recall_fscore_support, r2_score, root_mean_squared_error,
)

from golden import made_by, write_json

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES = 1000
MULTI_LABEL = ["accuracy", "hamming_loss"] + [f"{figure}_{average}" for average in ("micro", "macro", "weighted", "samples") for figure in ("precision", "recall", "f1")]


def rounded(values) -> list:
    return [None if value is None or math.isnan(value) else round(float(value), 9) for value in values]


def regression(number: int, rng: random.Random) -> list:
    kind = ["noise", "near", "constant truth", "constant prediction", "ties", "equal", "one"][number % 7]
    outputs, count = rng.choice([1, 1, 2, 3]), 1 if kind == "one" else rng.randint(2, 9)
    draw = lambda: rng.randint(-24, 24) / 8
    truth = [[draw() for _ in range(outputs)] for _ in range(count)]
    prediction = [[draw() for _ in range(outputs)] for _ in range(count)]
    if kind == "near":
        prediction = [[value + rng.choice([-0.125, 0, 0.25]) for value in row] for row in truth]
    if kind == "constant truth":
        truth = [truth[0]] * count
    if kind == "constant prediction":
        prediction = [prediction[0]] * count
    if kind == "ties":
        truth, prediction = ([[float(round(value)) % 2 for value in row] for row in rows] for rows in (truth, prediction))
    if kind == "equal":
        prediction = truth
    t, p = numpy.array(truth), numpy.array(prediction)
    correlation = lambda of: sum(float(of(t[:, output], p[:, output]).statistic) for output in range(outputs)) / outputs if count > 1 else None
    figures = [
        mean_squared_error(t, p), root_mean_squared_error(t, p), mean_absolute_error(t, p), r2_score(t, p) if count > 1 else None,
        correlation(pearsonr), correlation(spearmanr),
    ]
    return [outputs, t.flatten().tolist(), p.flatten().tolist(), *rounded(figures)]


def multi_label(number: int, rng: random.Random) -> list:
    kind = ["guessed", "good", "none predicted", "none true", "perfect", "one label rare"][number % 6]
    labels, count = rng.randint(1, 6), rng.randint(1, 12)
    share = rng.choice([0.2, 0.5, 0.8])
    draw = lambda: [[int(rng.random() < share) for _ in range(labels)] for _ in range(count)]
    truth, predicted = draw(), draw()
    if kind == "good":
        predicted = [[value if rng.random() < 0.8 else 1 - value for value in row] for row in truth]
    if kind == "none predicted":
        predicted = [[0] * labels for _ in range(count)]
    if kind == "none true":
        truth = [[0] * labels for _ in range(count)]
    if kind == "perfect":
        predicted = truth
    if kind == "one label rare":
        truth = [[0] + row[1:] for row in truth]
    t, p = numpy.array(truth), numpy.array(predicted)
    # One column would be taken for a column of classes: scikit-learn is told the rows themselves.
    figures = [float((t == p).all(axis=1).mean()), float((t != p).mean())]
    if labels > 1:
        assert numpy.allclose(figures, [accuracy_score(t, p), hamming_loss(t, p)])
        for average in ("micro", "macro", "weighted", "samples"):
            figures += precision_recall_fscore_support(t, p, average=average, zero_division=0)[:3]
        each = precision_recall_fscore_support(t, p, average=None, zero_division=0)[:3]
    else:
        # With a second label that never is, micro, weighted and samples stay what they are; the mean over labels is that of the one.
        wide = [numpy.hstack([x, numpy.zeros_like(x)]) for x in (t, p)]
        each = [x[:1] for x in precision_recall_fscore_support(*wide, average=None, zero_division=0)[:3]]
        for average in ("micro", "macro", "weighted", "samples"):
            figures += [x[0] for x in each] if average == "macro" else precision_recall_fscore_support(*wide, average=average, zero_division=0)[:3]
    letters = lambda rows: "".join(str(value) for row in rows for value in row)
    return [labels, letters(truth), letters(predicted), *rounded(figures), *rounded(x for column in zip(*each) for x in column)]


SCHEMES = {"IOB2": "IB", "IOB1": "IB", "IOE2": "IE", "IOBES": "IBES", "BILOU": "IBLU"}


def entities(number: int, rng: random.Random) -> list:
    scheme = list(SCHEMES)[number % len(SCHEMES)]
    kind = ["guessed", "near", "none true", "none predicted", "perfect", "one type", "odd names"][number % 7]
    types = ["A"] if kind == "one type" else ["A-B", "", "C"] if kind == "odd names" else ["A", "B", "C"]
    letters = SCHEMES[scheme]
    tag = lambda: "O" if rng.random() < 0.35 else "-".join(filter(None, [rng.choice(letters), rng.choice(types)]))
    truth = [[tag() for _ in range(rng.randint(1, 8))] for _ in range(rng.randint(1, 4))]
    predicted = [[tag() for _ in sentence] for sentence in truth]
    if kind == "near":
        predicted = [[old if rng.random() < 0.8 else new for old, new in zip(*pair)] for pair in zip(truth, predicted)]
    if kind == "none true":
        truth = [["O"] * len(sentence) for sentence in truth]
    if kind == "none predicted":
        predicted = [["O"] * len(sentence) for sentence in truth]
    if kind == "perfect":
        predicted = [list(sentence) for sentence in truth]
    figures = [seqeval_accuracy(truth, predicted)]
    for options in ({}, {"mode": "strict", "scheme": getattr(seqeval.scheme, scheme)}):
        for average in ("micro", "macro", "weighted"):
            nothing = not figures_of(truth, predicted, None, options)[3].size
            # Where there is no entity on either side, seqeval's mean over no types is not a number.
            figures += [0.0] * 3 if nothing else figures_of(truth, predicted, average, options)[:3]
    written = lambda sentences: "|".join(" ".join(sentence) for sentence in sentences)
    return [scheme, written(truth), written(predicted), *rounded(figures)]


def figures_of(truth: list, predicted: list, average, options: dict):
    if options:
        return seqeval.metrics.v1.precision_recall_fscore_support(truth, predicted, average=average, scheme=options["scheme"], zero_division=0)
    return seqeval.metrics.sequence_labeling.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)


def main() -> None:
    warnings.simplefilter("ignore")
    header = {**made_by("task_metrics.py"), "scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    header["seqeval"] = importlib.metadata.version("seqeval")
    rng = random.Random(3)
    write_json(GOLDEN / "regression.json", {"made_by": header, "cases": [regression(number, rng) for number in range(CASES)]})
    write_json(GOLDEN / "multi_label.json", {"made_by": header, "figures": MULTI_LABEL, "cases": [multi_label(number, rng) for number in range(CASES)]})
    write_json(GOLDEN / "entities.json", {"made_by": header, "cases": [entities(number, rng) for number in range(CASES)]})


if __name__ == "__main__":
    main()
