"""What is computed on: the first texts of sentiment-movie or of another set, prompts, texts of full length, a BERT-base with random weights, and what they cost."""
import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data/sentiment-movie"


@dataclass
class Work:
    """A file of texts, how many real tokens they are, and how much computing one token takes in training."""

    path: Path
    texts: int
    tokens: int
    training_mflop_per_token: float


def first_texts(split: str, count: int | None, path: Path) -> Path:
    """A file of the first `count` rows of a split, or of all of them."""
    with open(DATA / f"{split}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    return write(path, rows)


def first_rows(folder: Path, split: str, count: int | None, work: Path) -> Path:
    """A file of the first `count` examples of a split of another set, or of all of them, in the set's own format."""
    source = next(path for ending in ("csv", "jsonl", "conll") if (path := folder / f"{split}.{ending}").is_file())
    path = work / f"{folder.name}-{split}-{count or 'all'}{source.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".csv":
        with open(source, encoding="utf-8", newline="") as file, open(path, "w", encoding="utf-8", newline="") as output:
            rows = csv.DictReader(file)
            writer = csv.DictWriter(output, rows.fieldnames)
            writer.writeheader()
            writer.writerows(list(rows)[:count])
    else:
        # An example is a line of jsonl, or a block of lines in CoNLL.
        end = "\n" if source.suffix == ".jsonl" else "\n\n"
        examples = [part for part in source.read_text(encoding="utf-8").split(end) if part.strip()]
        path.write_text(end.join(examples[:count]) + "\n", encoding="utf-8")
    return path


def prompts(folder: Path, count: int, work: Path) -> Path:
    """A file of the first `count` documents of a set as prompts, with their summaries as completions."""
    path = work / f"{folder.name}-prompts-{count}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()[:count]]
    lines = [json.dumps({"prompt": f"Package: {row['document']}\n\nSummary:\n", "completion": row["summary"]}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def full_texts(count: int, path: Path) -> Path:
    """Texts of reviews strung together until each has more than 200 words, so that every one is cut to 128 tokens."""
    with open(DATA / "train.csv", encoding="utf-8", newline="") as file:
        reviews = csv.DictReader(file)
        rows = []
        while len(rows) < count:
            parts = [next(reviews)]
            while sum(len(part["text"].split()) for part in parts) <= 200:
                parts.append(next(reviews))
            rows.append({"text": " ".join(part["text"] for part in parts), "label": parts[0]["label"]})
    return write(path, rows)


def write(path: Path, rows: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def bert_base(minilm: Path, folder: Path) -> Path:
    """A BERT of 12 layers by 768 with random weights and MiniLM's tokenizer, made once."""
    if not (folder / "model.safetensors").is_file():
        import torch
        from transformers import BertConfig, BertModel

        torch.manual_seed(42)
        BertModel(BertConfig()).save_pretrained(folder)
        for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]:
            if (minilm / name).is_file():
                shutil.copy(minilm / name, folder / name)
    return folder


def marian(spm: Path, folder: Path) -> Path:
    """A Marian of the shape of OPUS-MT's base models with random weights and this SentencePiece model for both languages, made once."""
    if not (folder / "model.safetensors").is_file():
        import sentencepiece
        import torch
        from transformers import MarianConfig, MarianMTModel, MarianTokenizer

        folder.mkdir(parents=True, exist_ok=True)
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(spm))
        vocabulary = {pieces.id_to_piece(piece): piece for piece in range(pieces.vocab_size())}
        vocabulary["<pad>"] = len(vocabulary)
        for name in ("source.spm", "target.spm"):
            shutil.copyfile(spm, folder / name)
        (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        tokenizer = MarianTokenizer(str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"), model_max_length=512)
        tokenizer.save_pretrained(folder)
        torch.manual_seed(42)
        padding = vocabulary["<pad>"]
        config = MarianConfig(
            vocab_size=len(vocabulary), decoder_vocab_size=len(vocabulary), d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8,
            decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048, max_position_embeddings=512, activation_function="swish",
            scale_embedding=True, static_position_embeddings=True, pad_token_id=padding, decoder_start_token_id=padding,
            eos_token_id=vocabulary["</s>"], forced_eos_token_id=None,
        )
        MarianMTModel(config).save_pretrained(folder)
    return folder


def work(path: Path, model: Path, max_length: int) -> Work:
    """Counts tokens, and the products of training: forward once, backward twice, 2 operations a weight and token, and attention.

    Embeddings and the head, which multiply next to nothing, are left out, as in the design's table (67 and 524 MFLOP at 128 tokens).
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    with open(path, encoding="utf-8", newline="") as file:
        lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch([row["text"] for row in csv.DictReader(file)])]
    config = json.loads((model / "config.json").read_text())
    hidden, layers, inner = config["hidden_size"], config["num_hidden_layers"], config["intermediate_size"]
    weights = layers * (4 * hidden * hidden + 2 * hidden * inner)
    # Scores and their sum over values: each of a text's tokens meets each of its tokens, twice.
    attention = layers * 4 * hidden * sum(length * length for length in lengths) / sum(lengths)
    return Work(path, len(lengths), sum(lengths), 3 * (2 * weights + attention) / 1e6)
