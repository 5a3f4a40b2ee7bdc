"""Makes tiny random encoder-decoders with their tokenizers, and computes losses and training steps of them with transformers.

    python tools/reference/sequence_to_sequence.py

crates/graftling-models/tests/golden/tiny-bart/model, tiny-mbart, tiny-marian, tiny-t5, tiny-pair (a BERT that looks at a BERT) and tiny-marian-two (OPUS-MT
with a vocabulary of SentencePiece for each side): as transformers saves them, with a vocabulary of a few words. crates/graftling/tests/golden/sequence_to_sequence.json: for each the tokens of sources and targets, cut and not; the
decoder's input ids as the model shifts the labels; the loss of every pair; and the losses of ten steps of Seq2SeqTrainer over all pairs, with and without
label smoothing. Dropout is 0 throughout.
"""
import json
import tempfile
from pathlib import Path

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments

from bert import GOLDEN, ROOT
from golden import made_by, write_json

WORDS = "the a film movie story house was is not very good bad dull great small again and it costs kg Haus das der ein ist klein gut schlecht lang sehr nicht".split()
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "de_DE", "en_XX", "[CLS]", "[SEP]"]
PAIRS = [
    ("the house is small", "das Haus ist klein"), ("the film was not very good", "der film ist nicht sehr gut"), ("good", "gut"),
    ("the story was dull and the film was bad and the movie was not good again", "schlecht und lang und nicht gut und nicht klein und sehr lang"),
    ("a house", "ein Haus"), ("it is great and it is good and it is very very good", "sehr gut"),
]
SOURCE_LENGTH, TARGET_LENGTH = 10, 8
STEPS, RATE, DECAY = 10, 3e-3, 0.01
VOCABULARY = len(SPECIAL) + len(WORDS) + 1
SIZES = {"vocab_size": VOCABULARY, "d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
         "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 48, "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
         "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "forced_eos_token_id": None}
BERT = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 48,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "pad_token_id": 1}


def pair_config():
    encoder = transformers.BertConfig(**BERT, num_hidden_layers=1)
    decoder = transformers.BertConfig(**BERT, num_hidden_layers=1, is_decoder=True, add_cross_attention=True)
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 6, 1, 7
    return config


def two_vocabularies() -> transformers.MarianTokenizer:
    """Pieces of the sources and of the targets, numbered each by themselves; the special tokens have the same numbers."""
    with tempfile.TemporaryDirectory() as folder:
        for side, place, size in (("source", 0, 70), ("target", 1, 60)):
            text = Path(folder) / f"{side}.txt"
            text.write_text("".join(f"{pair[place]}\n" for pair in PAIRS) * 10)
            sentencepiece.SentencePieceTrainer.train(
                input=str(text), model_prefix=f"{folder}/{side}", vocab_size=size, model_type="unigram", hard_vocab_limit=False, minloglevel=2, num_threads=1,
                normalization_rule_name="identity",
            )
            processor = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/{side}.model")
            pieces = [processor.id_to_piece(id) for id in range(processor.get_piece_size())]
            special = ["</s>", "<unk>", "<pad>"]
            vocabulary = {piece: id for id, piece in enumerate([*special, *(piece for piece in pieces if piece not in ("<s>", *special))])}
            (Path(folder) / f"{side}.json").write_text(json.dumps(vocabulary))
        return transformers.MarianTokenizer(
            source_spm=f"{folder}/source.model", target_spm=f"{folder}/target.model", vocab=f"{folder}/source.json", target_vocab_file=f"{folder}/target.json",
            source_lang="en", target_lang="de", separate_vocabs=True, model_max_length=48,
        )


def marian_two_config():
    tokenizer = two_vocabularies()
    own = {"vocab_size": len(tokenizer.encoder), "decoder_vocab_size": len(tokenizer.target_encoder), "bos_token_id": None, "pad_token_id": 2, "eos_token_id": 0}
    return transformers.MarianConfig(**{**SIZES, **own}, share_encoder_decoder_embeddings=False, decoder_start_token_id=2, scale_embedding=True)


# Name, config, class, and what the tokenizer puts around a text, or none where it is another one.
MODELS = [
    ("tiny-bart", transformers.BartConfig(**SIZES, decoder_start_token_id=2), transformers.BartForConditionalGeneration, "<s> $A </s>"),
    ("tiny-mbart", transformers.MBartConfig(**SIZES, scale_embedding=True), transformers.MBartForConditionalGeneration, "$A </s> de_DE"),
    ("tiny-marian", transformers.MarianConfig(**SIZES, decoder_vocab_size=VOCABULARY, decoder_start_token_id=1, scale_embedding=True),
     transformers.MarianMTModel, "$A </s>"),
    ("tiny-t5", transformers.T5Config(vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_decoder_layers=2, num_heads=2, dropout_rate=0.0,
                                      relative_attention_num_buckets=8, relative_attention_max_distance=16, pad_token_id=1, eos_token_id=2,
                                      decoder_start_token_id=1), transformers.T5ForConditionalGeneration, "$A </s>"),
    ("tiny-pair", pair_config(), transformers.EncoderDecoderModel, "[CLS] $A [SEP]"),
    ("tiny-marian-two", marian_two_config(), transformers.MarianMTModel, None),
]


def tokenizer_with(around: str):
    vocabulary = {word: place for place, word in enumerate(SPECIAL + WORDS + ["und"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [(token, vocabulary[token]) for token in SPECIAL if token in around.split()]
    tokenizer.post_processor = processors.TemplateProcessing(single=around, pair=f"{around} $B", special_tokens=special)
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": None, "sep_token": None}
    if "[CLS]" in around:
        names = {"bos_token": None, "eos_token": None, "cls_token": "[CLS]", "sep_token": "[SEP]"}
    names = {name: token for name, token in names.items() if token}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=48, **names)


def made(name: str, config, model_class, around: str | None, seed: int):
    torch.manual_seed(seed)
    model = model_class(config)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter.dim() > 1 and "embed_positions" not in parameter_name:
                parameter.copy_(0.25 * torch.randn(parameter.shape))
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.copy_(0.3 * torch.randn(model.final_logits_bias.shape))
    folder = GOLDEN / name / "model"
    model.save_pretrained(folder)
    (tokenizer_with(around) if around else two_vocabularies()).save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


class Watched(Seq2SeqTrainer):
    """Keeps the loss of every step as it is, not rounded as in the log."""

    def training_step(self, *arguments, **named):
        loss = super().training_step(*arguments, **named)
        self.watched.append(loss.item())
        return loss


def steps(folder, model_class, features, smoothing: float) -> list[float]:
    model = model_class.from_pretrained(folder)
    for name, parameter in model.named_parameters():
        # Marian's sines are no weights and not saved, but what opens a folder in this version of transformers makes them trainable.
        if folder.parent.name.startswith("tiny-marian") and "embed_positions" in name:
            parameter.requires_grad_(False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as output:
        arguments = Seq2SeqTrainingArguments(
            output_dir=output, per_device_train_batch_size=len(PAIRS), max_steps=STEPS, learning_rate=RATE, weight_decay=DECAY, lr_scheduler_type="constant",
            warmup_steps=0, max_grad_norm=1.0, label_smoothing_factor=smoothing, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True,
            remove_unused_columns=False,
        )
        collator = DataCollatorForSeq2Seq(tokenizer, model=model)
        trainer = Watched(model=model, args=arguments, train_dataset=features, data_collator=collator)
        trainer.watched = []
        trainer.train()
    return trainer.watched


def main() -> None:
    results = []
    for seed, (name, config, model_class, around) in enumerate(MODELS):
        folder = made(name, config, model_class, around, seed)
        model = model_class.from_pretrained(folder).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        features, pairs, cut = [], [], [0, 0]
        for source, target in PAIRS:
            input_ids = tokenizer(source, max_length=SOURCE_LENGTH, truncation=True).input_ids
            labels = tokenizer(text_target=target, max_length=TARGET_LENGTH, truncation=True).input_ids
            cut[0] += len(tokenizer(source).input_ids) > SOURCE_LENGTH
            cut[1] += len(tokenizer(text_target=target).input_ids) > TARGET_LENGTH
            features.append({"input_ids": input_ids, "attention_mask": [1] * len(input_ids), "labels": labels})
            given = torch.tensor([labels])
            shifted = model._shift_right(given) if name == "tiny-t5" else model.prepare_decoder_input_ids_from_labels(given)
            with torch.no_grad():
                loss = model(input_ids=torch.tensor([input_ids]), labels=given).loss.item()
            pairs.append({"source": source, "target": target, "input_ids": input_ids, "labels": labels, "decoder_input_ids": shifted[0].tolist(), "loss": loss})
        results.append({
            "model": name, "pairs": pairs, "cut": cut, "steps": steps(folder, model_class, features, 0.0), "smoothed_steps": steps(folder, model_class, features, 0.1),
        })
    write_json(ROOT / "crates/graftling/tests/golden/sequence_to_sequence.json", {
        "made_by": made_by("sequence_to_sequence.py"), "max_length": SOURCE_LENGTH, "max_target_length": TARGET_LENGTH, "learning_rate": RATE, "weight_decay": DECAY,
        "models": results,
    })


if __name__ == "__main__":
    main()
