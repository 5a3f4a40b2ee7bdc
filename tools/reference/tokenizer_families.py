"""Golden cases of the tokenizers of other families than BERT, made by transformers' converters from vocabularies trained here.

Writes crates/graftling-text/tests/golden/: small vocabularies (vocabularies/) and, for each family, the tokenizer.json that
transformers' slow-to-fast conversion makes of one, and what it makes of texts, of words that are given and of long texts in
windows (families.json.gz). Run it with a Python that has transformers, tokenizers, sentencepiece and protobuf:

    python tools/reference/tokenizer_families.py

Offsets are bytes of the UTF-8 text, as in Rust; transformers counts characters. The ids of each SentencePiece family are compared
with those of sentencepiece itself, and how many texts differ is printed.
"""

import csv
import gzip
import io
import json
import pathlib
import sys
import types

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from transformers import convert_slow_tokenizer as _  # noqa: F401  the package replaces the module's name by a function

from transformers.tokenization_utils_base import generate_merges

from golden import made_by
from tokenization import PAIRS, TEXTS

converters = sys.modules["transformers.convert_slow_tokenizer"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/graftling-text/tests/golden"
VOCABULARIES = GOLDEN / "vocabularies"
BYTE_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", "<|endoftext|>"]

# A few of the rules of nmt_nfkc, so that the map is small: full width, ligature, ideographic space, a composition, a deletion.
RULES = {"Ａ": "A", "Ｆ": "F", "Ｕ": "U", "Ｌ": "L", "ﬁ": "fi", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "e\u0301": "é", "\u200b": "", "①": "1", "½": "1⁄2"}

CASES = TEXTS[:38] + [
    "1,000, 2,5, and 10,",
    "``quoted'' and ''more``",
    "before <mask> after<mask>.",
    "before [MASK] after [SEP] end",
    "  leading and   inner  spaces  ",
    "<extra_id_0> of <s> x </s>",
    "don't we'll they're I'd",
    "a▁b ▁ c",
]
WORDS = [
    ["Angela", "Merkel", "besuchte", "Köln", "."],
    ["去", "北", "京", "Google", "上班"],
    ["unbelievably", "internationalization", "😀", "½"],
    ["\u0000", "a", "\u200b", "\u0301", "b"],
    ["Salt Lake", "don't", "3.14", "<mask>", "[MASK]"],
    ["x"] * 20,
    ["a"],
    ["Привет", ",", "мир", "!", "नमस्ते", "สวัสดี"],
    ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "naïve", "café"],
]
LONG = [
    "The quick brown fox jumps over the lazy dog, and then it sleeps until the sun is up again over Köln.",
    "这家餐厅的服务很好，但是价格太贵了。我不会再来！",
    "short",
    "",
]


def corpus():
    with open(ROOT / "data/sentiment-movie/validation.csv", encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file)][:300]
    scripts = [text for text in TEXTS if "\u0000" not in text and len(text) < 200] + [text for pair in PAIRS for text in pair]
    return rows + 3 * scripts


def train():
    VOCABULARIES.mkdir(parents=True, exist_ok=True)
    bytes_ = Tokenizer(models.BPE())
    bytes_.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bytes_.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=520, special_tokens=BYTE_SPECIAL, initial_alphabet=alphabet, show_progress=False))
    bytes_.model.save(str(VOCABULARIES))

    def sentencepieces(name, **options):
        rules = VOCABULARIES / "rules.tsv"
        rules.write_text("".join(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n" for a, b in RULES.items()))
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus()), model_writer=out, normalization_rule_tsv=str(rules), hard_vocab_limit=False,
            character_coverage=0.98, num_threads=1, minloglevel=2, **{"vocab_size": 520, **options})
        rules.unlink()
        (VOCABULARIES / name).write_bytes(out.getvalue())

    sentencepieces("unigram.model")
    sentencepieces("albert.model", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]", user_defined_symbols="(,)")
    sentencepieces("t5.model", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    sentencepieces("deberta.model", pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]")
    sentencepieces("bpe.model", model_type="bpe", vocab_size=620)
    sentencepieces("fallback.model", model_type="bpe", vocab_size=860, byte_fallback=True)


def special(content, lstrip=False, normalized=False):
    return AddedToken(content, lstrip=lstrip, normalized=normalized, special=True)


def byte_level(converter, specials, mask, **attributes):
    vocabulary = json.loads((VOCABULARIES / "vocab.json").read_text())
    merges = [tuple(line.split(" ")) for line in (VOCABULARIES / "merges.txt").read_text().splitlines() if not line.startswith("#version")]
    slow = types.SimpleNamespace(encoder=vocabulary, bpe_ranks={merge: rank for rank, merge in enumerate(merges)},
                                 convert_tokens_to_ids=vocabulary.get, **attributes)
    tokenizer = converter(slow).converted()
    tokenizer.add_special_tokens([special(token) for token in specials] + ([special(mask, lstrip=True)] if mask else []))
    return tokenizer


def pieces(converter, file, added, **attributes):
    proto = sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / file))
    slow = types.SimpleNamespace(vocab_file=str(VOCABULARIES / file), **attributes)
    # The ids that the post-processor asks for are those of the converted vocabulary, so it is made twice.
    slow.convert_tokens_to_ids = lambda token: 0
    first = converter(slow).converted()
    first.add_special_tokens(added)
    slow.convert_tokens_to_ids = first.token_to_id
    tokenizer = converter(slow).converted()
    tokenizer.add_special_tokens(added)
    return tokenizer, proto


def word_level(vocabulary, mask_lstrip, processor):
    tokens = vocabulary.splitlines()
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processor(ids)
    return tokenizer


def families():
    """(name, files of the folder, tokenizer_config, config, tokenizer, sentencepiece's own or None)"""
    small = (GOLDEN / "small/vocab.txt").read_text()
    bert = word_level(small, False, lambda ids: processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]))
    bert.add_special_tokens([special(token) for token in ("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")])
    yield "electra", ["vocab.txt"], {"tokenizer_class": "ElectraTokenizer"}, {}, bert, None
    yield "distilbert", ["vocab.txt"], {"tokenizer_class": "DistilBertTokenizer"}, {}, bert, None
    # The vocabulary of MPNet has <s> and its kin besides BERT's [UNK].
    tokens = small.replace("<cls>\n", "<s>\n").replace("<sep>\n", "</s>\n")
    mpnet = word_level(tokens, True, lambda ids: processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", ids["<s>"]), True, False))
    mpnet.add_special_tokens([special(token) for token in ("<s>", "</s>", "[UNK]", "<pad>")] + [special("<mask>", lstrip=True)])
    yield "mpnet", ["mpnet vocab.txt"], {"tokenizer_class": "MPNetTokenizer"}, {}, mpnet, None

    roberta = dict(sep_token="</s>", sep_token_id=2, cls_token="<s>", cls_token_id=0, add_prefix_space=False, trim_offsets=True)
    tokenizer = byte_level(converters.RobertaConverter, ["<s>", "</s>", "<unk>", "<pad>"], "<mask>", **roberta)
    yield "roberta", ["vocab.json", "merges.txt"], {"tokenizer_class": "RobertaTokenizer"}, {}, tokenizer, None
    tokenizer = byte_level(converters.RobertaConverter, ["<s>", "</s>", "<unk>", "<pad>"], "<mask>", **{**roberta, "add_prefix_space": True})
    yield "roberta, space before the first word", ["vocab.json", "merges.txt"], {"add_prefix_space": True}, {"model_type": "roberta"}, tokenizer, None
    tokenizer = byte_level(converters.GPT2Converter, ["<|endoftext|>"], None, add_prefix_space=False)
    yield "gpt2", ["vocab.json", "merges.txt"], {"tokenizer_class": "GPT2Tokenizer"}, {}, tokenizer, None
    tokenizer = byte_level(converters.DebertaConverter, ["[CLS]", "[SEP]", "[UNK]", "[PAD]"], "[MASK]", add_prefix_space=False)
    yield "deberta", ["vocab.json", "merges.txt"], {"tokenizer_class": "DebertaTokenizer"}, {}, tokenizer, None
    # ModernBERT has a tokenizer.json only: NFC, byte-level pieces, BERT's special tokens, the same type for both texts in its models.
    tokenizer = byte_level(converters.DebertaConverter, ["[CLS]", "[SEP]", "[UNK]", "[PAD]"], "[MASK]", add_prefix_space=False)
    tokenizer.normalizer = normalizers.NFC()
    yield "modernbert", [], {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "attention_mask"]}, {}, tokenizer, None

    fairseq = [special(token) for token in ("<s>", "</s>", "<unk>", "<pad>")] + [special("<mask>", lstrip=True)]
    tokenizer, proto = pieces(converters.XLMRobertaConverter, "unigram.model", fairseq)
    yield "xlm-roberta", ["unigram.model as sentencepiece.bpe.model"], {"tokenizer_class": "XLMRobertaTokenizer"}, {}, tokenizer, proto
    camembert = [special(token) for token in ("<s>", "</s>", "<unk>", "<pad>")] + [special("<mask>", lstrip=True)]
    tokenizer, proto = pieces(converters.CamembertConverter, "unigram.model", camembert)
    yield "camembert", ["unigram.model as sentencepiece.bpe.model"], {}, {"model_type": "camembert"}, tokenizer, proto
    albert = [special(token) for token in ("[CLS]", "[SEP]", "<unk>", "<pad>")] + [special("[MASK]", lstrip=True)]
    tokenizer, proto = pieces(converters.AlbertConverter, "albert.model", albert, keep_accents=False, do_lower_case=True)
    yield "albert", ["albert.model as spiece.model"], {"tokenizer_class": "AlbertTokenizer"}, {}, tokenizer, None
    tokenizer, proto = pieces(converters.AlbertConverter, "albert.model", albert, keep_accents=True, do_lower_case=False)
    yield "albert, accents and case kept", ["albert.model as spiece.model"], {"do_lower_case": False, "keep_accents": True}, {"model_type": "albert"}, tokenizer, proto
    deberta = [special(token) for token in ("[CLS]", "[SEP]", "[UNK]", "[PAD]")] + [special("[MASK]")]
    tokenizer, proto = pieces(converters.DebertaV2Converter, "deberta.model", deberta, do_lower_case=False, split_by_punct=False)
    yield "deberta-v2", ["deberta.model as spm.model"], {"tokenizer_class": "DebertaV2Tokenizer"}, {}, tokenizer, proto
    tokenizer, proto = pieces(converters.DebertaV2Converter, "deberta.model", deberta, do_lower_case=True, split_by_punct=True)
    yield "deberta-v2, lower case, punctuation apart", ["deberta.model as spm.model"], {"do_lower_case": True, "split_by_punct": True}, {"model_type": "deberta-v2"}, tokenizer, None
    t5 = [special(token) for token in ("</s>", "<unk>", "<pad>")] + [special(f"<extra_id_{i}>") for i in range(100)]
    tokenizer, proto = pieces(converters.T5Converter, "t5.model", t5, _extra_ids=100)
    yield "t5", ["t5.model as spiece.model"], {"tokenizer_class": "T5Tokenizer"}, {}, tokenizer, proto
    tokenizer, proto = pieces(PlainBpe, "bpe.model", [special("</s>"), special("<unk>")], _extra_ids=0)
    yield "bpe pieces", ["bpe.model as spiece.model"], {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}, {}, tokenizer, proto
    tokenizer, proto = pieces(FallbackBpe, "fallback.model", [special("</s>"), special("<unk>")], _extra_ids=0)
    yield "bpe pieces, bytes for unknown characters", ["fallback.model as spiece.model"], {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}, {}, tokenizer, proto


class PlainBpe(converters.T5Converter):
    """T5 around merges, which the scores of the pieces put into sentencepiece's order: the converter's own branch for them asks its
    extractor with an argument that this no longer takes."""

    def tokenizer(self, proto):
        vocabulary = self.vocab(proto)
        ids = {piece: index for index, (piece, _) in enumerate(vocabulary)}
        merges = generate_merges(ids, vocabulary)
        unknown = proto.trainer_spec.unk_piece
        tokenizer = Tokenizer(models.BPE(ids, merges, unk_token=unknown, fuse_unk=True, byte_fallback=self.handle_byte_fallback))
        own = [piece for piece in proto.pieces if piece.type in (3, 4)]
        tokenizer.add_tokens([AddedToken(piece.piece, normalized=False, special=piece.type == 3) for piece in own])
        return tokenizer


class FallbackBpe(PlainBpe):
    """The bytes that sentencepiece gives for unknown characters, which transformers' T5Converter leaves out."""

    handle_byte_fallback = True


def in_bytes(texts, sequence, offsets, word=None):
    if sequence is None:
        return [0, 0]
    text = texts[sequence] if word is None else texts[sequence][word]
    return [len(text[:place].encode()) for place in offsets]


# As their tokenizer classes list the inputs of their models.
TAKE_TOKEN_TYPES = ("electra", "deberta", "albert")


def encodings(tokenizer, inputs, words=False, **options):
    """All encodings of one text, pair or list of words, as rows of the golden file."""
    text, pair = inputs
    batch = ([text], None if pair is None else [pair])
    encoded = tokenizer(*batch, truncation=True if pair is None or "stride" not in options else "only_second", is_split_into_words=words,
                        return_overflowing_tokens="stride" in options, return_offsets_mapping=True, return_special_tokens_mask=True,
                        return_token_type_ids=True, **options)
    rows = []
    for index, ids in enumerate(encoded["input_ids"]):
        sequences, word_ids = encoded.sequence_ids(index), encoded.word_ids(index)
        rows.append({
            "input_ids": ids, "token_type_ids": encoded["token_type_ids"][index],
            "special_tokens_mask": encoded["special_tokens_mask"][index], "sequence_ids": sequences, "word_ids": word_ids,
            "offsets": [in_bytes((text, pair), s, o, w if words else None) for s, o, w in zip(sequences, encoded["offset_mapping"][index], word_ids)]})
    return rows


def wrapped(tokenizer, side="right"):
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, truncation_side=side)


def for_words(tokenizer):
    """What add_prefix_space=True makes of a byte-level tokenizer."""
    if not isinstance(tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel):
        return tokenizer
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    described = json.loads(copy.to_str())["post_processor"]
    if described["type"] == "RobertaProcessing":
        copy.post_processor = processors.RobertaProcessing(tuple(described["sep"]), tuple(described["cls"]), described["trim_offsets"], True)
    return copy


def cases(name, tokenizer):
    fast, words = wrapped(tokenizer), wrapped(for_words(tokenizer))
    left = wrapped(tokenizer, "left")
    found = {"texts": [], "words": [], "windows": []}
    texts = CASES if not name.startswith(("electra", "distil")) else CASES[:4] + CASES[-4:]
    for text, pair, length in [(text, None, 512) for text in texts] + [(*pair, length) for pair in PAIRS for length in (512, 13)]:
        found["texts"].append({"text": text, "pair": pair, "max_length": length, "encodings": encodings(fast, (text, pair), max_length=length)})
    for given, length in [(given, 512) for given in WORDS] + [(given, 9) for given in WORDS]:
        found["words"].append({"words": given, "max_length": length, "encodings": encodings(words, (given, None), words=True, max_length=length)})
    for given in WORDS:
        found["words"].append({"words": given, "max_length": 10, "stride": 3, "encodings": encodings(words, (given, None), words=True, max_length=10, stride=3)})
    for side, one in (("right", fast), ("left", left)):
        for text, pair, length, stride in [(text, None, 12, 4) for text in LONG] + [(LONG[0], None, 9, 0), (LONG[1], None, 512, 64)] + [
                ("where is it?", text, 24, 3) for text in LONG] + [("", LONG[0], 20, 10)]:
            found["windows"].append({"text": text, "pair": pair, "max_length": length, "stride": stride, "side": side,
                                     "encodings": encodings(one, (text, pair), max_length=length, stride=stride)})
    return found


def compared(name, tokenizer, proto):
    """How many texts sentencepiece itself cuts differently, to be judged by a person."""
    offset = {"xlm-roberta": 1, "camembert": 4}.get(name, 0)
    unknown = tokenizer.token_to_id(proto.id_to_piece(proto.unk_id()))
    differ = []
    for text in CASES:
        own = [unknown if i == proto.unk_id() else i + offset for i in proto.encode(text)]
        theirs = tokenizer.encode(text, add_special_tokens=False).ids
        if own != theirs:
            differ.append(text)
    print(f"{name}: {len(differ)} of {len(CASES)} texts differ from sentencepiece: {differ}")


def main():
    if "--keep" not in sys.argv:
        train()
    rows = []
    for name, files, tokenizer_config, config, tokenizer, proto in families():
        if proto is not None:
            compared(name, tokenizer, proto)
        rows.append({"name": name, "takes_token_types": name.startswith(TAKE_TOKEN_TYPES), "files": files, "tokenizer_config": tokenizer_config, "config": config,
                     "tokenizer_json": json.loads(tokenizer.to_str()), **cases(name, tokenizer)})
        print(name, len(json.dumps(rows[-1])), "bytes")
    made = {**made_by("tokenizer_families.py"), "sentencepiece": sentencepiece.__version__}
    text = json.dumps({"made_by": made, "families": rows}, ensure_ascii=True, separators=(",", ":"))
    with open(GOLDEN / "families.json.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(text.encode())


if __name__ == "__main__":
    main()
