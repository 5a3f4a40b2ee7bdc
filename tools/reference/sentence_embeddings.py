"""Makes crates/graftling/tests/golden/{embedding_losses,similarities}.json: what sentence-transformers computes of vectors.

    python tools/reference/sentence_embeddings.py

Losses: the classes of sentence-transformers themselves, on vectors as they are. A case: the loss, its options, the number of texts an example, the
vectors of all texts in turn (in sixteenths, exact in single precision), the scores, the loss, and its gradient by each value.
Similarities: what the evaluators of sentence-transformers say, whose model looks vectors up. A case: the form, the width, the vectors in turn (in
eighths), the scores, and the figures, null where one is not defined. Of pairs without scores the identities of the texts come before the figures.
"""
import logging
import math
import random
import types
import warnings
from pathlib import Path

import numpy
import scipy
import sentence_transformers
import sklearn
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import evaluation, losses
from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric

from golden import made_by, write_json

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
LOSS_CASES = 12
CASES = 1000
MEASURES = ["cosine", "dot", "manhattan", "euclidean"]


class Table(SentenceTransformer):
    """A model whose texts are the places of their vectors."""

    def __init__(self, vectors):
        torch.nn.Module.__init__(self)
        self.vectors = numpy.array(vectors, dtype=numpy.float64)
        self.model_card_data = types.SimpleNamespace(set_evaluation_metrics=lambda *_: None)

    def encode(self, sentences, **kwargs):
        rows = self.vectors[[int(sentence) for sentence in sentences]]
        return torch.from_numpy(rows) if kwargs.get("convert_to_tensor") else rows

    encode_query = encode_document = encode
    similarity_fn_name = "cosine"


def loss_cases(rng: random.Random) -> list:
    cases = []
    for number in range(LOSS_CASES):
        count, width = rng.randint(2, 6), rng.randint(3, 7)
        scale, margin = rng.choice([1.0, 5.0, 20.0]), rng.choice([0.25, 0.5, 1.5])
        continuous = [rng.choice([-1.0, -0.5, 0.0, 0.25, 0.25, 0.75, 1.0]) for _ in range(count)]
        decided = [float(rng.randint(0, 1)) for _ in range(count)]
        euclidean, cosine = TripletDistanceMetric.EUCLIDEAN, TripletDistanceMetric.COSINE
        for name, options, sides, scores, loss in [
            ("cosent", {"scale": scale}, 2, continuous, losses.CoSENTLoss(None, scale=scale)),
            ("cosine_similarity", {}, 2, continuous, losses.CosineSimilarityLoss(None)),
            ("contrastive", {"margin": margin}, 2, decided, losses.ContrastiveLoss(None, margin=margin)),
            ("multiple_negatives", {"scale": scale}, 2, [], losses.MultipleNegativesRankingLoss(None, scale=scale)),
            ("multiple_negatives", {"scale": scale}, 3, [], losses.MultipleNegativesRankingLoss(None, scale=scale)),
            ("triplet", {"margin": margin, "distance": "euclidean"}, 3, [], losses.TripletLoss(None, euclidean, margin)),
            ("triplet", {"margin": margin, "distance": "cosine"}, 3, [], losses.TripletLoss(None, cosine, margin)),
        ]:
            values = [[rng.randint(-40, 40) / 16 for _ in range(width)] for _ in range(count * sides)]
            vectors = torch.tensor(values, dtype=torch.float64, requires_grad=True)
            value = loss.compute_loss_from_embeddings([vectors[side::sides] for side in range(sides)], torch.tensor(scores, dtype=torch.float64))
            value.backward()
            gradient = [round(slope, 9) for slope in vectors.grad.flatten().tolist()]
            cases.append([name, options, sides, width, [round(16 * part) for row in values for part in row], scores, round(value.item(), 9), gradient])
    return cases


def rounded(value):
    return None if value is None or math.isnan(value) else round(float(value), 7)


def vectors(rng: random.Random, count: int, width: int, kind: str) -> list:
    rows = [[rng.randint(-16, 16) / 8 for _ in range(width)] for _ in range(count)]
    rows = [row if any(row) else [1.0] + row[1:] for row in rows]
    if kind == "ties":
        # Few vectors that occur again and again.
        rows = [rows[rng.randrange(min(3, count))] for _ in rows]
    return [rows[0]] * count if kind == "constant" else rows


def distinct(rows, sides: int) -> bool:
    """Whether no two cosines are so near that rounding could order them, unless they are of the very same vectors."""
    groups = [tuple(map(tuple, rows[start:start + sides])) for start in range(0, len(rows), sides)]
    cosine = lambda a, b: numpy.dot(a, b) / numpy.linalg.norm(a) / numpy.linalg.norm(b)
    known = {(group[0], other): cosine(group[0], other) for group in groups for other in group[1:]}
    values = sorted(known.values())
    return all(high - low > 1e-4 for low, high in zip(values, values[1:]))


def drawn(rng, count, width, kind, sides):
    while True:
        rows = vectors(rng, sides * count, width, kind)
        if distinct(rows, sides):
            return rows


def scored(rng, kind):
    count, width = rng.randint(2, 8), rng.randint(2, 5)
    rows = drawn(rng, count, width, kind, 2)
    scores = [rng.randint(0, 4) / 4 for _ in range(count)] if kind != "constant score" else [0.5] * count
    names = [str(place) for place in range(2 * count)]
    evaluator = evaluation.EmbeddingSimilarityEvaluator(names[0::2], names[1::2], scores, similarity_fn_names=MEASURES, write_csv=False)
    figures = evaluator(Table(rows))
    constant = len(set(scores)) == 1
    of = lambda name: [None if constant or spread(rows, measure) else rounded(figures[f"{name}_{measure}"]) for measure in MEASURES]
    return ["scored", width, flat(rows), scores, of("pearson") + of("spearman")]


def spread(rows, measure) -> bool:
    """Whether one measure says the same of all pairs, up to rounding; what a correlation says then is noise."""
    one, other = numpy.array(rows[0::2]), numpy.array(rows[1::2])
    values = {
        "cosine": (one * other).sum(1) / numpy.linalg.norm(one, axis=1) / numpy.linalg.norm(other, axis=1),
        "dot": (one * other).sum(1), "manhattan": abs(one - other).sum(1), "euclidean": numpy.linalg.norm(one - other, axis=1),
    }[measure]
    return bool(numpy.ptp(values) < 1e-9)


def decided(rng, kind):
    count, width = rng.randint(2, 9), rng.randint(2, 5)
    rows = drawn(rng, count, width, kind, 2)
    labels = [1] * count if kind == "all alike" else [rng.randint(0, 1) for _ in range(count)]
    names = [str(place) for place in range(2 * count)]
    figures = evaluation.BinaryClassificationEvaluator(names[0::2], names[1::2], labels, similarity_fn_names=["cosine"], write_csv=False)(Table(rows))
    wanted = ["accuracy", "accuracy_threshold", "f1", "f1_threshold", "precision", "recall", "ap"]
    values = [rounded(figures[f"cosine_{name}"]) for name in wanted]
    if not any(labels):
        values[-1] = None
    return ["decided", width, flat(rows), labels, values]


def triplets(rng, kind):
    count, width = rng.randint(1, 8), rng.randint(2, 5)
    rows = drawn(rng, count, width, kind, 3)
    names = [str(place) for place in range(3 * count)]
    figures = evaluation.TripletEvaluator(names[0::3], names[1::3], names[2::3], similarity_fn_names=MEASURES, write_csv=False)(Table(rows))
    return ["triplets", width, flat(rows), [], [rounded(figures[f"{measure}_accuracy"]) for measure in MEASURES]]


def pairs(rng, kind):
    count, width = rng.randint(1, 14), rng.randint(2, 4)
    firsts, seconds = ([rng.randrange(count) if kind == "repeated" else place for place in range(count)] for _ in range(2))
    # Numbers in the order in which the texts first occur.
    firsts, seconds = ([list(dict.fromkeys(side)).index(text) for text in side] for side in (firsts, seconds))
    while True:
        queries, corpus = vectors(rng, max(firsts) + 1, width, kind), vectors(rng, max(seconds) + 1, width, kind)
        if all(distinct([row for other in corpus for row in (query, other)], 2) for query in queries):
            break
    table = Table(queries + corpus)
    own = {}
    for first, second in zip(firsts, seconds):
        own.setdefault(f"q{first:03}", set()).add(f"c{second:03}")
    evaluator = evaluation.InformationRetrievalEvaluator(
        {f"q{place:03}": str(place) for place in range(len(queries))},
        {f"c{place:03}": str(place + len(queries)) for place in range(len(corpus))},
        own, score_functions={"cosine": lambda one, other: sentence_transformers.util.cos_sim(one, other).round(decimals=6)}, write_csv=False, mrr_at_k=[10], accuracy_at_k=[1, 3, 10],
    )
    figures = evaluator(table)
    rows = [row for first, second in zip(firsts, seconds) for row in (queries[first], corpus[second])]
    identities = [[first, second] for first, second in zip(firsts, seconds)]
    values = [rounded(figures[f"cosine_{name}"]) for name in ("accuracy@1", "accuracy@3", "accuracy@10", "mrr@10")]
    return ["pairs", width, flat(rows), [], values, [number for pair in identities for number in pair]]


def flat(rows):
    return [round(8 * value) for row in rows for value in row]


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    header = {**made_by("sentence_embeddings.py"), "sentence-transformers": sentence_transformers.__version__}
    header |= {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    rng = random.Random(5)
    write_json(GOLDEN / "embedding_losses.json", {"made_by": header, "cases": loss_cases(rng)})
    cases = []
    for number in range(CASES):
        make, kinds = [
            (scored, ["noise", "ties", "constant", "constant score"]), (decided, ["noise", "ties", "constant", "all alike"]),
            (triplets, ["noise", "ties", "constant"]), (pairs, ["noise", "ties", "constant", "repeated"]),
        ][number % 4]
        cases.append(make(rng, kinds[number // 4 % len(kinds)]))
    write_json(GOLDEN / "similarities.json", {"made_by": header, "cases": cases})


if __name__ == "__main__":
    main()
