"""Golden cases of the tokenizers of encoder-decoders, made by transformers and by sentencepiece from vocabularies trained here.

Writes crates/graftling-text/tests/golden/: small SentencePiece models (vocabularies/marian-*.model) and, for each kind of folder, its
files and what texts become in it as texts that are read and as texts that are written, cut and whole, and the texts of ids
(translation.json.gz). Run it with a Python that has transformers, tokenizers, sentencepiece and protobuf:

    python tools/reference/translation_tokenizers.py

With `--saved target/debug/examples/encode` it writes nothing, and opens in transformers what graftling saves of the same folders:

    cargo build -p graftling-text --example encode

Whether sacremoses is there makes no difference: MarianTokenizer does not ask it when it encodes.
"""

import gzip
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import Tokenizer
from transformers import AutoTokenizer, MarianTokenizer, MBart50Tokenizer, MBartTokenizer, NllbTokenizer, PreTrainedTokenizerFast
from transformers import convert_slow_tokenizer as _  # noqa: F401  the package replaces the module's name by a function

from golden import made_by
from tokenization import TEXTS
from tokenizer_families import GOLDEN, RULES, VOCABULARIES, corpus, pieces, special

converters = sys.modules["transformers.convert_slow_tokenizer"]

# More of NFKC than the other models here have, with keys that begin others.
RULES = {**RULES, "a\u0301": "á", "o\u0302": "ô", "o\u0302\u0301": "ố", "n\u0303": "ñ", "u\u0308": "ü", "ﾊﾟ": "パ", "ﾊ": "ハ", "㎏": "kg", "\u0007": "", "\ufeff": "",
         "\u2003": " ", "ᄒ\u1161": "하", "ᄒ\u1161\u11ab": "한", "…": "..."}

GERMAN = [
    "Die Katze sitzt auf der Matte und schläft.", "Das Wetter ist heute sehr schön, aber morgen regnet es.", "Können Sie mir bitte sagen, wie spät es ist?",
    "Ich hätte gern einen Kaffee und ein Stück Kuchen.", "Der Zug nach München fährt in zehn Minuten ab.", "Straßenbahnhaltestelle, Übergröße, Ärger",
    "Wir haben gestern Abend einen guten Film gesehen.", "Er wohnt seit drei Jahren in einem kleinen Dorf an der Küste.", "Hunde und Katzen sind beliebte Haustiere.",
]
CHINESE = ["今天天气很好，我们去公园散步吧。", "这本书非常有意思，我看了三遍。", "请问，火车站怎么走？", "他在北京住了五年，说一口流利的中文。", "我喜欢喝茶，也喜欢喝咖啡。", "明天早上八点开会，请不要迟到。"]

CASES = TEXTS + GERMAN[:4] + CHINESE[:3] + [
    ">>zh<< This is a test.", ">>zh<<", ">>zh<<no blank", " >>zh<< with a blank before", "in the middle >>zh<< of a text", ">>nope<< is no language", ">>zh<<>>de<< two of them",
    ">>unfinished and no end", "<<zh>> turned", ">> a << b", "</s>>>zh<< behind a special token", "<unk> and </s> in a <pad> text", "<s> of another model", "a <ctx> b<ctx>c", "one<two> <two>",
    "  leading and   inner  spaces  ", "a▁b ▁ c ▁", "▁", " ▁", "e\u0301\u0302\u0323 o\u0302\u0301 o\u0302", "👩‍👩‍👧 👍🏽 🇩🇪", "x" * 400, "ü" * 90 + "u\u0308" * 40, "\u200b", "\u200b \u200b", " \u0007 a",
    "1234567890 3.14", "<0xE5> <0x41>", "\u2047", "北京大学 and München", "한국어 ᄒ\u1161\u11ab", "\ufeffmark first", "en_XX in text de_DE", "eng_Latn and deu_Latn", "<extra_id_0> x <extra_id_99> <extra_id_100>",
    "\u001c\u001d", "a\u001c", "don't we 've n't . , ' !", "( brackets )(", "...wait…",
]


def train(name, texts, **options):
    rules = VOCABULARIES / "rules.tsv"
    rules.write_text("".join(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n" for a, b in RULES.items()))
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=out, normalization_rule_tsv=str(rules), hard_vocab_limit=False,
                                             character_coverage=0.98, num_threads=1, minloglevel=2, **{"vocab_size": 420, **options})
    rules.unlink()
    (VOCABULARIES / name).write_bytes(out.getvalue())
    return name


def train_all():
    english = corpus()
    others = 6 * (GERMAN + CHINESE) + english[:60]
    train("marian-source.model", english, bos_id=-1, eos_id=0, unk_id=1)
    train("marian-target.model", others, bos_id=-1, eos_id=0, unk_id=1)
    train("marian-symbols.model", english[:200], bos_id=-1, eos_id=0, unk_id=1, vocab_size=300, user_defined_symbols="(,),▁don", remove_extra_whitespaces=False)
    train("marian-student.model", english[:100] + others, bos_id=-1, eos_id=0, unk_id=1, byte_fallback=True, split_digits=True, vocab_size=700)
    train("marian-bare.model", others, bos_id=-1, eos_id=2, unk_id=0, pad_id=1, vocab_size=300, add_dummy_prefix=False, unk_surface="?")


def processor(name):
    return sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / name))


def vocabulary(names, seed, codes):
    """Numbers of the pieces of several models in an order of their own; some are missing, as in folders that were trained on other texts."""
    found = {}
    chance = random.Random(seed)
    for name in names:
        model = processor(name)
        texts = [model.id_to_piece(i) for i in range(model.get_piece_size()) if not (model.is_control(i) or model.is_unknown(i))]
        for text in texts:
            if model.is_byte(model.piece_to_id(text)) or chance.random() < 0.94:
                found.setdefault(text)
    chance.shuffle(order := list(found))
    return {token: index for index, token in enumerate(["</s>", "<unk>", *order, *codes, "<pad>"])}


def folders():
    """(name, vocabularies by the name they have in the folder, JSON files, how transformers opens it)"""
    codes = [">>zh<<", ">>de<<", ">>cmn_Hans<<"]
    two = {"source.spm": "marian-source.model", "target.spm": "marian-target.model"}
    config = {"model_type": "marian"}
    yield "marian", two, {"vocab.json": vocabulary(two.values(), 1, codes), "config.json": config,
                          "tokenizer_config.json": {"tokenizer_class": "MarianTokenizer", "source_lang": "eng", "target_lang": "mul"}}, MarianTokenizer
    symbols = {"source.spm": "marian-symbols.model", "target.spm": "marian-student.model"}
    ids = vocabulary(symbols.values(), 2, codes)
    added = {"0": {"content": "</s>", "special": True}, "1": {"content": "<unk>", "special": True}, str(ids["<pad>"]): {"content": "<pad>", "special": True},
             str(len(ids)): {"content": "<ctx>", "special": True, "lstrip": True, "rstrip": True}, str(len(ids) + 1): {"content": "<two>", "special": False}}
    for token in added.values():
        token.update({"normalized": False, "single_word": False, "lstrip": token.get("lstrip", False), "rstrip": token.get("rstrip", False)})
    yield "marian, added tokens and symbols", symbols, {"vocab.json": ids, "config.json": config, "tokenizer_config.json": {
        "tokenizer_class": "MarianTokenizer", "added_tokens_decoder": added, "additional_special_tokens": ["<ctx>"], "clean_up_tokenization_spaces": True}}, MarianTokenizer
    yield "marian, two vocabularies", two, {
        "vocab.json": vocabulary([two["source.spm"]], 3, []), "target_vocab.json": own_padding(vocabulary([two["target.spm"]], 4, []), vocabulary([two["source.spm"]], 3, [])),
        "config.json": {**config, "share_encoder_decoder_embeddings": False}, "tokenizer_config.json": {"tokenizer_class": "MarianTokenizer", "separate_vocabs": True}}, MarianTokenizer
    yield "student", {"source.spm": "marian-student.model"}, {"config.json": {"model_type": "marian-ssru"}}, None
    yield "student, a model for each side", {"source.spm": "marian-source.model", "target.spm": "marian-student.model"}, {
        "config.json": {"model_type": "marian-ssru", "share_encoder_decoder_embeddings": False}}, None
    yield "a model alone", {"source.spm": "marian-bare.model"}, {}, None
    fairseq = {"sentencepiece.bpe.model": "unigram.model"}
    for name, kind, own in (("mbart", MBartTokenizer, converters.MBartConverter), ("mbart50", MBart50Tokenizer, converters.MBart50Converter)):
        for languages in ({"src_lang": "de_DE", "tgt_lang": "zh_CN"}, {}):
            yield f"{name} {languages}", fairseq, {"config.json": {"model_type": "mbart"}, "tokenizer_config.json": {"tokenizer_class": kind.__name__, **languages}}, own
    yield "t5", {"spiece.model": "t5.model"}, {"config.json": {"model_type": "mt5"}, "tokenizer_config.json": {"extra_ids": 7}}, converters.T5Converter
    yield "nllb", {}, {"tokenizer_config.json": {"tokenizer_class": "NllbTokenizer", "src_lang": "deu_Latn", "tgt_lang": "zho_Hans"}}, NllbTokenizer


def own_padding(target, source):
    """The padding at the place where the other vocabulary has it; what stood there goes to the end."""
    place = source["<pad>"]
    moved = [token for token, index in target.items() if index == place]
    ids = {**target, "<pad>": place}
    if moved and moved[0] != "<pad>":
        ids[moved[0]] = target["<pad>"]
    return ids


class Converted:
    """What a converter of transformers makes of a SentencePiece model, with the frames of the class that goes with it."""

    def __init__(self, converter, file, settings):
        self.name = converter.__name__
        extra = settings.get("extra_ids", 0)
        names = ["<s>", "</s>", "<unk>", "<pad>"] if extra == 0 else ["</s>", "<unk>", "<pad>"]
        added = [special(name) for name in names] + ([special("<mask>", lstrip=True)] if extra == 0 else [])
        added += [special(f"<extra_id_{i}>") for i in range(extra)]
        languages = {"MBartConverter": "MBART_LANGUAGES", "MBart50Converter": "MBART50_LANGUAGES"}.get(self.name)
        added += [special(code) for code in getattr(converters, languages)] if languages else []
        self.tokenizer, _ = pieces(converter, file, added, _extra_ids=extra)
        self.source = settings.get("src_lang", "en_XX")
        self.target = settings.get("tgt_lang", self.source)
        self.specials = {token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.special}

    def encode(self, text, target=False):
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        end = self.tokenizer.token_to_id("</s>")
        code = self.tokenizer.token_to_id(self.target if target else self.source)
        return {"MBartConverter": [*ids, end, code], "MBart50Converter": [code, *ids, end], "T5Converter": [*ids, end]}[self.name]

    def decode(self, ids, skip):
        return self.tokenizer.decode(ids, skip_special_tokens=skip)

    def special_ids(self):
        return sorted(self.tokenizer.token_to_id(token) for token in self.specials)


class Transformers:
    """A tokenizer of transformers."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def encode(self, text, target=False):
        return self.tokenizer(text_target=text)["input_ids"] if target else self.tokenizer(text)["input_ids"]

    def cut(self, text, length, target):
        given = {"text_target": text} if target else {"text": text}
        return self.tokenizer(**given, truncation=True, max_length=length)["input_ids"]

    def decode(self, ids, skip):
        return self.tokenizer.decode(ids, skip_special_tokens=skip)

    def special_ids(self):
        return self.tokenizer.all_special_ids


class Alone:
    """sentencepiece itself, with the end behind every text."""

    def __init__(self, files):
        self.source = processor(files["source.spm"])
        self.target = processor(files.get("target.spm", files["source.spm"]))

    def model(self, target):
        return self.target if target else self.source

    def encode(self, text, target=False):
        model = self.model(target)
        return [*model.encode(text), model.piece_to_id("</s>")]

    def offsets(self, text):
        return [[piece.begin, piece.end] for piece in self.source.encode(text, return_type="proto").pieces]

    def decode(self, ids, skip):
        return self.target.decode([i for i in ids if not skip or i not in self.special_ids()])

    def special_ids(self):
        return [i for i in range(self.target.get_piece_size()) if self.target.is_control(i) or self.target.is_unknown(i)]


def opened(name, files, jsons, kind, folder):
    if kind is None:
        return Alone(files)
    if kind in (converters.MBartConverter, converters.MBart50Converter, converters.T5Converter):
        return Converted(kind, next(iter(files.values())), jsons["tokenizer_config.json"])
    if kind is NllbTokenizer:
        saved = tempfile.mkdtemp()
        base = Tokenizer.from_str(json.dumps(json.loads(gzip.open(GOLDEN / "families.json.gz").read())["families"][-2]["tokenizer_json"]))
        model = json.loads(base.to_str())["model"]
        assert model["type"] == "BPE", "the family of byte pairs has moved"
        order = sorted(model["vocab"], key=model["vocab"].get)
        plain = [token for token in order if token not in ("<s>", "</s>", "<unk>", "<pad>")]
        ids = {token: index for index, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *plain])}
        nllb = NllbTokenizer(vocab=ids, merges=[tuple(merge) for merge in model["merges"]], extra_special_tokens=["deu_Latn", "eng_Latn", "zho_Hans"],
                             src_lang="deu_Latn", tgt_lang="zho_Hans")
        nllb.save_pretrained(saved)
        jsons["tokenizer.json"] = json.loads((pathlib.Path(saved) / "tokenizer.json").read_text())
        shutil.rmtree(saved)
        return Transformers(nllb)
    for file, source in files.items():
        shutil.copy(VOCABULARIES / source, folder / file)
    for file, content in jsons.items():
        (folder / file).write_text(json.dumps(content, ensure_ascii=False))
    return Transformers(kind.from_pretrained(folder))


def row(name, files, jsons, kind):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = opened(name, files, jsons, kind, pathlib.Path(folder))
        texts, decoded, cut = [], [], []
        chance = random.Random(name)
        highest = 0
        for text in CASES:
            source, target = tokenizer.encode(text), tokenizer.encode(text, target=True)
            texts.append({"text": text, "source": source, "target": target})
            if isinstance(tokenizer, Alone) and "student" not in name:
                texts[-1]["offsets"] = tokenizer.offsets(text)
            highest = max(highest, *target)
        sequences = [case["target"] for case in texts]
        specials = tokenizer.special_ids()
        for _ in range(40):
            length = chance.randint(1, 12)
            sequences.append([chance.choice(specials) if chance.random() < 0.15 else chance.randint(0, highest) for _ in range(length)])
        for ids in sequences:
            decoded.append({"ids": ids, "whole": tokenizer.decode(ids, False), "text": tokenizer.decode(ids, True)})
        if isinstance(tokenizer, Transformers):
            for text in CASES[:12] + CASES[-30:]:
                cut.append({"text": text, "max_length": 7, "source": tokenizer.cut(text, 7, False), "target": tokenizer.cut(text, 7, True)})
        return {"name": name, "files": files, "jsons": jsons, "special_ids": sorted(specials), "texts": texts, "decoded": decoded, "cut": cut}


def saved(encode):
    """Whether transformers opens the folders that graftling saves, and makes the same of texts; mBART's class in version 5 does not normalise."""
    lines = "".join(json.dumps(text) + "\n" for text in CASES)
    for name, files, jsons, kind in folders():
        if kind is None:
            continue
        with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as after:
            opened(name, files, jsons, kind, pathlib.Path(before))
            for file, source in files.items():
                shutil.copy(VOCABULARIES / source, pathlib.Path(before) / file)
            for file, content in jsons.items():
                (pathlib.Path(before) / file).write_text(json.dumps(content, ensure_ascii=False))
            said = subprocess.run([encode, before, after], input=lines, capture_output=True, text=True, check=True).stdout
            theirs = Transformers(AutoTokenizer.from_pretrained(after))
            whole = PreTrainedTokenizerFast(tokenizer_file=f"{after}/tokenizer.json") if "tokenizer.json" in os.listdir(after) else None
        found = [json.loads(line) for line in said.splitlines()]
        differ = [text for text, line in zip(CASES, found, strict=True)
                  if line["source"] != theirs.encode(text) or line["target"] != theirs.encode(text, target=True)]
        plainly = [text for text, line in zip(CASES, found) if whole and line["source"] != whole(text)["input_ids"]]
        print(f"{name}: {type(theirs.tokenizer).__name__} opens it, {len(differ)} of {len(CASES)} texts differ {differ}; tokenizer.json by itself: {plainly}")


def main():
    if "--saved" in sys.argv:
        return saved(sys.argv[sys.argv.index("--saved") + 1])
    if "--keep" not in sys.argv:
        train_all()
    rows = [row(*folder) for folder in folders()]
    for one in rows:
        print(one["name"], len(json.dumps(one)), "bytes")
    made = {**made_by("translation_tokenizers.py"), "sentencepiece": sentencepiece.__version__}
    text = json.dumps({"made_by": made, "folders": rows}, ensure_ascii=True, separators=(",", ":"))
    with open(GOLDEN / "translation.json.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(text.encode())
    print((GOLDEN / "translation.json.gz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
