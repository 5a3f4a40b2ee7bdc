"""Makes crates/graftling/tests/golden/{answers,passages}.json: figures of answers as SQuAD's scripts count them, and passages chosen from logits.

    python -m pip install --no-deps --target PACKAGES "transformers==4.57.1" "torchmetrics==1.8.2" lightning-utilities
    python tools/reference/questions.py PACKAGES

Figures. SQuAD 1.1 is judged by torchmetrics (`squad`; but see `judged`), SQuAD 2.0 by the last transformers that has the official script in it
(`data/metrics/squad_metrics.py`); both are put beside the environment, for they do not fit into it. Mixed segmentation is stated here: SQuAD's normalisation
with all of Unicode's punctuation left out and each Chinese character and kana a token, as MLQA's script does for Chinese. A case holds the answers of
the data (with bars between them; null where there is none), the answer given, and exact match and F1 by 1.1, by 2.0 and mixed (judged as 1.1, or as 2.0 where there is no answer in the data). A group
holds the numbers of its cases, the threshold's score and the best passage of each, and the figures of the whole.

Passages. `postprocess` below states anew what transformers' example `utils_qa.py` does (`postprocess_qa_predictions`). A case holds n_best_size,
max_answer_length, the threshold (null: an answer is always given), the answer's offsets (null where it is empty), its probability, the score difference,
and then a text for each window: of each token the offsets (a dash where it is not of the context) and the logits of beginning and end, in 64ths. Of equal
logits the order of a stable sort counts.

Positions. A case holds the place of the context's first token in a window, the offsets of its tokens as a text, the offsets of an answer, and the
tokens that it begins and ends with; null where it does not stand in the window (`run_qa.py`, stated anew, too).
"""
import importlib
import importlib.util
import random
import re
import string
import sys
import types
import unicodedata
from collections import Counter
from pathlib import Path

import numpy

from golden import made_by, write_json

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES, GROUPS, PASSAGES, POSITIONS = 1500, 60, 140, 200

ENGLISH = "the a an The A cat sat on mat theatre anthem Eiffel Tower 1989 $5 5 percent North-West co-op it's U.S. U.S thé naïve Übung ß İstanbul".split()
CHINESE = ["北京", "上海市", "红楼梦", "《红楼梦》", "1791年", "清代", "曹雪芹", "，", "。", "“", "”", "ひらがな", "カタカナ", "日本", "ー", "々", "〇", "𠮷", "・"]
ODD = ["", " ", "...", "!", "the", "a", "An.", "—", "–", "\u00a0", "\u3000", "\u0085", "\u001c", "'", '"', "¿", "…", "½", "Ⅷ", "a-", "-the", "the.", "_a_", "№5"]


def load_squad2(folder: str):
    """The module alone: its package does not run in this environment, and a name that it imports is not used for figures."""
    for name in ["four", "four.models", "four.models.bert", "four.utils", "four.data", "four.data.metrics"]:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules["four.models.bert"].BasicTokenizer = None
    sys.modules["four.utils"].logging = types.SimpleNamespace(get_logger=lambda _: None)
    name = "four.data.metrics.squad_metrics"
    spec = importlib.util.spec_from_file_location(name, Path(folder) / "transformers/data/metrics/squad_metrics.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.12:
        return rng.choice(ODD)
    words = ENGLISH if kind < 0.55 else CHINESE if kind < 0.8 else ENGLISH + CHINESE + ODD
    return rng.choice([" ", " ", "", "  ", "-", "\u00a0", "\t"]).join(rng.choice(words) for _ in range(rng.randint(1, 6)))


def case(number: int, rng: random.Random) -> tuple:
    kind = number % 6
    golds = [] if kind == 0 else [text(rng) for _ in range(rng.choice([1, 1, 2, 3, 4]))]
    said = "" if kind in (0, 1) and rng.random() < 0.5 else text(rng)
    if kind in (2, 3) and golds:
        said = rng.choice(golds)
        if kind == 3:
            parts = said.split(" ")
            rng.shuffle(parts)
            said = " ".join(parts + [rng.choice(ENGLISH)] * rng.randint(0, 2)).upper()
    # SQuAD's data has no empty answers: a question has some text, or no answer.
    return [gold for gold in golds if gold], said


HAN_OR_KANA = re.compile("[\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U000323af]")


def mixed_words(answer: str) -> list:
    plain = "".join(c for c in answer.lower() if c not in string.punctuation and not unicodedata.category(c).startswith("P"))
    plain = re.sub(r"\b(a|an|the)\b", " ", plain)
    return HAN_OR_KANA.sub(lambda found: f" {found.group()} ", plain).split()


def mixed_scores(gold: str, said: str, as_squad2: bool) -> tuple:
    gold, said = mixed_words(gold), mixed_words(said)
    exact = int(gold == said)
    if not gold or not said:
        return exact, exact if as_squad2 else 0
    common = sum((Counter(gold) & Counter(said)).values())
    if not common:
        return exact, 0
    precision, recall = common / len(said), common / len(gold)
    return exact, 2 * precision * recall / (precision + recall)


def judged(golds: list, said: str, squad1, squad2) -> list:
    first = [None, None]
    if golds:
        # Where no word is left the script of SQuAD 1.1 gives an F1 of 0; torchmetrics does there as 2.0 does.
        f1 = lambda said, gold: squad1._compute_f1_score(said, gold) if squad1._get_tokens(gold) else 0
        first = [float(max(one(said, gold) for gold in golds)) for one in (squad1._compute_exact_match_score, f1)]
    kept = [gold for gold in golds if squad2.normalize_answer(gold)] or [""]
    second = [float(max(one(gold, said) for gold in kept)) for one in (squad2.compute_exact, squad2.compute_f1)]
    mixed_kept = [gold for gold in golds if mixed_words(gold)] or [""]
    of_mixed = [mixed_scores(gold, said, not golds) for gold in (golds or mixed_kept)]
    return [rounded(value) for value in first + second + [max(scores[place] for scores in of_mixed) for place in (0, 1)]]


def rounded(value):
    return None if value is None else round(float(value), 9)


def group(number: int, cases: list, rng: random.Random, squad2) -> dict:
    chosen = [rng.randrange(len(cases)) for _ in range(rng.randint(1, 12))]
    if number % 4 == 0:
        chosen = [one for one in chosen if cases[one][0]] or [next(place for place, one in enumerate(cases) if one[0])]
    differences = [rng.randint(-400, 400) / 64 for _ in chosen]
    passages = [cases[one][1] if rng.random() < 0.6 else text(rng) for one in chosen]
    result = {"cases": chosen, "differences": differences, "passages": passages}
    if all(cases[one][0] for one in chosen):
        # Every question has an answer: nothing but the means of 1.1 is wanted.
        result["exact_match"], result["f1"] = (100 * sum(cases[one][2 + place] for one in chosen) / len(chosen) for place in (0, 1))
        return result
    example = lambda place: types.SimpleNamespace(qas_id=str(place), answers=[{"text": gold} for gold in cases[chosen[place]][0]])
    examples = [example(place) for place in range(len(chosen))]
    named = {str(place): cases[one][1] for place, one in enumerate(chosen)}
    result["squad2"] = {name: rounded(value) for name, value in squad2.squad_evaluate(examples, named).items() if not name.startswith("best")}
    # The best threshold is looked for among the best passages.
    named = {str(place): passage for place, passage in enumerate(passages)}
    best = squad2.squad_evaluate(examples, named, {str(place): difference for place, difference in enumerate(differences)}, 1e9)
    result["best"] = {name: rounded(value) for name, value in best.items() if name.startswith("best")}
    return result


def postprocess(windows: list, n_best_size: int, max_answer_length: int, threshold) -> tuple:
    """What `postprocess_qa_predictions` does with one question; a threshold stands for `version_2_with_negative`."""
    null, prelim = None, []
    for offsets, starts, ends in windows:
        starts, ends = (numpy.array(logits, dtype=numpy.float32) for logits in (starts, ends))
        score = starts[0] + ends[0]
        if null is None or null["score"] > score:
            null = {"offsets": (0, 0), "score": score}
        best = lambda logits: numpy.argsort(logits, kind="stable")[-1 : -n_best_size - 1 : -1].tolist()
        for start in best(starts):
            for end in best(ends):
                if offsets[start] is None or offsets[end] is None or end < start or end - start + 1 > max_answer_length:
                    continue
                passage = {"offsets": (offsets[start][0], offsets[end][1]), "score": starts[start] + ends[end], "logits": (starts[start], ends[end])}
                prelim.append(passage)
    if threshold is not None:
        prelim.append(null)
    predictions = sorted(prelim, key=lambda one: one["score"], reverse=True)[:n_best_size]
    if threshold is not None and not any(one["offsets"] == (0, 0) for one in predictions):
        predictions.append(null)
    if not any(one["offsets"] != (0, 0) for one in predictions):
        return None
    scores = numpy.array([one["score"] for one in predictions])
    weights = numpy.exp(scores.astype(numpy.float64) - scores.max())
    for one, probability in zip(predictions, weights / weights.sum()):
        one["probability"] = float(probability)
    best = next(one for one in predictions if one["offsets"] != (0, 0))
    if threshold is None:
        return best["offsets"], best["probability"], None
    difference = float(null["score"] - best["logits"][0] - best["logits"][1])
    return (None, null["probability"], difference) if difference > threshold else (best["offsets"], best["probability"], difference)


def passages(rng: random.Random) -> list:
    while True:
        question, window, shared = rng.randint(1, 4), rng.randint(4, 14), rng.randint(0, 3)
        count = rng.randint(1, 3)
        lengths = [rng.randint(1, 5) for _ in range(window * count)]
        begins = [sum(lengths[:place]) + place for place in range(len(lengths))]
        draw = lambda: rng.randint(-256, 256) / 64
        windows = []
        for number in range(count):
            first = number * (window - shared)
            tokens = [[begins[token], begins[token] + lengths[token]] for token in range(first, first + window)]
            offsets = [None] * (question + 2) + tokens + [None]
            logits = [[draw() for _ in offsets] for _ in range(2)]
            for of_column in logits:
                of_column[0] += rng.choice([0, 2, 4])
            windows.append([offsets, *logits])
        n_best_size, max_answer_length = rng.choice([2, 3, 5, 20]), rng.choice([1, 2, 5, 30])
        threshold = rng.choice([None, 0.0, rng.randint(-64, 64) / 32])
        result = postprocess(windows, n_best_size, max_answer_length, threshold)
        # Where the most probable beginnings and ends make no passage, that program answers "empty"; ours is tested apart.
        if result is None:
            continue
        start, end = result[0] or (None, None)
        texts = [" ".join(token(*of_token) for of_token in zip(*window)) for window in windows]
        return [n_best_size, max_answer_length, threshold, start, end, rounded(result[1]), rounded(result[2]), *texts]


def token(offsets, start: float, end: float) -> str:
    return f"{'-' if offsets is None else '{}-{}'.format(*offsets)}:{round(64 * start)}:{round(64 * end)}"


def positions(number: int, rng: random.Random) -> list:
    """Where `prepare_train_features` of transformers' `run_qa.py` puts an answer: tokens of the window, or none of them."""
    question, count = rng.randint(1, 3), rng.randint(1, 12)
    offsets, at = [], rng.randint(0, 3)
    for _ in range(count):
        length = rng.randint(1, 4)
        # Several tokens may make up one character, and blanks may stand between tokens.
        offsets += [[at, at + length]] * (rng.choice([2, 3]) if number % 5 == 0 and length == 1 else 1)
        at += length + rng.choice([0, 0, 1, 2])
    start = rng.randint(0, at)
    end = start + rng.randint(1, 8)
    if number % 2:
        first, last = sorted(rng.sample(range(len(offsets)), 2)) if len(offsets) > 1 else (0, 0)
        start, end = offsets[first][0], offsets[last][1]
    context = [None] * (question + 2)
    window = context + offsets + [None]
    first, last = len(context), len(window) - 2
    if not (window[first][0] <= start and window[last][1] >= end):
        return [question + 2, as_text(offsets), start, end, None, None]
    while first < len(window) - 1 and window[first][0] <= start:
        first += 1
    while last >= len(context) and window[last][1] >= end:
        last -= 1
    # Where the answer is one character of several tokens that program begins with its last token and ends with its first.
    return [question + 2, as_text(offsets), start, end, *sorted([first - 1, last + 1])]


def as_text(offsets: list) -> str:
    return " ".join("{}-{}".format(*of_token) for of_token in offsets)


def main() -> None:
    folder = sys.argv[1]
    squad2 = load_squad2(folder)
    sys.path.append(folder)
    import torchmetrics

    squad1 = importlib.import_module("torchmetrics.functional.text.squad")
    header = {**made_by("questions.py"), "torchmetrics": torchmetrics.__version__, "squad_metrics": "transformers 4.57.1"}
    rng = random.Random(11)
    cases = []
    for number in range(CASES):
        golds, said = case(number, rng)
        assert not any("|" in gold for gold in golds)
        cases.append([golds, said, *judged(golds, said, squad1, squad2)])
    groups = [group(number, cases, rng, squad2) for number in range(GROUPS)]
    written = [["|".join(golds) or None, *rest] for golds, *rest in cases]
    write_json(GOLDEN / "answers.json", {"made_by": header, "cases": written, "groups": groups})
    write_json(GOLDEN / "passages.json", {"made_by": made_by("questions.py"), "cases": [passages(rng) for _ in range(PASSAGES)], "positions": [positions(number, rng) for number in range(POSITIONS)]})


if __name__ == "__main__":
    main()
