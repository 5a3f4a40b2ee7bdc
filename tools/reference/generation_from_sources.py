"""Makes crates/graftling/tests/golden/generated_from_sources.json.gz: what `generate` of transformers writes from sources with the tiny random
encoder-decoders that families.py has made.

    python tools/reference/generation_from_sources.py

For each model and each set of options the ids that are written from each source, one list a returned sequence, and of beams their scores. What a
set leaves open is as the config of the model says. Sources are ids, for these models have no tokenizer, and each is taken by itself, so that nothing is
padded. Logits are computed in double precision; an answer is kept only where noise does not change it, as in generation.py.
"""
import warnings

import torch
import transformers

from bert import GOLDEN as MODELS
from generation import GOLDEN, Noisy, steady_answers, written
from golden import made_by, write_compressed

FAMILIES = {
    "bart": transformers.BartForConditionalGeneration,
    "mbart": transformers.MBartForConditionalGeneration,
    "marian": transformers.MarianMTModel,
    "t5": transformers.T5ForConditionalGeneration,
    "t5-gated": transformers.T5ForConditionalGeneration,
    "encoder-decoder": transformers.EncoderDecoderModel,
}
LENGTHS = [9, 1, 14, 5, 22]
NEW = 10
TRIALS = 3
# How many sources each set of options has, in turn.
AT_ONCE = 3


def answer(model, source, options: dict) -> list:
    # Without the token that it starts with.
    return written(model, torch.tensor([source]), {"max_new_tokens": NEW, **options}, 1)


def option_sets(model, sources) -> list:
    """Tokens that end a text or are forbidden are ones that this model likes to write."""
    liked = [answer(model, source, {"eos_token_id": [], "forced_eos_token_id": None, "repetition_penalty": 1.4})[0][0] for source in sources]
    ends = sorted({ids[4] for ids in liked[:3]})
    many_ends = sorted({ids[place] for ids in liked for place in (2, 6)})
    bad = [[0], [liked[0][0]], liked[1][1:3], liked[2][2:5]]
    starts = [liked[0][0], liked[2][0]]
    processors = {
        "as the config says": {},
        "repetition penalty": {"repetition_penalty": 1.4},
        "no repeated pair": {"no_repeat_ngram_size": 2},
        "no repeated triple": {"no_repeat_ngram_size": 3},
        "tokens of the source": {"encoder_repetition_penalty": 1.5},
        "no token of the source": {"encoder_no_repeat_ngram_size": 1, "no_repeat_ngram_size": 2},
        "no pair of the source": {"encoder_no_repeat_ngram_size": 2, "encoder_repetition_penalty": 3.0},
        "bad words": {"bad_words_ids": bad, "repetition_penalty": 1.2},
        "ends": {"eos_token_id": ends, "repetition_penalty": 1.4},
        "min length": {"min_length": 6, "eos_token_id": many_ends, "repetition_penalty": 1.4},
        "min new tokens": {"min_new_tokens": 5, "eos_token_id": many_ends, "repetition_penalty": 1.4},
        "max length": {"max_length": 7, "repetition_penalty": 1.4},
        "forced first": {"forced_bos_token_id": 11, "repetition_penalty": 1.4},
        "forced first and last": {"forced_bos_token_id": 11, "forced_eos_token_id": 12, "begin_suppress_tokens": starts, "no_repeat_ngram_size": 1},
        "another start": {"decoder_start_token_id": 7, "no_repeat_ngram_size": 1},
        "all": {
            "repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "encoder_repetition_penalty": 0.8, "encoder_no_repeat_ngram_size": 3, "bad_words_ids": bad,
            "min_length": 4, "suppress_tokens": [5, 6], "forced_bos_token_id": 9, "forced_eos_token_id": 3, "eos_token_id": many_ends,
        },
    }
    sets = [(f"greedy, {name}", options) for name, options in processors.items()]
    sets += [(f"beams, {name}", {"num_beams": 3, "num_return_sequences": 2, **options}) for name, options in processors.items()]
    for beams, penalty, early, end in [
        (2, 0.6, True, ends), (4, 2.0, "never", many_ends), (4, -1.0, False, many_ends), (3, 1.0, True, many_ends), (3, 0.0, "never", ends), (5, 1.5, False, many_ends),
    ]:
        options = {"num_beams": beams, "length_penalty": penalty, "early_stopping": early, "eos_token_id": end, "no_repeat_ngram_size": 2}
        sets.append((f"{beams} beams, penalty {penalty}, early {early}", {**options, "num_return_sequences": beams}))
    return sets


def main() -> None:
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(3)
    # No padding, which would be hidden from attention.
    sources = [torch.randint(3, 40, (length,), generator=generator).tolist() for length in LENGTHS]
    value = {"made_by": made_by("generation_from_sources.py"), "sources": sources, "answers": {}}
    for family, kind in FAMILIES.items():
        model = kind.from_pretrained(MODELS / "families" / family / "seq2seq/model").double().eval()
        # transformers 5.24 makes caches for as many layers as the encoder of T5 has; what is written does not depend on caches.
        model.generation_config.use_cache = not family.startswith("t5")
        noisy = Noisy(model)
        kept, left_out = [], 0
        for place, (title, options) in enumerate(option_sets(model, sources)):
            numbers = sorted((place + step) % len(sources) for step in range(AT_ONCE))
            answers = steady_answers(noisy, numbers, lambda number: answer(model, sources[number], options), TRIALS)
            left_out += AT_ONCE - len(answers)
            assert answers, (family, title)
            kept.append({"title": title, "options": options, "answers": answers})
        value["answers"][family] = kept
        print(f"{family}: {len(kept)} sets of options, {sum(len(case['answers']) for case in kept)} answers kept, {left_out} left out", flush=True)
    write_compressed(GOLDEN / "generated_from_sources.json.gz", value)


if __name__ == "__main__":
    main()
