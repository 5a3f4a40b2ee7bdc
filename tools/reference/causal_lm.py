"""Computes losses, perplexities and training steps of causal language models with transformers.

    python tools/reference/causal_lm.py

crates/graftling/tests/golden/causal_lm.json: for the tiny decoders of tiny_decoders.py the tokens of texts and of prompts with their completions, an
end token after each; the loss of every text, whole and in windows as transformers' guide to perplexity slides them; the loss of completions alone,
also where the prompt is cut at its front; and the losses of AdamW steps over prompts with completions, with and without label smoothing.
"""
import math

import torch
import transformers

from bert import GOLDEN, ROOT
from golden import made_by, write_json

TEXTS = [
    "the movie was very good and the story is great", "this", "again and again this film is bad, and it costs 12.50", "这部电影不好看。",
    "the film was dull and that was not good. " * 4, "Translate to German: the house is small.",
]
PAIRS = [
    ("Summarize: the film was dull and that was not good\n\nSummary:", " dull"), ("电影：", "好的电影，很好看。"),
    ("the movie was very good " * 5, "and the story is great"), ("Q", "again and again this film is bad and the story is not great, " * 2),
    ("Translate: ", "the house is small."), ("How much?\n", "It costs 12.50 and weighs 3 kg."),
]
MAX_LENGTH, STRIDE = 16, 4
CUT_LENGTH = 24
STEPS, RATE, DECAY = 5, 3e-3, 0.01


def opened(name: str):
    folder = GOLDEN / name / "model"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    return tokenizer, model.eval()


def ids(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False).input_ids


def loss_sum(model, input_ids: list[int], labels: list[int]) -> tuple[float, int]:
    """The sum of the losses of the tokens whose label is not -100, and how many they are."""
    count = sum(label != -100 for label in labels[1:])
    with torch.no_grad():
        loss = model(input_ids=torch.tensor([input_ids]), labels=torch.tensor([labels])).loss
    return loss.item() * count, count


def slid(model, input_ids: list[int]) -> tuple[float, int]:
    """The sum over windows, each of which moves on by MAX_LENGTH - STRIDE and counts what no window before it has."""
    total, count, before = 0.0, 0, 0
    for begin in range(0, len(input_ids), MAX_LENGTH - STRIDE):
        end = min(begin + MAX_LENGTH, len(input_ids))
        window = input_ids[begin:end]
        labels = [-100] * (len(window) - (end - before)) + window[len(window) - (end - before):]
        loss, tokens = loss_sum(model, window, labels)
        total, count, before = total + loss, count + tokens, end
        if end == len(input_ids):
            return total, count


def pair(tokenizer, prompt: str, completion: str) -> tuple[list[int], list[int]]:
    prompt_ids, completion_ids = ids(tokenizer, prompt), ids(tokenizer, completion) + [tokenizer.eos_token_id]
    return prompt_ids, completion_ids


def cut(prompt_ids: list[int], completion_ids: list[int]) -> tuple[list[int], list[int]]:
    completion_ids = completion_ids[: CUT_LENGTH - 1]
    return prompt_ids[-min(len(prompt_ids), CUT_LENGTH - len(completion_ids)):], completion_ids


def scored_pair(model, prompt_ids: list[int], completion_ids: list[int]) -> dict:
    loss, tokens = loss_sum(model, prompt_ids + completion_ids, [-100] * len(prompt_ids) + completion_ids)
    return {"input_ids": prompt_ids + completion_ids, "given": len(prompt_ids), "loss": loss / tokens, "tokens": tokens}


def steps(name: str, smoothing: float) -> list[float]:
    """The mean loss of all completion tokens before each of some AdamW steps over all pairs at once."""
    tokenizer, model = opened(name)
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], lr=RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total, count = 0.0, 0
        for prompt, completion in PAIRS:
            prompt_ids, completion_ids = pair(tokenizer, prompt, completion)
            logits = model(input_ids=torch.tensor([prompt_ids + completion_ids])).logits[0, len(prompt_ids) - 1:-1]
            total = total + torch.nn.functional.cross_entropy(logits, torch.tensor(completion_ids), reduction="sum", label_smoothing=smoothing)
            count += len(completion_ids)
        loss = total / count
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    models = []
    for name in ["tiny-llama", "tiny-gpt2"]:
        tokenizer, model = opened(name)
        texts = []
        for text in TEXTS:
            input_ids = ids(tokenizer, text) + [tokenizer.eos_token_id]
            loss, tokens = loss_sum(model, input_ids, input_ids)
            slid_loss, slid_tokens = slid(model, input_ids)
            assert slid_tokens == tokens == len(input_ids) - 1
            texts.append({
                "text": text, "input_ids": input_ids, "loss": loss / tokens, "perplexity": math.exp(loss / tokens), "windowed_loss": slid_loss / tokens,
            })
        pairs = []
        for prompt, completion in PAIRS:
            whole = pair(tokenizer, prompt, completion)
            pairs.append({"prompt": prompt, "completion": completion, **scored_pair(model, *whole), "cut": scored_pair(model, *cut(*whole))})
        models.append({"model": name, "texts": texts, "pairs": pairs, "steps": steps(name, 0.0), "smoothed_steps": steps(name, 0.1)})
    write_json(ROOT / "crates/graftling/tests/golden/causal_lm.json", {
        "made_by": made_by("causal_lm.py"), "max_length": MAX_LENGTH, "stride": STRIDE, "cut_length": CUT_LENGTH, "learning_rate": RATE,
        "weight_decay": DECAY, "models": models,
    })


if __name__ == "__main__":
    main()
