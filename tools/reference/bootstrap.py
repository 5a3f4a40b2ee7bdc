"""Makes crates/graftling/tests/golden/bootstrap.json.gz: intervals of figures over drawings of the examples, by scikit-learn, scipy and numpy.

    python tools/reference/bootstrap.py

The drawings are those of the library: its counter-based random numbers are written out below. For each drawing the drawn examples are
put side by side and the figures computed from them; an interval is `numpy.percentile` over the drawings for which the figure is defined.
A case: the kind, what the figures are counted from (the form of each kind is at its function), and value, low and high of each figure in
the order of the library; null where there is no interval. A case with a second set of answers has first, second, low, high and p of the
differences.
"""
import gzip
import math
import random
import warnings
from pathlib import Path

import numpy
import scipy
import sklearn
from scipy.stats import pearsonr, spearmanr
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import (
    accuracy_score, average_precision_score, f1_score, matthews_corrcoef, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score,
)

from golden import layout, made_by

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES = 1000
VECTOR_CASES = 400
RESAMPLES = 20
MASK = (1 << 64) - 1
GOLDEN_RATIO = 0x9E3779B97F4A7C15
BINS = 15


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def key(seed: int, place: list) -> int:
    state = mix((seed + GOLDEN_RATIO) & MASK)
    for coordinate in place:
        state = mix(((state + GOLDEN_RATIO) & MASK) ^ mix(coordinate))
    return state


def drawing(resample: int, examples: int) -> list:
    stream = key(0, [5, resample])
    return [(mix((stream + GOLDEN_RATIO * place) & MASK) * examples) >> 64 for place in range(examples)]


def calibration_error(confidences: list) -> float:
    """Of (confidence, whether it came true, how many decisions there are) of every decision."""
    confidence, right = numpy.array(confidences, dtype=float).T
    edges = numpy.linspace(0, 1, BINS + 1)
    inside = [(confidence > low) & (confidence <= high) for low, high in zip(edges[:-1], edges[1:])]
    return sum(abs((confidence[place] - right[place]).sum()) for place in inside) / len(confidence)


def areas(columns: list) -> list:
    """ROC-AUC and average precision in the mean over columns of (truth, score); not a number where one is not defined for all of them."""
    both = lambda truth: 0 < sum(truth) < len(truth)
    mean = lambda of, defined: numpy.mean([of(t, s) for t, s in columns]) if all(defined(t) for t, _ in columns) else math.nan
    return [mean(roc_auc_score, both), mean(average_precision_score, any)]


def classes(number: int, rng: random.Random):
    """The number of classes; truths and answers as letters; probabilities in sixty-fourths, the rest of 64 being that of the last class; losses in eighths."""
    kind = ["noise", "good", "one class", "constant", "one example", "perfect"][number % 6]
    count, examples = rng.choice([2, 2, 3, 4]), 1 if kind == "one example" else rng.randint(2, 9)
    truth = [0 if kind == "one class" else rng.randrange(count) for _ in range(examples)]
    rows = []
    for label in truth:
        cuts = sorted(rng.randint(0, 64) for _ in range(count - 1))
        row = [high - low for low, high in zip([0, *cuts], [*cuts, 64])]
        if kind == "perfect" or kind == "good" and rng.random() < 0.7:
            best = row.index(max(row))
            row[best], row[label] = row[label], row[best]
        rows.append(row)
    if kind == "constant":
        rows = [rows[0]] * examples
    said = [row.index(max(row)) for row in rows]
    losses = [rng.randint(0, 40) for _ in truth]

    def figures(drawn: list) -> list:
        t, s = [truth[place] for place in drawn], [said[place] for place in drawn]
        p = numpy.array([rows[place] for place in drawn]) / 64
        hot = numpy.eye(count)[t]
        brier = ((p - hot) ** 2)[:, 1:].sum(axis=1) if count == 2 else ((p - hot) ** 2).sum(axis=1)
        confidence = [(row.max(), row.argmax() == label) for row, label in zip(p, t)]
        return [
            accuracy_score(t, s), f1_score(t, s, average="macro"), f1_score(t, s, average="weighted"), matthews_corrcoef(t, s), brier.mean(),
            calibration_error(confidence), numpy.mean([losses[place] / 8 for place in drawn]),
            *areas([(hot[:, column], p[:, column]) for column in range(1 if count == 2 else 0, count)]),
        ]

    letters = lambda values: "".join(map(str, values))
    return [count, letters(truth), [part for row in rows for part in row], losses], examples, figures


def labels(number: int, rng: random.Random):
    """The number of labels; truths and answers as letters; probabilities in sixty-fourths; losses in eighths."""
    kind = ["noise", "good", "no positives", "constant", "one example", "perfect"][number % 6]
    count, examples = rng.randint(2, 4), 1 if kind == "one example" else rng.randint(2, 9)
    truth = [[0 if kind == "no positives" else int(rng.random() < 0.4) for _ in range(count)] for _ in range(examples)]
    parts = [[rng.randint(0, 64) for _ in range(count)] for _ in range(examples)]
    if kind in ("good", "perfect"):
        parts = [[max(part, 64 - part) + (part == 32) if holds else min(part, 64 - part) for part, holds in zip(*pair)] for pair in zip(parts, truth)]
    if kind == "constant":
        parts = [parts[0]] * examples
    said = [[int(part > 32) for part in row] for row in parts]
    losses = [rng.randint(0, 40) for _ in truth]

    def figures(drawn: list) -> list:
        t, s = numpy.array([truth[place] for place in drawn]), numpy.array([said[place] for place in drawn])
        p = numpy.array([parts[place] for place in drawn]) / 64
        confidence = [(q, holds) if q > 0.5 else (1 - q, 1 - holds) for q, holds in zip(p.ravel(), t.ravel())]
        of = lambda average: f1_score(t, s, average=average, zero_division=0)
        return [
            of("micro"), of("macro"), of("samples"), (t == s).all(axis=1).mean(), ((p - t) ** 2).mean(), calibration_error(confidence),
            sum(losses[place] / 8 for place in drawn) / t.size, *areas([(t[:, label], p[:, label]) for label in range(count)]),
            *areas([(t.ravel(), p.ravel())]),
        ]

    letters = lambda table: "".join(str(value) for row in table for value in row)
    return [count, letters(truth), [part for row in parts for part in row], losses], examples, figures


def numbers(number: int, rng: random.Random):
    """The number of outputs; truths and answers in eighths; losses in eighths."""
    kind = ["noise", "near", "constant truth", "constant answer", "ties", "equal", "one example"][number % 7]
    count, examples = rng.choice([1, 1, 2]), 1 if kind == "one example" else rng.randint(2, 9)
    spread = 1 if kind == "ties" else 24
    draw = lambda: [[rng.randint(-spread, spread) for _ in range(count)] for _ in range(examples)]
    truth, said = draw(), draw()
    if kind == "near":
        said = [[value + rng.choice([-1, 0, 2]) for value in row] for row in truth]
    if kind == "constant truth":
        truth = [truth[0]] * examples
    if kind == "constant answer":
        said = [said[0]] * examples
    if kind == "equal":
        said = truth
    losses = [rng.randint(0, 40) for _ in truth]

    def figures(drawn: list) -> list:
        t, s = (numpy.array([table[place] for place in drawn]) / 8 for table in (truth, said))
        correlation = lambda of: numpy.mean([of(t[:, output], s[:, output]).statistic for output in range(count)]) if examples > 1 else math.nan
        explained = r2_score(t, s) if examples > 1 else math.nan
        loss = sum(losses[place] / 8 for place in drawn) / t.size
        return [correlation(pearsonr), correlation(spearmanr), mean_absolute_error(t, s), mean_squared_error(t, s), explained, loss]

    flat = lambda table: [value for row in table for value in row]
    return [count, flat(truth), flat(said), losses], examples, figures


def entities(number: int, rng: random.Random):
    """True and said tags (IOB2; words apart by blanks, sentences by bars); losses in eighths; words that have a part in them."""
    kind = ["noise", "near", "none true", "none said", "perfect", "one sentence"][number % 6]
    tag = lambda: rng.choice(["O", "O", "B-A", "I-A", "B-B", "I-B"])
    truth = [[tag() for _ in range(rng.randint(1, 5))] for _ in range(1 if kind == "one sentence" else rng.randint(2, 6))]
    said = [[old if kind in ("near", "perfect") and (kind == "perfect" or rng.random() < 0.8) else tag() for old in row] for row in truth]
    if kind == "none true":
        truth = [["O"] * len(row) for row in truth]
    if kind == "none said":
        said = [["O"] * len(row) for row in truth]
    losses = [rng.randint(0, 40) for _ in truth]
    terms = [rng.randint(0, len(row)) for row in truth]

    def strict(row: list) -> set:
        """An entity begins with B- and goes on with I- of its type; whatever else there is, is none."""
        spans, start = set(), None
        for place, now in enumerate([*row, "O"]):
            if start is not None and now != f"I-{row[start][2:]}":
                spans.add((row[start][2:], start, place))
                start = None
            if now.startswith("B-"):
                start = place
        return spans

    def f1(right: int, predicted: int, support: int) -> float:
        return 2 * right / (predicted + support) if predicted + support else 0.0

    def counts(drawn: list, of, kind=None) -> tuple:
        pick = lambda spans: {span for span in spans if kind in (None, span[0])}
        pairs = [(pick(of(truth[place])), pick(of(said[place]))) for place in drawn]
        return sum(len(t & s) for t, s in pairs), sum(len(s) for _, s in pairs), sum(len(t) for t, _ in pairs)

    def figures(drawn: list) -> list:
        tolerant = lambda row: set(get_entities(row))
        each = [counts(drawn, tolerant, kind) for kind in "AB"]
        each = [f1(*it) for it in each if it[1] + it[2]]
        words = sum(len(truth[place]) for place in drawn)
        right = sum(t == s for place in drawn for t, s in zip(truth[place], said[place]))
        parts = sum(terms[place] for place in drawn)
        return [
            f1(*counts(drawn, tolerant)), numpy.mean(each) if each else 0.0, f1(*counts(drawn, strict)), right / words,
            sum(losses[place] / 8 for place in drawn) / max(1, parts),
        ]

    written = lambda table: "|".join(" ".join(row) for row in table)
    return [written(truth), written(said), losses, terms], len(truth), figures


def language(number: int, rng: random.Random):
    """Tokens of each text; how many were right; losses in eighths."""
    examples = 1 if number % 5 == 0 else rng.randint(2, 9)
    tokens = [rng.randint(1, 6) for _ in range(examples)]
    right = [rng.randint(0, count) for count in tokens]
    losses = [rng.randint(0, 40) for _ in tokens]

    def figures(drawn: list) -> list:
        count = sum(tokens[place] for place in drawn)
        loss = sum(losses[place] / 8 for place in drawn) / count
        return [math.exp(loss), sum(right[place] for place in drawn) / count, loss]

    return [tokens, right, losses], examples, figures


def vectors(rng: random.Random, count: int, sides: int, kind: str) -> tuple:
    """Vectors in eighths, `sides` an example, and the cosines of the first of each with the others. No two cosines are so near that rounding could order them."""
    width = rng.randint(2, 5)
    # Squares and products of eighths are exact, so that cosines are rounded the same way everywhere.
    cosine = lambda a, b: sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(x * x for x in b))
    while True:
        rows = [[rng.randint(-16, 16) for _ in range(width)] for _ in range(sides * count)]
        if kind == "constant":
            rows = [rows[place % sides] for place in range(len(rows))]
        examples = [rows[start:start + sides] for start in range(0, len(rows), sides)]
        if kind == "ties":
            examples = [examples[rng.randrange(min(3, count))] for _ in examples]
        rows = [row for example in examples for row in example]
        if not all(map(any, rows)):
            continue
        cosines = [[cosine(*([part / 8 for part in row] for row in (first, other))) for other in others] for first, *others in examples]
        values = sorted({value for row in cosines for value in row})
        if all(high - low > 1e-3 for low, high in zip(values, values[1:])):
            return [part for row in rows for part in row], width, cosines


def scored(number: int, rng: random.Random):
    """Width; vectors of the pairs in eighths, end to end; scores in quarters."""
    kind = ["noise", "ties", "near", "constant", "constant score", "one example"][number % 6]
    count = 1 if kind == "one example" else rng.randint(2, 9)
    parts, width, cosines = vectors(rng, count, 2, kind)
    cosines = [cosine for (cosine,) in cosines]
    scores = [2] * count if kind == "constant score" else [rng.randint(0, 4) for _ in cosines]
    if kind == "near":
        scores = [round(2 + 2 * value) for value in cosines]

    def figures(drawn: list) -> list:
        s, c = ([values[place] for place in drawn] for values in (scores, cosines))
        return [of(s, c).statistic if len(s) > 1 else math.nan for of in (spearmanr, pearsonr)]

    return [width, parts, scores], count, figures


def decided(number: int, rng: random.Random):
    """Width; vectors of the pairs in eighths, end to end; whether they are alike, as digits."""
    kind = ["noise", "ties", "none alike", "all alike", "one example", "noise"][number % 6]
    count = 1 if kind == "one example" else rng.randint(2, 9)
    parts, width, cosines = vectors(rng, count, 2, kind)
    cosines = [cosine for (cosine,) in cosines]
    alike = [{"none alike": 0, "all alike": 1}.get(kind, rng.randint(0, 1)) for _ in cosines]

    def figures(drawn: list) -> list:
        t, c = (numpy.array([values[place] for place in drawn]) for values in (alike, cosines))
        said = [c >= threshold for threshold in [*c, math.inf]]
        best = lambda of: max(of(t, decision) for decision in said)
        return [average_precision_score(t, c) if any(t) else math.nan, best(lambda *both: f1_score(*both, zero_division=0)), best(accuracy_score)]

    return [width, parts, "".join(map(str, alike))], count, figures


def triplets(number: int, rng: random.Random):
    """Width; vectors of anchor, positive and negative in eighths, end to end."""
    kind = ["noise", "ties", "one example"][number % 3]
    count = 1 if kind == "one example" else rng.randint(2, 9)
    parts, width, cosines = vectors(rng, count, 3, kind)
    right = [near > far for near, far in cosines]
    return [width, parts], count, lambda drawn: [numpy.mean([right[place] for place in drawn])]


def search(number: int, rng: random.Random):
    """The place of the first own candidate of each query, from 0."""
    places = [rng.choice([0, 0, 1, 2, rng.randint(0, 14)]) for _ in range(1 if number % 5 == 0 else rng.randint(2, 12))]

    def figures(drawn: list) -> list:
        ranks = numpy.array([places[place] + 1 for place in drawn])
        return [*((ranks <= shown).mean() for shown in (1, 3, 10)), numpy.where(ranks <= 10, 1 / ranks, 0).mean()]

    return [places], len(places), figures


def ends(values: list):
    defined = [value for value in values if math.isfinite(value)]
    return None if not defined or 2 * len(defined) < RESAMPLES else numpy.percentile(defined, [2.5, 97.5]).tolist()


def intervals(examples: int, figures) -> list:
    point = figures(list(range(examples)))
    drawn = [figures(drawing(resample, examples)) for resample in range(RESAMPLES)]
    rows = []
    for place, value in enumerate(point):
        both = ends([row[place] for row in drawn])
        rows.append([plain(value), *map(plain, both)] if both and math.isfinite(value) else None)
    return rows


def differences(examples: int, first, second) -> list:
    everything = list(range(examples))
    drawn = [[b - a for a, b in zip(first(it), second(it))] for it in (drawing(resample, examples) for resample in range(RESAMPLES))]
    rows = []
    for place, (one, other) in enumerate(zip(first(everything), second(everything))):
        values = [row[place] for row in drawn if math.isfinite(row[place])]
        both = ends([row[place] for row in drawn])
        if not both or not math.isfinite(other - one):
            rows.append(None)
            continue
        rarer = min(sum(value <= 0 for value in values), sum(value >= 0 for value in values))
        rows.append([plain(one), plain(other), *map(plain, both), min(1.0, 2 * (1 + rarer) / (1 + len(values)))])
    return rows


def plain(value) -> float:
    return float(f"{float(value):.14g}")


def main() -> None:
    warnings.simplefilter("ignore")
    rng = random.Random(23)
    kinds = [classes, labels, numbers, entities, language]
    cases = []
    for number in range(CASES):
        kind = kinds[number % len(kinds)]
        given, examples, figures = kind(number // len(kinds), rng)
        cases.append([kind.__name__, given, intervals(examples, figures)])
    of_vectors, kinds = random.Random(29), [scored, decided, triplets, search]
    for number in range(VECTOR_CASES):
        kind = kinds[number % len(kinds)]
        given, examples, figures = kind(number // len(kinds), of_vectors)
        cases.append([kind.__name__, given, intervals(examples, figures)])
    pairs = []
    for number in range(CASES // 4):
        # Differences near none are rounded one way or the other; exact figures have a side.
        tokens = [1] * rng.choice([1, 2, 4, 8])
        sides = [[[rng.randint(0, 1) for _ in tokens], [rng.randint(0, 40) for _ in tokens]] for _ in range(2)]
        if number % 5 == 0:
            sides[1] = sides[0]
        figures = lambda side: lambda drawn: [
            math.exp(sum(side[1][place] / 8 for place in drawn) / len(drawn)), sum(side[0][place] for place in drawn) / len(drawn),
            sum(side[1][place] / 8 for place in drawn) / len(drawn),
        ]
        pairs.append([sides, differences(len(tokens), figures(sides[0]), figures(sides[1]))])
    header = made_by("bootstrap.py") | {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    text = layout({"made_by": header, "resamples": RESAMPLES, "cases": cases, "pairs": pairs})
    (GOLDEN / "bootstrap.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    print(len(cases), "cases,", len(pairs), "pairs")


if __name__ == "__main__":
    main()
