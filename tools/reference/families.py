"""Makes the golden files of crates/graftling-models/tests/families.rs: what transformers computes for every family and head.

    python tools/reference/families.py [FAMILY ...]          # all of them without a name

Of each family a tiny random model under each head: the checkpoint as transformers saves it, a batch of unequal lengths, its logits, its loss
and every gradient; for sequence classification and causal language modelling also the weights after ten AdamW steps. Everything is computed
in double precision from the single-precision weights. The recipe of the ten steps is that of bert.py. Losses by head:

    sequence        mean cross-entropy over 3 labels
    number          mean squared error of 1 output
    regression      mean squared error of 2 outputs
    multi-label     mean binary cross-entropy of 4 labels
    tokens, masked  mean cross-entropy over the tokens that have a label
    causal          mean cross-entropy over the tokens that another one follows
    seq2seq         mean cross-entropy over the tokens of a second sequence
    answers         mean squared error of both logits of every token against random targets (the answer loss of transformers looks at the
                    logits of padding, which a packed batch does not have)
"""
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers

from bert import GOLDEN, MAX_GRAD_NORM, STEPS, WEIGHT_DECAY
from golden import made_by, write_json, write_tensors

RECIPE = {"learning_rate": 1e-3, "epsilon": 1e-6}
# Neither the activation nor the constant of the norms is a family's default: one that is not read from the config shows.
SIZES = {
    "vocab_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 12, "intermediate_size": 18, "max_position_embeddings": 24,
    "hidden_act": "silu", "layer_norm_eps": 1e-3,
}
DISTILBERT_SIZES = {"vocab_size": 40, "n_layers": 2, "n_heads": 2, "dim": 12, "hidden_dim": 18, "max_position_embeddings": 24, "activation": "silu"}
ROBERTA = {"type_vocab_size": 1, "max_position_embeddings": 26}
# A window of three tokens before and three behind: the longest sequences are longer. The last layer sees everything.
MODERNBERT_SIZES = {
    "vocab_size": 40, "num_hidden_layers": 4, "num_attention_heads": 2, "hidden_size": 12, "intermediate_size": 10, "max_position_embeddings": 24,
    "hidden_activation": "silu", "classifier_activation": "relu", "norm_eps": 1e-3, "local_attention": 7, "pad_token_id": 0,
    "bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2,
}
# Biases everywhere but at the decoder, means of all tokens, and the layers told by name: the last one sees a window.
MODERNBERT_VARIANT = {
    **MODERNBERT_SIZES, "num_hidden_layers": 3, "norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True, "decoder_bias": False,
    "classifier_pooling": "mean", "local_attention": 4, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 500.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 20.0}},
}
# As DeBERTa-v3: distances beyond 4 share buckets, and what projects tokens projects distances.
DEBERTA_SIZES = {
    **SIZES, "relative_attention": True, "pos_att_type": "p2c|c2p", "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "position_biased_input": False, "pooler_hidden_act": "relu",
}
# As the largest DeBERTa-v2, with a convolution, and with what none of the published ones has: distances beyond 6 are one.
DEBERTA_VARIANT = {
    **SIZES, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "max_relative_positions": 6, "type_vocab_size": 2, "embedding_size": 8,
    "conv_kernel_size": 3, "conv_act": "gelu",
}
GPT2_SIZES = {
    "vocab_size": 40, "n_layer": 2, "n_head": 2, "n_embd": 12, "n_inner": 18, "n_positions": 24, "activation_function": "silu", "layer_norm_epsilon": 1e-3,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}
# Two heads of queries for one of keys and values.
LLAMA_SIZES = {
    "vocab_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 16, "intermediate_size": 18,
    "max_position_embeddings": 24, "hidden_act": "gelu_new", "rms_norm_eps": 1e-3, "rope_parameters": {"rope_type": "default", "rope_theta": 50.0},
    "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 50.0, "factor": 4.0, "low_freq_factor": 0.5, "high_freq_factor": 1.5, "original_max_position_embeddings": 12}
YARN = {"rope_type": "yarn", "rope_theta": 50.0, "factor": 4.0, "original_max_position_embeddings": 6, "beta_fast": 1.0, "beta_slow": 0.1}
# An encoder of one size and a decoder of another.
BART_SIZES = {
    "vocab_size": 40, "d_model": 12, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 3, "encoder_ffn_dim": 18,
    "decoder_ffn_dim": 14, "max_position_embeddings": 24, "activation_function": "silu", "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    "decoder_start_token_id": 2, "forced_eos_token_id": 2,
}
T5_SIZES = {
    "vocab_size": 40, "d_model": 12, "d_kv": 5, "d_ff": 18, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 2, "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 10, "layer_norm_epsilon": 1e-3, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0,
}
TWO_VOCABULARIES = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 34, "decoder_start_token_id": 0, "scale_embedding": True}
DECODES, STARTS = {"is_decoder": True, "add_cross_attention": True}, {"decoder_start_token_id": 2, "pad_token_id": 1}
PAIR = {"encoder": {"model_type": "bert", **SIZES}, "decoder": {"model_type": "bert", **SIZES, "num_hidden_layers": 1, "is_decoder": True, "add_cross_attention": True}}

# The name of each family's classes, what its config is told, and the first token id that is no padding.
FAMILIES = {
    "bert": ("Bert", SIZES),
    "roberta": ("Roberta", {**SIZES, **ROBERTA}),
    "xlm-roberta": ("XLMRoberta", {**SIZES, **ROBERTA}),
    "camembert": ("Camembert", {**SIZES, **ROBERTA}),
    "distilbert": ("DistilBert", DISTILBERT_SIZES),
    "electra": ("Electra", {**SIZES, "embedding_size": 8}),
    "electra-wide": ("Electra", {**SIZES, "embedding_size": 12}),
    "albert": ("Albert", {**SIZES, "embedding_size": 8, "num_hidden_layers": 3}),
    "mpnet": ("MPNet", {**SIZES, "max_position_embeddings": 26}),
    "modernbert": ("ModernBert", MODERNBERT_SIZES),
    "modernbert-biased": ("ModernBert", MODERNBERT_VARIANT),
    # The first tokens are classified, in a last layer in which they see a window.
    "modernbert-local": ("ModernBert", {**MODERNBERT_SIZES, "num_hidden_layers": 3}),
    "deberta-v2": ("DebertaV2", DEBERTA_SIZES),
    "deberta-v2-own": ("DebertaV2", DEBERTA_VARIANT),
    # The vectors of distances are for queries, or for keys alone.
    "deberta-v2-c2p": ("DebertaV2", {**DEBERTA_SIZES, "pos_att_type": "c2p", "share_att_key": False, "norm_rel_ebd": "none", "num_hidden_layers": 1, "conv_kernel_size": 5}),
    "deberta-v2-p2c": ("DebertaV2", {**DEBERTA_SIZES, "pos_att_type": "p2c", "legacy": False}),
    "deberta-v2-absolute": ("DebertaV2", SIZES),
    "gpt2": ("GPT2", GPT2_SIZES),
    "llama": ("Llama", LLAMA_SIZES),
    # Biases everywhere, heads wider than the model is, one of keys and values for all, a matrix of its own to the vocabulary, places divided by a factor.
    "llama-biased": ("Llama", {
        **LLAMA_SIZES, "num_key_value_heads": 1, "head_dim": 6, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False,
        "rope_parameters": {"rope_type": "linear", "rope_theta": 50.0, "factor": 3.0},
    }),
    "llama-llama3": ("Llama", {**LLAMA_SIZES, "head_dim": 8, "rope_parameters": LLAMA3}),
    "llama-yarn": ("Llama", {**LLAMA_SIZES, "head_dim": 8, "rope_parameters": YARN}),
    "mistral": ("Mistral", {**LLAMA_SIZES, "sliding_window": 5, "tie_word_embeddings": False}),
    # The second layer sees a window.
    "qwen2": ("Qwen2", {**LLAMA_SIZES, "use_sliding_window": True, "max_window_layers": 1, "sliding_window": 4}),
    "qwen3": ("Qwen3", {**LLAMA_SIZES, "head_dim": 6}),
    "bart": ("Bart", BART_SIZES),
    "mbart": ("MBart", {**BART_SIZES, "scale_embedding": True}),
    # A second sequence begins with padding, whose embedding is then not trained.
    "marian": ("Marian", {**BART_SIZES, "scale_embedding": True, "decoder_start_token_id": 0}),
    "t5": ("T5", T5_SIZES),
    # As T5 1.1: a gate, and no smaller tokens before the vocabulary.
    "t5-gated": ("T5", {**T5_SIZES, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    # The weights alone say that there is a matrix of its own to the vocabulary.
    "t5-own": ("T5", {**T5_SIZES, "feed_forward_proj": "gated-silu", "tie_word_embeddings": False}),
    "mt5": ("MT5", T5_SIZES),
    "encoder-decoder": ("EncoderDecoder", {**PAIR, "decoder_start_token_id": 1, "pad_token_id": 0}),
    # Without places of their own sequences may be longer than the config's longest, 10.
    "deberta-v2-far": ("DebertaV2", {**DEBERTA_SIZES, "max_position_embeddings": 10}),
    # Both halves a RoBERTa, and a BERT before a smaller XLM-R.
    "encoder-decoder-roberta": ("EncoderDecoder", {
        "encoder": {"model_type": "roberta", **SIZES, **ROBERTA}, "decoder": {"model_type": "roberta", **SIZES, **ROBERTA, **DECODES}, **STARTS,
    }),
    "encoder-decoder-mixed": ("EncoderDecoder", {
        "encoder": {"model_type": "bert", **SIZES, "pad_token_id": 1}, "decoder": {"model_type": "xlm-roberta", **SIZES, **ROBERTA, **DECODES, "vocab_size": 34, "num_hidden_layers": 1}, **STARTS,
    }),
    # Two vocabularies, of which the second has a matrix of its own or none; a second sequence begins with padding.
    "marian-two": ("Marian", {**BART_SIZES, **TWO_VOCABULARIES}),
    "marian-own": ("Marian", {**BART_SIZES, **TWO_VOCABULARIES, "tie_word_embeddings": False}),
    # What products of attention are divided by is the layer's number alone.
    "gpt2-scaled": ("GPT2", {**GPT2_SIZES, "n_layer": 3, "scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True}),
    "llama-dynamic": ("Llama", {**LLAMA_SIZES, "head_dim": 8, "rope_parameters": {"rope_type": "dynamic", "rope_theta": 50.0, "factor": 4.0}}),
    # With the embedding of a task, as ERNIE 2.0 and 3.0, and without, as ERNIE 1.0.
    "ernie": ("Ernie", {**SIZES, "use_task_id": True, "task_type_vocab_size": 3, "type_vocab_size": 4}),
    "ernie-plain": ("Ernie", SIZES),
}
TWO_STACKS = ["bart", "mbart", "marian", "marian-two", "marian-own", "t5", "t5-gated", "t5-own", "mt5", "encoder-decoder", "encoder-decoder-roberta", "encoder-decoder-mixed"]
DECODERS = ["gpt2", "llama", "mistral", "qwen2", "qwen3"]
# Families that differ in name alone, and variants of one, have these heads alone.
SOME_HEADS = {
    "xlm-roberta": ["sequence"], "camembert": ["sequence"], "electra-wide": ["sequence"], "ernie-plain": ["sequence"],
    "modernbert-biased": ["sequence", "tokens", "masked"], "modernbert-local": ["sequence", "masked"],
    "deberta-v2-own": ["sequence", "tokens", "masked"], "deberta-v2-c2p": ["sequence"], "deberta-v2-p2c": ["sequence", "masked"],
    "deberta-v2-absolute": ["sequence"], "deberta-v2-far": ["sequence"], "gpt2": ["sequence", "tokens", "causal", "answers", "multi-label"], "llama": ["sequence", "regression", "tokens", "causal"],
    "llama-biased": ["sequence", "causal"], "llama-llama3": ["causal"], "llama-yarn": ["causal"], "llama-dynamic": ["causal"], "gpt2-scaled": ["causal"],
    **{family: ["sequence", "causal"] for family in ("mistral", "qwen2", "qwen3")},
    **{family: ["seq2seq"] for family in TWO_STACKS},
}
HEADS = {
    "sequence": ("ForSequenceClassification", {"num_labels": 3, "problem_type": "single_label_classification"}),
    "regression": ("ForSequenceClassification", {"num_labels": 2, "problem_type": "regression"}),
    "tokens": ("ForTokenClassification", {"num_labels": 4}),
    "masked": ("ForMaskedLM", {}),
    "answers": ("ForQuestionAnswering", {"num_labels": 2}),
    "number": ("ForSequenceClassification", {"num_labels": 1, "problem_type": "regression"}),
    "multi-label": ("ForSequenceClassification", {"num_labels": 4, "problem_type": "multi_label_classification"}),
    "causal": ("ForCausalLM", {}),
    "seq2seq": ("ForConditionalGeneration", {}),
}
# Classes that are called otherwise.
NAMED = {("GPT2", "causal"): "LMHeadModel", ("Marian", "seq2seq"): "MTModel", ("EncoderDecoder", "seq2seq"): "Model"}


def main() -> None:
    torch.set_num_threads(1)
    for family in sys.argv[1:] or FAMILIES:
        for head in SOME_HEADS.get(family, [head for head in HEADS if head not in ("causal", "seq2seq")]):
            make(family, head)


def make(family: str, head: str) -> None:
    """The checkpoint of one family with one head, and what comes out of it."""
    prefix, sizes = FAMILIES[family]
    suffix, told = HEADS[head]
    seed = 100 * list(FAMILIES).index(family) + list(HEADS).index(head)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    config = getattr(transformers, f"{prefix}Config")(**sizes, **told)
    model = getattr(transformers, prefix + NAMED.get((prefix, head), suffix))(config)
    if family == "t5-own":
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name == "final_logits_bias":
                buffer.copy_(torch.randn(buffer.shape))
        for name, parameter in trained(model):
            centre = 1.0 if is_norm(name) and name.endswith("weight") else 0.0
            parameter.copy_(centre + 0.2 * torch.randn(parameter.shape))
    folder = GOLDEN / "families" / family / head
    model.save_pretrained(folder / "model")
    for file in (folder / "model").iterdir():
        file.chmod(0o644)
        if file.name not in ("config.json", "model.safetensors"):
            file.unlink()
    batches = [batch(head, config, generator) for _ in range(STEPS if head in ("sequence", "causal", "seq2seq") else 1)]
    outcome = run(model, head, batches)
    write_tensors(folder / "expected.safetensors", outcome.pop("tensors"), "families.py")
    write_json(folder / "batches.json", {"made_by": made_by("families.py"), "recipe": recipe(), **outcome, "batches": batches})
    print(family, head, outcome["losses"][0])


def batch(head: str, config, generator: torch.Generator) -> dict:
    """Sequences of unequal lengths with random ids, none of them padding, and what the head should say about them."""
    def draw(limit: int, count: int, first: int = 0) -> list:
        return torch.randint(first, limit, (count,), generator=generator).tolist()

    def numbers(count: int) -> list:
        return torch.randn(count, generator=generator).tolist()
    lengths = [9, 1, 14, 5]
    first = (config.pad_token_id or 0) + 1
    made = {"input_ids": [draw(vocabulary(config), length, first) for length in lengths]}
    segments = getattr(config, "type_vocab_size", 0)
    made["token_type_ids"] = [[int(segments > 1 and index % 2 == 0 and place >= length // 2) for place in range(length)] for index, length in enumerate(lengths)]
    if head == "sequence":
        return {**made, "labels": draw(3, len(lengths))}
    if head in ("number", "regression"):
        return {**made, "numbers": numbers(config.num_labels * len(lengths))}
    if head == "multi-label":
        return {**made, "marks": draw(2, 4 * len(lengths))}
    if head == "answers":
        return {**made, "numbers": numbers(2 * sum(lengths))}
    if head == "seq2seq":
        targets = [draw(written_vocabulary(config), length, 1) for length in (4, 6, 1, 12)]
        start = config.decoder_start_token_id
        return {**made, "decoder_input_ids": [[start, *row[:-1]] for row in targets], "token_labels": targets}
    if head == "causal":
        return {**made, "token_labels": [[*row[1:], -100] for row in made["input_ids"]]}
    classes = 4 if head == "tokens" else config.vocab_size
    # About half of the tokens have a label; -100 is torch's word for none.
    labels = [[label if chosen else -100 for label, chosen in zip(draw(classes, length), draw(2, length))] for length in lengths]
    labels[1][0] = 1
    return {**made, "token_labels": labels}


def vocabulary(config) -> int:
    return config.vocab_size if hasattr(config, "vocab_size") else config.encoder.vocab_size


def written_vocabulary(config) -> int:
    own = config.decoder.vocab_size if hasattr(config, "decoder") else getattr(config, "decoder_vocab_size", None)
    return own or vocabulary(config)


def run(model, head: str, batches: list) -> dict:
    model = copy.deepcopy(model).double().eval()
    model.config._attn_implementation = "eager"
    return trained_run(dict(trained(model)), plain, batches, lambda one: forward(model, head, one))


def trained_run(named: dict, plain: Callable, batches: list, forward: Callable) -> dict:
    """A step of AdamW for each batch, of which `forward` gives logits and loss: losses, norms of gradients, and as tensors the logits and
    gradients of the first batch, and the weights after the last if there are several. Parameters with `plain` names have no weight decay."""
    groups = [
        {"params": [parameter for name, parameter in named.items() if not plain(name)], "weight_decay": WEIGHT_DECAY},
        {"params": [parameter for name, parameter in named.items() if plain(name)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RECIPE["learning_rate"], eps=RECIPE["epsilon"], betas=(0.9, 0.999))
    outcome = {"losses": [], "gradient_norms": []}
    for step, one in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = RECIPE["learning_rate"] * (STEPS - step) / STEPS
        optimizer.zero_grad()
        logits, loss = forward(one)
        loss.backward()
        missing = [name for name, parameter in named.items() if parameter.grad is None]
        assert not missing, f"no gradient for {missing}"
        if step == 0:
            outcome["tensors"] = {"logits": logits.detach(), **{f"gradient/{name}": parameter.grad.clone() for name, parameter in named.items()}}
        outcome["losses"].append(loss.item())
        outcome["gradient_norms"].append(torch.nn.utils.clip_grad_norm_(named.values(), MAX_GRAD_NORM).item())
        optimizer.step()
    if len(batches) > 1:
        outcome["tensors"] |= {f"step10/{name}": parameter.detach().clone() for name, parameter in named.items()}
    return outcome


def forward(model, head: str, one: dict) -> tuple:
    """The logits of the rows that have a target, end to end, and the loss."""
    pad = lambda rows, value: torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)
    mask = pad([[1] * len(row) for row in one["input_ids"]], 0)
    if model.config.model_type in ("modernbert", *DECODERS, *TWO_STACKS):
        output = one_by_one(model, one["input_ids"], one.get("decoder_input_ids"))
    else:
        given = {"input_ids": pad(one["input_ids"], model.config.pad_token_id or 0), "attention_mask": mask}
        if getattr(model.config, "type_vocab_size", 0) > 1:
            given["token_type_ids"] = pad(one["token_type_ids"], 0)
        output = model(**given)
    if head == "sequence":
        return output.logits, torch.nn.functional.cross_entropy(output.logits, torch.tensor(one["labels"]))
    if head in ("number", "regression"):
        return output.logits, torch.nn.functional.mse_loss(output.logits.flatten(), torch.tensor(one["numbers"]).double())
    if head == "multi-label":
        return output.logits, torch.nn.functional.binary_cross_entropy_with_logits(output.logits.flatten(), torch.tensor(one["marks"]).double())
    if head == "answers":
        logits = torch.stack([output.start_logits, output.end_logits], -1)[mask.bool()]
        return logits, torch.nn.functional.mse_loss(logits.flatten(), torch.tensor(one["numbers"]).double())
    labels = pad(one["token_labels"], -100)
    logits, labels = output.logits[labels != -100], labels[labels != -100]
    return logits, torch.nn.functional.cross_entropy(logits, labels)


def one_by_one(model, sequences: list, targets: list | None = None) -> SimpleNamespace:
    """What comes out for each sequence alone, laid out as for a padded batch: padding that stands further from all tokens than a window
    reaches would see nothing, and in double precision that is not a number, which spreads."""
    second = lambda index: {} if targets is None else {"decoder_input_ids": torch.tensor([targets[index]])}
    outputs = [model(input_ids=torch.tensor([sequence]), **second(index)) for index, sequence in enumerate(sequences)]
    together = {}
    for key in outputs[0].keys() & {"logits", "start_logits", "end_logits"}:
        rows = [output[key][0] for output in outputs]
        together[key] = torch.stack(rows) if key == "logits" and rows[0].dim() == 1 else torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return SimpleNamespace(**together)


def trained(model) -> list:
    """The parameters that are trained, with their names: no sines, and not the pooler of an encoder that a decoder looks at."""
    found = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad and not name.startswith("encoder.pooler.")]
    # XLM-R's decoder has its head before the words that this has in common with them, and is saved under the name of those.
    words = {id(parameter): name for name, parameter in model.named_parameters(remove_duplicate=False) if name.endswith("word_embeddings.weight")}
    return [(words.get(id(parameter), name), parameter) for name, parameter in found]


def is_norm(name: str) -> bool:
    return "norm" in name.lower() or ".ln_" in name


def plain(name: str) -> bool:
    """Whether a parameter is a bias or a norm's weight, which no weight decay shall pull."""
    return name.endswith("bias") or is_norm(name)


def recipe() -> dict:
    optimizer = {"name": "AdamW", **RECIPE, "beta1": 0.9, "beta2": 0.999, "weight_decay": WEIGHT_DECAY}
    return {"optimizer": optimizer, "schedule": "learning_rate * (10 - step) / 10, step from 0", "max_grad_norm": MAX_GRAD_NORM, "steps": STEPS}


if __name__ == "__main__":
    main()
