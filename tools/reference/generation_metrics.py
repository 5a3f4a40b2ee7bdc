"""Makes crates/graftling/tests/golden/generation.json.gz and stems.txt.gz: figures of generated texts, by sacrebleu and rouge_score.

    python tools/reference/generation_metrics.py

A corpus: its texts (output, references), the options that were drawn for it, and what the two programs say of it.

    [[[output, [reference, ...]], ...], [lowercase, smoothing, value, TER's options as four digits, stemmer], bleu, chrf, ter, rouge, signatures]

`bleu` has a figure for each of TOKENIZERS with the four precisions of the first; `chrf` those of chrF and chrF++; `ter` that of sacrebleu's
defaults and that with the options; `rouge` precision, recall and F1 of each of ROUGE for each text; `signatures` are there for every tenth.
Some corpora also have intervals over drawings of their texts (`intervals`), by recomputing the figures of each drawing.

stems.txt.gz has a line a word: the word, how many letters its stem lacks at the end, and what comes there instead.
"""
import gzip
import random
import re
from pathlib import Path

import nltk
import sacrebleu
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER

from bootstrap import RESAMPLES, intervals
from golden import layout, made_by

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/graftling/tests/golden"
CORPORA = 1400
RESAMPLED = 60
TOKENIZERS = ["13a", "zh", "intl", "char", "none"]
ROUGE = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
SMOOTHINGS = [("exp", None), ("exp", None), ("floor", None), ("floor", 0.25), ("floor", 0.0), ("add-k", None), ("add-k", 0.5), ("none", None)]

ENGLISH = """the a of and to in is was it that he she they house garden report committee decided running runner relational happily ponies
nationalization agreed motoring dying skies flies tried cats Washington President London it's don't state-of-the-art well-known U.S. e.g.
Mr. one two three red green blue quickly said says saying generously argument probably stopped hopping""".split()
NUMBERS = "1,000.50 3.14 2026 1990. 10-20 $5 50% 7, ,7 .5 5. 12:30 1/2 (42) 2nd -3 v2.0 1.000,5 ٣ ½ ²".split()
PUNCTUATION = """. , ! ? ; : - – — … ... " ' “ ” ‘ ’ ( ) [ ] { } / \\ & &quot; &amp; &lt; &gt; &amp;lt; <skipped> * + = < > @ # $ % ^ _ ` ~ | § ¶ © ™ € £ →
∑ ≤ · « » ¿ ¡""".split()
CHINESE = "我 你 他 们 的 是 在 有 中国 北京 大学 学生 今天 天气 很好 世界 经济 发展 。 ， ！ ？ 、 《 》 “ ” （ ） ： ； 1 2 3 2026年 50% AI ． ｶ ﹏ ㎡ ㊣ 𠀀 豈".split()
OTHERS = """привет мир Москва ёлка café naïve Zürich Straße ÉCOLE İstanbul ΣΟΦΟΣ Όδυσσεύς أهلا العالم नमस्ते สวัสดี 안녕하세요 세계 こんにちは 世界 カタカナ ﾊﾝｶｸ
日本語です。 🙂 🎉👍 👩‍👩‍👧 e\u0301 Ａｂｃ １２３ ﬁne Ǆ K""".split()
SPACES = [" ", " ", " ", " ", " ", " ", "  ", "\t", "\u00a0", "\u3000", "\u2009", "\x1c", "\x85", "\n", "-\n", "\n-"]


def word(rng: random.Random, script: str) -> str:
    pools = {
        "english": [ENGLISH] * 8 + [NUMBERS, PUNCTUATION],
        "chinese": [CHINESE],
        "few": [ENGLISH[:5]],
        "marks": [NUMBERS, PUNCTUATION, PUNCTUATION, ENGLISH],
        "mixed": [ENGLISH, NUMBERS, PUNCTUATION, CHINESE, OTHERS],
    }[script]
    text = rng.choice(rng.choice(pools))
    if script != "few" and rng.random() < 0.1:
        text = rng.choice([text.upper(), text.capitalize(), text + rng.choice([".", ",", "!", "'s", "-"]), "(" + text + ")", '"' + text])
    return text


def words(rng: random.Random, script: str, count: int) -> list:
    return [word(rng, script) for _ in range(count)]


def joined(rng: random.Random, script: str, parts: list) -> str:
    if script == "chinese":
        return "".join(parts)
    odd = script in ("mixed", "marks") and rng.random() < 0.3
    text = "".join(part + (rng.choice(SPACES) if odd else " ") for part in parts)
    return text if rng.random() < 0.1 else text.rstrip(" ")


def changed(rng: random.Random, script: str, parts: list) -> list:
    """Words left out, put in, replaced, and a run of them moved elsewhere."""
    parts = list(parts)
    for _ in range(rng.randint(0, 1 + len(parts) // 4)):
        at, end = rng.randrange(len(parts) + 1), rng.randint(1, 5)
        kind = rng.choice(["out", "in", "other", "moved", "moved"])
        if kind == "out":
            del parts[at:at + end]
        elif kind == "in":
            parts[at:at] = words(rng, script, 1)
        elif kind == "other":
            parts[at:at + 1] = words(rng, script, 1)
        else:
            run = parts[at:at + end]
            del parts[at:at + end]
            to = rng.randrange(len(parts) + 1)
            parts[to:to] = run
    return parts


def text(rng: random.Random, kind: str, script: str) -> list:
    """An output and its references."""
    length = {"short": rng.randint(1, 3), "long": rng.randint(30, 60), "moved": rng.randint(8, 30)}.get(kind, rng.randint(1, 14))
    base = words(rng, script, length)
    references = [base] + [changed(rng, script, base) for _ in range(rng.choice([0, 0, 0, 1, 2, 3]))]
    output = changed(rng, script, base)
    if kind == "unrelated":
        output = words(rng, script, length)
    if kind == "equal":
        output = rng.choice(references)
    if kind == "far":
        one, other = [words(rng, script, rng.randint(1, 4)), words(rng, script, rng.randint(60, 130))][::rng.choice([1, -1])]
        output, references = one, [other]
    if kind == "moved":
        cut = rng.randrange(length)
        output = changed(rng, script, base[cut:] + base[:cut])
    output, references = joined(rng, script, output), [joined(rng, script, reference) for reference in references]
    if kind == "empty":
        drawn = rng.random()
        output = "" if drawn < 0.6 else rng.choice([output, " ", "\u3000"])
        references = ["" if rng.random() < 0.5 and drawn > 0.3 else reference for reference in references]
    return [output, references]


def corpus(number: int, rng: random.Random) -> list:
    kinds = ["near", "near", "near", "unrelated", "equal", "empty", "short", "moved", "all empty", "near", "near", "short"]
    kind = "long" if number % 70 == 69 else "far" if number % 70 == 35 else kinds[number % len(kinds)]
    script = rng.choice(["english", "english", "chinese", "few", "marks", "mixed", "mixed"])
    count = 1 if kind in ("long", "far") else rng.randint(1, 4)
    if kind == "all empty":
        return [["", [""]] for _ in range(count)]
    texts = [text(rng, kind if kind != "near" else rng.choice(["near", "near", "short", "equal"]), script) for _ in range(count)]
    if number % 3:
        most = min(len(references) for _, references in texts)
        texts = [[output, references[:most]] for output, references in texts]
    return texts


def plain(value) -> float:
    return float(f"{float(value):.9g}")


def of(metric, texts: list):
    """The figure of a corpus, whose texts may have different numbers of references."""
    most = max(len(references) for _, references in texts)
    columns = [[references[place] if place < len(references) else None for _, references in texts] for place in range(most)]
    # sacrebleu looks at the first of each, which is there.
    return metric.corpus_score([output for output, _ in texts], columns)


def rouge_of(scorer: RougeScorer, texts: list) -> list:
    each = [scorer.score_multi(references, output) for output, references in texts]
    return [[plain(part) for kind in ROUGE for part in scores[kind]] for scores in each]


def judged(number: int, texts: list, rng: random.Random) -> list:
    lowercase, (smoothing, value), stemmer = rng.random() < 0.3, rng.choice(SMOOTHINGS), bool(number % 2)
    digits = "".join(str(rng.randint(0, 1)) for _ in range(4))
    bleus = [BLEU(lowercase=lowercase, tokenize=name, smooth_method=smoothing, smooth_value=value, force=True) for name in TOKENIZERS]
    chrfs = [CHRF(word_order=order, lowercase=lowercase) for order in (0, 2)]
    names = ["normalized", "no_punct", "asian_support", "case_sensitive"]
    ters = [TER(), TER(**{name: digit == "1" for name, digit in zip(names, digits)})]
    scores = [of(bleu, texts) for bleu in bleus]
    bleu = [plain(score.score) for score in scores] + [plain(precision) for precision in scores[0].precisions]
    chrf, ter = ([plain(of(metric, texts).score) for metric in metrics] for metrics in (chrfs, ters))
    signatures = [str(metric.get_signature()) for metric in (*bleus, *chrfs, *ters)] if number % 10 == 0 else []
    return [
        texts, [lowercase, smoothing, value, digits, stemmer], bleu, chrf, ter,
        rouge_of(RougeScorer(ROUGE, use_stemmer=stemmer), texts), signatures,
    ]


def resampled(rng: random.Random) -> list:
    """A corpus and the intervals of BLEU (13a), chrF, chrF++, TER and the F1 of ROUGE over drawings of its texts."""
    texts = [text(rng, rng.choice(["near", "short", "moved"]), "english") for _ in range(rng.randint(2, 6))]
    metrics = [BLEU(force=True), CHRF(), CHRF(word_order=2), TER()]
    scorer = RougeScorer(ROUGE)
    each = [scorer.score_multi(references, output) for output, references in texts]

    def figures(drawn: list) -> list:
        some = [texts[place] for place in drawn]
        means = [sum(each[place][kind].fmeasure for place in drawn) / len(drawn) for kind in ROUGE]
        return [of(metric, some).score for metric in metrics] + means

    return [texts, intervals(len(texts), figures)]


def vocabulary(rng: random.Random) -> list:
    """The words of the shipped reviews, and words put together from letters and endings."""
    files = sorted((ROOT / "data").rglob("*.csv"))
    found = {word for file in files for word in re.findall("[a-z0-9]+", file.read_text(encoding="utf-8").lower())}
    endings = """s es ies sses ss eed ed ing ied y ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism iveness
    fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion ou
    ism ate iti ous ive ize e ll at bl iz tt zz""".split()
    letters = "bcdfghklmnprstvwyaeiou"
    made = {
        "".join(rng.choice(letters) for _ in range(rng.randint(0, 6))) + "".join(rng.choice(endings) for _ in range(rng.randint(1, 2)))
        for _ in range(9000)
    }
    irregular = "sky skies dying lying tying news inning innings outing outings canning cannings howe proceed exceed succeed yyyy yyyyying".split()
    return sorted(found | made | set(irregular))


def main() -> None:
    rng = random.Random(31)
    corpora = [judged(number, corpus(number, rng), rng) for number in range(CORPORA)]
    drawn = [resampled(rng) for _ in range(RESAMPLED)]
    header = made_by("generation_metrics.py") | {"sacrebleu": sacrebleu.__version__, "rouge_score": "0.1.2", "nltk": nltk.__version__}
    value = {"made_by": header, "tokenizers": TOKENIZERS, "resamples": RESAMPLES, "corpora": corpora, "intervals": drawn}
    (GOLDEN / "generation.json.gz").write_bytes(gzip.compress(layout(value).encode(), mtime=0))
    stemmer, lines = PorterStemmer(), []
    words = vocabulary(rng)
    for one in words:
        stem = stemmer.stem(one)
        same = next((place for place, (a, b) in enumerate(zip(one, stem)) if a != b), min(len(one), len(stem)))
        lines.append(f"{one} {len(one) - same} {stem[same:]}".rstrip())
    (GOLDEN / "stems.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    print(len(corpora), "corpora,", len(drawn), "with intervals,", len(words), "words")


if __name__ == "__main__":
    main()
