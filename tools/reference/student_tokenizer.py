"""Whether graftling cuts texts as sentencepiece does, by the model of a Marian student (a folder with source.spm and no vocab.json):
`encode(text) + [eos]` of every text of a file of pairs, source and target, and the texts put together again.

    cargo build -p graftling-text --example encode
    python tools/reference/student_tokenizer.py --encode target/debug/examples/encode --model FOLDER --pairs test.jsonl
"""
import argparse
import json
import subprocess
from pathlib import Path

import sentencepiece

# What texts from the net seldom have; each also stands in the middle of a text.
RARE = ["", "   ", "\t\n", "\u0000nul\u0007", "e\u0301\u0302\u0323 a\u030a", "👩‍👩‍👧 🇵🇹 👍🏽", "x" * 3000, "ﬁ ｆｕｌｌ　１２３ ½ ① ㎏ ﷺ", "▁ a▁b ▁▁", "\u200b\u200d\ufeff",
        "1234567890 3.14", "北京 ประเทศ हिन्दी", "ᄒ\u1161\u11ab 한국어", "</s> <unk> <0xE5>", "\u1e9b\u0323", "\ud7ff\ue000\U0010ffff", "a" + "\u0301" * 40]


def main() -> None:
    parser = argparse.ArgumentParser(description="compare with sentencepiece")
    parser.add_argument("--encode", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    rows = [json.loads(line) for path in arguments.pairs for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [row[side] for row in rows for side in ("source", "target")]
    texts += RARE + [f"before {rare} after" for rare in RARE]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    said = subprocess.run([arguments.encode, arguments.model], input=lines, capture_output=True, text=True, check=True).stdout
    processor = sentencepiece.SentencePieceProcessor(model_file=str(arguments.model / "source.spm"))
    end = processor.piece_to_id("</s>")
    differ = 0
    for text, line in zip(texts, said.splitlines(), strict=True):
        ids, found = processor.encode(text), json.loads(line)
        # The unknown piece is a special token: what is left out on our side is left out on theirs.
        shown = processor.decode([i for i in ids if i != processor.unk_id()])
        if found["source"] != ids + [end] or found["target"] != ids + [end] or found["text"] != shown:
            differ += 1
            print(f"{text[:200]!r}\n  {ids[:40]} {shown[:200]!r}\n  {found['source'][:40]} {found['text'][:200]!r}")
    print(f"{len(texts)} texts, {sum(map(len, texts)):,} characters: {differ} differ")


if __name__ == "__main__":
    main()
