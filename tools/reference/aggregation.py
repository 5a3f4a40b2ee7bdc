"""Makes crates/graftling/tests/golden/aggregation: entities as transformers' TokenClassificationPipeline puts them together.

    python tools/reference/aggregation.py

Two tiny random models with one tokenizer (a small WordPiece vocabulary) that differ in their labels: `iob` has B- and I- tags, `plain` parts of
speech without letters. Each is saved as transformers saves it, weights in half precision. Texts go through the real pipeline under every
strategy, and under every strategy but `none` also with `stride`, in windows of 16 tokens (`entities`). For `tokens` the pipeline's own steps
are run with one change between them: the probabilities of each token are taken from the window in which it stands furthest from an edge, and its
postprocess then sees the text as one.

A third model, `bytes`, is RoBERTa with a byte-level vocabulary, for which the pipeline guesses words by spaces.
"""
import json
import shutil
import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForTokenClassification, AutoTokenizer, TokenClassificationPipeline

from golden import made_by, write_json

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/graftling/tests/golden/aggregation"
TEXT_GOLDEN = ROOT / "crates/graftling-text/tests/golden"
STRATEGIES = ["none", "simple", "first", "average", "max"]
WINDOW, STRIDE = 16, 4
LABELS = {
    "iob": ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"],
    "plain": ["NOUN", "O", "PUNCT", "VERB"],
    "bytes": ["B-LOC", "I-LOC", "I-ORG", "O"],
}
# Of a byte-level tokenizer only texts without Chinese: there the pipeline takes whole sentences for words, and we do not.
TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Angela Merkel visited unbelievable New York, didn't she?",
    "internationalization, (tokenization) -- 3.14 U.S.A.!",
    "我爱北京天安门。",
    "他在Google公司工作，2023年去了纽约New York。",
    "  two  spaces\tand a tab, naïve café Köln  ",
    "x",
    "",
    "🙂 the movie was good 🙂🙂 ok",
    "The story and this film was not very good, but the music of the old town in the south was great and everybody went home happily. "
    "Then they watched another unbelievable documentary about internationalization in Köln, Paris and London.",
    "这家餐厅的服务很好，但是价格太贵了。我不会再来！我们明天去北京，后天去上海，然后回家休息。",
]


def tiny(name: str) -> Path:
    """A random model whose probabilities are far enough from one another, saved with its tokenizer."""
    folder = GOLDEN / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(17 + list(LABELS).index(name))
    labels = LABELS[name]
    sizes = dict(num_hidden_layers=2, num_attention_heads=2, hidden_size=16, intermediate_size=24, id2label=dict(enumerate(labels)), label2id={label: id for id, label in enumerate(labels)})
    if name == "bytes":
        folder.mkdir(parents=True)
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(TEXT_GOLDEN / "vocabularies" / file, folder)
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer", "model_max_length": 64}) + "\n")
        vocabulary = len(json.loads((folder / "vocab.json").read_text()))
        config = transformers.RobertaConfig(vocab_size=vocabulary, max_position_embeddings=70, type_vocab_size=1, **sizes)
        model = transformers.RobertaForTokenClassification(config)
    else:
        folder.mkdir(parents=True)
        shutil.copy(TEXT_GOLDEN / "small/vocab.txt", folder)
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}) + "\n")
        vocabulary = len((folder / "vocab.txt").read_text().splitlines())
        config = transformers.BertConfig(vocab_size=vocabulary, max_position_embeddings=64, **sizes)
        model = transformers.BertForTokenClassification(config)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            norm = "LayerNorm.weight" in parameter_name
            parameter.copy_(float(norm) + (0.6 if "classifier" in parameter_name else 0.3) * torch.randn(parameter.shape))
    model.half().save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    return folder


def plain(entities: list) -> list:
    """Without numpy; scores in the digits that single precision has."""
    return [{key: float(f"{float(value):.9g}") if key == "score" else int(value) if key in ("start", "end", "index") else value for key, value in entity.items()} for entity in entities]


def by_tokens(pipe: TokenClassificationPipeline, text: str, strategy: str, stride: int) -> list:
    """The pipeline's answer to one text whose windows are made one before anything is put together."""
    params, _, post = pipe._sanitize_parameters(aggregation_strategy=strategy if strategy != "none" else "simple", stride=stride)
    chunks = [pipe.forward(chunk) for chunk in pipe.preprocess(text, **params)]
    tokens = {}
    length = WINDOW - 2
    bounds = []
    for number, chunk in enumerate(chunks):
        start = number * (length - stride)
        count = int((chunk["special_tokens_mask"][0] == 0).sum())
        bounds.append((start, start + count))
    whole = max(end for _, end in bounds)
    for (start, end), chunk in zip(bounds, chunks):
        places = [place for place, special in enumerate(chunk["special_tokens_mask"][0].tolist()) if not special]
        for token, place in zip(range(start, end), places):
            around = min(token - start if start else 10**9, end - 1 - token if end != whole else 10**9)
            if token not in tokens or around > tokens[token][0]:
                tokens[token] = (around, chunk["logits"][0][place], chunk["input_ids"][0][place], chunk["offset_mapping"][0][place])
    order = [tokens[token] for token in sorted(tokens)]
    if not order:
        return []
    # One special token before the text, as in a text that fits, so that `index` counts alike.
    nothing = (0, torch.zeros_like(order[0][1]), torch.tensor(0), torch.tensor([0, 0]))
    order.insert(0, nothing)
    merged = {
        "logits": torch.stack([logits for _, logits, _, _ in order])[None],
        "special_tokens_mask": torch.tensor([[1] + [0] * (len(order) - 1)]),
        "offset_mapping": torch.stack([offsets for _, _, _, offsets in order])[None],
        "input_ids": torch.stack([ids for _, _, ids, _ in order])[None],
        "sentence": text, "word_ids": None, "word_to_chars_map": None,
    }
    return pipe.postprocess([merged], aggregation_strategy=transformers.pipelines.token_classification.AggregationStrategy(strategy))


def main() -> None:
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    cases = []
    for name in LABELS:
        folder = tiny(name)
        model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        texts = [text for text in TEXTS if name != "bytes" or text.isascii() or "ï" in text or "🙂" in text]
        whole = TokenClassificationPipeline(model=model, tokenizer=tokenizer)
        for text in texts:
            for strategy in STRATEGIES:
                cases.append([name, strategy, "", [], text, plain(whole(text, aggregation_strategy=strategy, ignore_labels=[]))])
        cases.append([name, "simple", "", ["O"], TEXTS[1], plain(whole(TEXTS[1], aggregation_strategy="simple"))])
        cases.append([name, "none", "", ["O"], TEXTS[1], plain(whole(TEXTS[1], aggregation_strategy="none"))])
        short = AutoTokenizer.from_pretrained(folder, model_max_length=WINDOW)
        windows = TokenClassificationPipeline(model=model, tokenizer=short)
        for text in texts:
            for strategy in STRATEGIES:
                if strategy != "none":
                    said = plain(windows(text, aggregation_strategy=strategy, stride=STRIDE))
                    # A slip of the pipeline that we do not repeat: where the first entity is an empty piece of the text, it is told twice.
                    said = said[1:] if len(said) > 1 and said[0] == said[1] and said[0]["start"] == said[0]["end"] else said
                    cases.append([name, strategy, "entities", ["O"], text, said])
                cases.append([name, strategy, "tokens", ["O"], text, plain(by_tokens(windows, text, strategy, STRIDE))])
    header = {**made_by("aggregation.py"), "window": WINDOW, "stride": STRIDE}
    fields = ["model", "strategy", "window_merging", "ignored_labels", "text", "entities"]
    write_json(GOLDEN / "cases.json", {"made_by": header, "fields": fields, "cases": cases})
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
