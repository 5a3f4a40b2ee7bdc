"""Golden cases of tokenisation, made by transformers.

Writes crates/graftling-text/tests/golden/: a small made-up vocabulary (small/), what transformers makes of many texts with it
under several settings (small.json), and what it makes of them with the real all-MiniLM-L6-v2 (minilm.json, and its
tokenizer.json compressed). Run it with a Python that has torch and transformers:

    python tools/reference/tokenization.py FOLDER_OF_ALL_MINILM_L6_V2

Offsets are bytes of the UTF-8 text, as in Rust; transformers counts characters.
"""

import gzip
import json
import pathlib
import shutil
import sys
import tempfile
import unicodedata

from transformers import AutoTokenizer

from golden import made_by

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "crates/graftling-text/tests/golden"

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Grüße aus Köln: Straße, ÄÖÜ, naïve café, fiancée, Ångström, İstanbul, ﬁne",
    "Tiếng Việt có dấu: Nguyễn, phở, đường phố",
    "Cafe\u0301 decomposed, re\u0301sume\u0301, a\u0300\u0301\u0302 stack",
    "Ελληνικά: Καλημέρα κόσμε, ΟΔΟΣ",
    "Привет, мир! Съешь ещё этих мягких французских булок, Йод",
    "שָׁלוֹם עוֹלָם, עברית",
    "مَرْحَبًا بِالعالم، العربية",
    "नमस्ते दुनिया, हिन्दी में क्षत्रिय",
    "สวัสดีชาวโลก ภาษาไทย",
    "这家餐厅的服务很好，但是价格太贵了。我不会再来！",
    "繁體中文測試：「引號」、頓號；",
    "日本語のテスト：カタカナとひらがな、ガギグ、ｶﾞｷﾞ",
    "한국어 테스트입니다. 안녕하세요",
    "தமிழ் உரை, ქართული ტექსტი, Հայերեն տեքստ, አማርኛ",
    "𠀀𠀁 rare ideographs 𪜀 豈更 ㄅㄆ 々〆",
    "emoji 😀👍🏽 family 👨‍👩‍👧‍👦 flag 🇩🇪 heart ❤️ keycap 1️⃣",
    "mixed中文and English混排words一起",
    "tabs\tand\nnew\r\nlines\u00a0nbsp\u2003em\u3000ideographic",
    "control\u0000nul\u0007bell\u200bzero\u200dwidth\ufeffmark\ufffdreplaced\u00adsoft\u202eoverride",
    "private \ue000 unassigned \u0378 noncharacter \ufdd0",
    "punctuation: don't e-mail a_b @user #tag $5.99 50% ^caret `tick` <b> ~ | \\ /",
    "“curly” ‘quotes’ – dashes — … † ‡ • ¿qué? ¡sí! « guillemets »",
    "math ∑∏∫√∞≈≠ ½ ² ₂ ℃ ™ © № Ω K Å",
    "[CLS] literal [SEP] special [MASK] tokens [PAD] [UNK] [sep] [MASK].",
    "unaffable unbelievably internationalization antidisestablishmentarianism",
    "x" * 99 + " " + "x" * 100 + " " + "x" * 101 + " after",
    "é" * 60 + " " + "e\u0301" * 60,
    "supercalifragilisticexpialidocious" * 4,
    "word " * 40,
    "CamelCase UPPER lower MiXeD iPhone McDonald",
    "12345 3.14159 1,000,000 2024-01-31 12:30 0x1F 1e-5",
    "",
    "   ",
    "\n\t",
    "a",
    ".",
    "......!!!???",
    "\u0301",
    "ǅ ǆ Ǆ ß ẞ ŉ ǰ ΐ և",
    "ＦＵＬＬ ｗｉｄｔｈ １２３",
    "Zalgo t\u0335\u0321e\u0338\u0327x\u0334\u0328t\u0337",
]

PAIRS = [
    ("How many people live in Berlin?", "Berlin has a population of about 3.7 million people, the most of any city in Germany."),
    ("short", "a much longer second text that goes on and on for a while, so that it is the one to be cut first"),
    ("a much longer first text that goes on and on for a while, so that it is the one to be cut first", "short"),
    ("both texts of this pair are quite long indeed and must be cut", "which means that each of them keeps about one half of the room"),
    ("一个前提句子，比较长一点。", "一个假设。"),
    ("", "only the second"),
    ("only the first", ""),
    ("", ""),
]

WORDS = """the quick brown fox jump over lazy dog un ##aff ##able ##believ ##ably international ##ization ##s ##ing a b word after
people live in how many city has of most any short long ##er text that goes on and for while so it is one to be cut first second
gr ##usse strasse cafe naive e mail user tag don t which means each them keeps about half room both this pair are quite
indeed must control nul mixed english rare family flag heart x ##x ##xx ##e ##cal ##if ##rag ##il super""".split()

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<pad>", "<unk>", "<cls>", "<sep>", "<mask>"]

SETTINGS = {
    "vocab.txt, no settings": None,
    "cased": {"do_lower_case": False, "tokenizer_class": "BertTokenizer", "model_max_length": 512},
    "lower case, accents kept": {"do_lower_case": True, "strip_accents": False, "tokenizer_class": "BertTokenizer"},
    "cased, accents stripped": {"do_lower_case": False, "strip_accents": True, "tokenizer_class": "BertTokenizerFast"},
    "Chinese kept together": {"tokenize_chinese_chars": False, "tokenizer_class": "BertTokenizer"},
    "special tokens renamed": {
        "tokenizer_class": "BertTokenizer",
        "cls_token": "<cls>",
        "sep_token": {"__type": "AddedToken", "content": "<sep>", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False},
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False},
        "model_max_length": 1000000000000000019884624838656,
    },
    "cut on the left": {"tokenizer_class": "BertTokenizer", "truncation_side": "left"},
}


def small_vocabulary():
    """Special tokens, some words, and the characters of the texts but every ninth, so that [UNK] occurs."""
    texts = TEXTS + [text for pair in PAIRS for text in pair]
    characters = set()
    for text in texts:
        for form in (text, text.lower(), unicodedata.normalize("NFD", text), unicodedata.normalize("NFD", text).lower()):
            characters.update(form)
    kept = [c for c in sorted(characters) if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Co")]
    kept = [c for index, c in enumerate(kept) if index % 9 != 4 or c.isascii()]
    letters = [c for c in kept if c.isalnum()]
    return SPECIAL + list(dict.fromkeys(WORDS + kept + ["##" + c for c in letters]))


def byte_offsets(texts, sequence, offsets):
    if sequence is None:
        return [0, 0]
    return [len(texts[sequence][:place].encode()) for place in offsets]


def case(tokenizer, text, pair, max_length):
    # As a batch of one: given one text alone, transformers takes an empty second text for none.
    batch = ([text], None if pair is None else [pair])
    encoded = tokenizer(*batch, truncation=True, max_length=max_length, return_offsets_mapping=True, return_special_tokens_mask=True)
    sequences = encoded.sequence_ids(0)
    result = {"text": text, "pair": pair, "max_length": max_length}
    result["input_ids"] = encoded["input_ids"][0]
    result["token_type_ids"] = encoded["token_type_ids"][0]
    result["special_tokens_mask"] = encoded["special_tokens_mask"][0]
    result["offsets"] = [byte_offsets((text, pair), s, o) for s, o in zip(sequences, encoded["offset_mapping"][0])]
    result["whole_length"] = len(tokenizer(*batch)["input_ids"][0])
    return result


def cases(tokenizer):
    found = [case(tokenizer, text, None, 512) for text in TEXTS]
    found += [case(tokenizer, text, None, length) for text in TEXTS[:12] + TEXTS[24:30] for length in (3, 9)]
    found += [case(tokenizer, text, pair, length) for text, pair in PAIRS for length in (512, 24, 13, 4)]
    return found


def load(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def write(path, variants):
    rows = ",\n".join(
        f' {{"name": {json.dumps(name)}, "tokenizer_config": {json.dumps(settings)}, "cases": [\n'
        + ",\n".join("  " + json.dumps(one, ensure_ascii=True, separators=(",", ":")) for one in found)
        + "\n ]}"
        for name, settings, found in variants
    )
    path.write_text(f'{{"made_by": {json.dumps(made_by("tokenization.py"))}, "variants": [\n{rows}\n]}}\n')


def main():
    minilm = pathlib.Path(sys.argv[1])
    (GOLDEN / "small").mkdir(parents=True, exist_ok=True)
    vocabulary = GOLDEN / "small/vocab.txt"
    vocabulary.write_text("".join(token + "\n" for token in small_vocabulary()))

    variants = []
    for name, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(vocabulary, folder)
            (folder / "config.json").write_text('{"model_type": "bert"}')
            if settings is not None:
                (folder / "tokenizer_config.json").write_text(json.dumps(settings))
            tokenizer = load(folder)
            variants.append((name, settings, cases(tokenizer)))
            if settings is None:
                # A file with truncation and padding inside, as some models on the hub have it.
                tokenizer.backend_tokenizer.enable_truncation(8)
                tokenizer.backend_tokenizer.enable_padding(length=8)
                tokenizer.backend_tokenizer.save(str(GOLDEN / "small/tokenizer.json"), pretty=False)
    write(GOLDEN / "small.json", variants)

    write(GOLDEN / "minilm.json", [("all-MiniLM-L6-v2", None, cases(load(minilm)))])
    with open(GOLDEN / "minilm_tokenizer.json.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write((minilm / "tokenizer.json").read_bytes())


if __name__ == "__main__":
    main()
