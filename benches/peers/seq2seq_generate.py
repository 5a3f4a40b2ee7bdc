"""The peer that writes texts from sources: transformers' `generate`, or CTranslate2. Prints one JSON line.

    seq2seq_generate.py MODEL SOURCES --peer transformers|ctranslate2 --converted FOLDER [--beams 4] [--tokens 32] [--threads 2]

SOURCES is jsonl with a column `source`. Each text gets exactly --tokens tokens, all in one batch, sorted by length. Weights in single precision.
"""
import argparse
import json
import os
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("sources", type=Path)
parser.add_argument("--peer", choices=["transformers", "ctranslate2"], required=True)
parser.add_argument("--converted", type=Path)
parser.add_argument("--beams", type=int, default=4)
parser.add_argument("--tokens", type=int, default=32)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)


def main() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    sources = [json.loads(line)["source"] for line in arguments.sources.read_text(encoding="utf-8").splitlines()]
    sources.sort(key=len)
    seconds, tokens = (by_transformers if arguments.peer == "transformers" else by_ctranslate2)(tokenizer, sources)
    print(json.dumps({"peer": arguments.peer, "texts": len(sources), "tokens": tokens, "write_s": seconds}))


def by_transformers(tokenizer, sources: list) -> tuple:
    import torch
    from transformers import AutoModelForSeq2SeqLM

    torch.set_num_threads(arguments.threads)
    model = AutoModelForSeq2SeqLM.from_pretrained(arguments.model, dtype="float32").eval()
    began = time.time()
    batch = tokenizer(sources, return_tensors="pt", padding=True)
    with torch.no_grad():
        output = model.generate(**batch, num_beams=arguments.beams, do_sample=False, min_new_tokens=arguments.tokens, max_new_tokens=arguments.tokens)
    tokenizer.batch_decode(output, skip_special_tokens=True)
    return time.time() - began, (output.shape[1] - 1) * len(sources)


def by_ctranslate2(tokenizer, sources: list) -> tuple:
    import ctranslate2

    if not (arguments.converted / "model.bin").is_file():
        ctranslate2.converters.TransformersConverter(arguments.model).convert(str(arguments.converted))
    translator = ctranslate2.Translator(str(arguments.converted), compute_type="float32", inter_threads=1, intra_threads=arguments.threads)
    began = time.time()
    pieces = [tokenizer.convert_ids_to_tokens(tokenizer.encode(source)) for source in sources]
    results = translator.translate_batch(
        pieces, beam_size=arguments.beams, min_decoding_length=arguments.tokens, max_decoding_length=arguments.tokens, max_batch_size=0,
    )
    written = [result.hypotheses[0] for result in results]
    [tokenizer.decode(tokenizer.convert_tokens_to_ids(one), skip_special_tokens=True) for one in written]
    return time.time() - began, sum(map(len, written))


if __name__ == "__main__":
    main()
