"""The peer that predicts: onnxruntime in fp32 with dynamic padding, no torch. Prints one JSON line.

    onnx_predict.py MODEL.onnx FOLDER INPUT.csv OUTPUT.csv --order file|length [--batch-size N] [--max-length N] [--threads N]

FOLDER holds tokenizer.json and config.json. length: texts of like length share a batch (its best), and come back in their order.
"""
import argparse
import csv
import json
import os
import time

ENTERED = time.time()
parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("folder")
parser.add_argument("input")
parser.add_argument("output")
parser.add_argument("--order", choices=["file", "length"], required=True)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--max-length", type=int, default=512)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()
os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)

import numpy  # noqa: E402  (after the thread count)
import onnxruntime  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402


def main() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(f"{arguments.folder}/tokenizer.json")
    tokenizer.enable_truncation(arguments.max_length)
    tokenizer.no_padding()
    with open(f"{arguments.folder}/config.json", encoding="utf-8") as file:
        names = json.load(file)["id2label"]
    loaded = time.time()
    with open(arguments.input, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    encodings = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = list(range(len(texts)))
    if arguments.order == "length":
        order.sort(key=lambda index: len(encodings[index]))
    labels = [""] * len(texts)
    probabilities = numpy.zeros(len(texts))
    for start in range(0, len(order), arguments.batch_size):
        chosen = order[start : start + arguments.batch_size]
        logits = session.run(["logits"], padded([encodings[index] for index in chosen]))[0]
        exponentials = numpy.exp(logits - logits.max(-1, keepdims=True))
        for index, row in zip(chosen, exponentials / exponentials.sum(-1, keepdims=True)):
            labels[index], probabilities[index] = names[str(row.argmax())], row.max()
    with open(arguments.output, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "predicted_label", "probability"])
        writer.writerows(zip(texts, labels, probabilities))
    done = time.time()
    print(json.dumps({"peer": f"onnxruntime, {arguments.order} order", "load_s": loaded - ENTERED, "predict_s": done - loaded, "tokens": sum(map(len, encodings))}))


def padded(rows: list) -> dict:
    shape = (len(rows), max(map(len, rows)))
    ids, mask = numpy.zeros(shape, numpy.int64), numpy.zeros(shape, numpy.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros(shape, numpy.int64)}


if __name__ == "__main__":
    main()
