"""Makes crates/graftling/tests/golden/generated_by_family.json.gz: what `generate` of transformers writes with the tiny random model of every family
that writes, decoders and encoder-decoders alike; and what students of Marian write, which transformers does not know.

    python tools/reference/generation_by_family.py [FAMILY ...]          # all of them without a name

All that is kept came out the same with and without transformers' cache of keys and values (`use_cache`): the script fails where it does not.
"answers": for each model and each set of options the ids that follow each prompt, or are written from each source, one list a returned
sequence, and of beams their scores. "distributions": ids that were drawn behind a prompt or from a source, and the probabilities of the next one
after all processors, as `[id, probability]` where above 0. Texts get longer than the windows of Mistral (5 tokens) and Qwen2 (4).

The students are those of marian_ssru.py, which write greedily and by beam_search.py; the latter has to find what transformers finds with the
families of transformers. Prompts and sources are ids, each taken by itself. Logits are computed in double precision; an answer is kept only where
noise does not change it, as in generation.py.
"""
import gzip
import json
import sys
import warnings

import torch
import transformers
from safetensors.torch import load_file
from transformers import DynamicCache, EncoderDecoderCache, LogitsProcessorList, NoRepeatNGramLogitsProcessor, RepetitionPenaltyLogitsProcessor, SuppressTokensLogitsProcessor

import marian_ssru
from beam_search import beam_search
from bert import GOLDEN as MODELS
from generation import GOLDEN, NOISE, Noisy, steady, steady_answers, written
from golden import made_by, write_compressed

DECODERS = ["gpt2", "gpt2-scaled", "llama", "llama-biased", "llama-llama3", "llama-yarn", "llama-dynamic", "mistral", "qwen2", "qwen3"]
TWO_STACKS = ["bart", "mbart", "marian", "marian-two", "marian-own", "t5", "t5-gated", "t5-own", "mt5", "encoder-decoder", "encoder-decoder-roberta", "encoder-decoder-mixed"]
# A RoBERTa counts places past padding when it reads a text at once and not when it reads on: it must not write any.
NO_PADDING = {family: {"suppress_tokens": [1]} for family in ("encoder-decoder-roberta", "encoder-decoder-mixed")}
LENGTHS = [8, 1, 6, 3]
# With the longest prompt as many tokens as there are positions.
NEW = 16
DRAWN = 7
TRIALS = 3


class Writer:
    """A model of transformers: what it writes without chance, and what it draws."""

    def __init__(self, family: str, head: str, kind):
        self.model = kind.from_pretrained(MODELS / "families" / family / head / "model").double().eval()
        self.noisy = Noisy(self.model)
        self.is_pair = self.model.config.is_encoder_decoder

    def cache(self, is_used: bool) -> dict:
        # Made here, for transformers 5.24 makes caches for as many layers as the encoder of T5 has.
        own = {"past_key_values": EncoderDecoderCache(DynamicCache(), DynamicCache())} if is_used and self.is_pair else {}
        return {"use_cache": is_used, **own}

    def answer(self, ids: list, options: dict, is_cached: bool) -> list:
        begun = 1 if self.is_pair else len(ids)
        return written(self.model, torch.tensor([ids]), {"max_new_tokens": NEW, **options, **self.cache(is_cached)}, begun)

    def steady_answer(self, ids: list, options: dict) -> list:
        """The same with and without a cache, or an error."""
        found, uncached = (self.answer(ids, options, is_cached) for is_cached in (True, False))
        assert self.noisy.on or [row[0] for row in found] == [row[0] for row in uncached], (self.model.config.model_type, ids, options, found, uncached)
        return found

    def distribution(self, ids: list, options: dict, is_cached: bool) -> tuple:
        """Ids that are drawn, and the probabilities of the one after them."""
        given = {"temperature": 1.0, "top_k": 50, "top_p": 1.0, "eos_token_id": None, "forced_eos_token_id": None, "max_new_tokens": DRAWN + 2, **options}
        torch.manual_seed(7)
        out = self.model.generate(torch.tensor([ids]), do_sample=True, return_dict_in_generate=True, output_scores=True, **given, **self.cache(is_cached))
        begun = 1 if self.is_pair else len(ids)
        return out.sequences[0, begun:begun + DRAWN].tolist(), torch.softmax(out.scores[DRAWN][0].double(), -1)

    def steady_distribution(self, ids: list, options: dict) -> dict:
        (drawn, found), (uncached_drawn, uncached) = (self.distribution(ids, options, is_cached) for is_cached in (True, False))
        assert self.noisy.on or drawn == uncached_drawn and (found - uncached).abs().max() < 1e-6, (self.model.config.model_type, ids, options)
        kept = [[place, float(f"{probability:.6g}")] for place, probability in enumerate(found.tolist()) if probability > 0]
        return {"drawn": drawn, "probabilities": kept}


class StudentWriter:
    """A student of Marian, in the place of a model of transformers."""

    def __init__(self, variant: str):
        weights = load_file(MODELS / "families" / variant / "seq2seq/model/model.safetensors")
        config = marian_ssru.VARIANTS[variant]
        self.student = marian_ssru.Student(config, {name: tensor.double() for name, tensor in weights.items()})
        self.start = marian_ssru.start(config)
        self.noisy, self.generator = self, torch.Generator().manual_seed(0)
        self.on = False

    def steady_answer(self, source: list, options: dict) -> list:
        with torch.no_grad():
            encoded = self.student.encoded(source)
            def next_logits(ids: list) -> torch.Tensor:
                logits = self.student.logits(encoded, ids)[-1]
                return logits + NOISE * torch.randn(logits.shape, generator=self.generator, dtype=logits.dtype) if self.on else logits
            return searched(next_logits, self.start, options)


def searched(next_logits, start: int, options: dict) -> list:
    """What is written by options of which these are all, greedily or by beams. Nothing is forced."""
    told = {"max_new_tokens": NEW, **{key: value for key, value in options.items() if key != "forced_eos_token_id"}}
    processors = LogitsProcessorList()
    if "repetition_penalty" in told:
        processors.append(RepetitionPenaltyLogitsProcessor(told.pop("repetition_penalty")))
    if "no_repeat_ngram_size" in told:
        processors.append(NoRepeatNGramLogitsProcessor(told.pop("no_repeat_ngram_size")))
    if "suppress_tokens" in told:
        processors.append(SuppressTokensLogitsProcessor(told.pop("suppress_tokens")))
    if "num_beams" in told:
        return beam_search(next_logits, [start], processors, **told)
    ids = [start]
    while len(ids) <= told["max_new_tokens"] and (len(ids) == 1 or ids[-1] not in told["eos_token_id"]):
        ids.append(processors(torch.tensor([ids]), next_logits(ids)[None])[0].argmax().item())
    return [[ids[1:], None]]


def check_search(writer: Writer, source: list, options: dict, found: list) -> None:
    """Whether the search that is written down here finds what transformers finds."""
    model = writer.model
    def next_logits(ids: list) -> torch.Tensor:
        with torch.no_grad():
            return model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([ids])).logits[0, -1]
    ours = searched(next_logits, model.generation_config.decoder_start_token_id, options)
    assert [row[0] for row in ours] == [row[0] for row in found], (options, ours, found)
    scores = [abs(one[1] - other[1]) for one, other in zip(ours, found) if other[1] is not None]
    assert all(apart < 1e-4 for apart in scores), (options, ours, found)


def option_sets(writer, prompts: list, always: dict) -> list:
    """Texts end with tokens that this model likes to write. Nothing is forced, so that all of it is for the search written down here too."""
    open_end = {"eos_token_id": [], "forced_eos_token_id": None, **always}
    liked = [writer.steady_answer(prompt, {**open_end, "repetition_penalty": 1.4})[0][0] for prompt in prompts]
    ends = {"eos_token_id": sorted({ids[9] for ids in liked[:2]}), "forced_eos_token_id": None, **always}
    many_ends = {"eos_token_id": sorted({ids[place] for ids in liked for place in (3, 8)}), "forced_eos_token_id": None, **always}
    penalty, pairs, tokens = {"repetition_penalty": 1.4}, {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 1}
    beams = lambda returned: {"num_beams": 4, "num_return_sequences": returned}
    return [
        ("greedy", open_end),
        ("greedy, repetition penalty", {**open_end, **penalty}),
        ("greedy, no repeated pair", {**open_end, **pairs}),
        ("greedy, no repeated token", {**open_end, **tokens}),
        ("greedy, ends", {**ends, **penalty}),
        ("4 beams", {**open_end, **beams(1)}),
        ("4 beams, no repeated pair", {**open_end, **pairs, **beams(4)}),
        ("4 beams, no repeated token", {**open_end, **tokens, **beams(3)}),
        ("4 beams, ends", {**ends, **beams(2)}),
        ("4 beams, ends, repetition penalty", {**many_ends, **penalty, **beams(3)}),
        ("4 beams, long texts", {**many_ends, **pairs, **beams(4), "length_penalty": 2.0, "early_stopping": "never"}),
        ("4 beams, short texts", {**many_ends, **pairs, **beams(4), "length_penalty": -1.0}),
        ("4 beams, the first that end", {**many_ends, **pairs, **beams(4), "length_penalty": 0.6, "early_stopping": True}),
    ]


SAMPLING = [
    {"temperature": 0.7}, {"top_k": 5}, {"top_k": 0, "top_p": 0.9}, {"top_k": 0, "min_p": 0.1},
    {"temperature": 1.3, "top_k": 20, "top_p": 0.95, "min_p": 0.02, "repetition_penalty": 1.3}, {"temperature": 0.9, "no_repeat_ngram_size": 1},
]


def main() -> None:
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(4)
    prompts = [torch.randint(3, 40, (length,), generator=generator).tolist() for length in LENGTHS]
    value = {"made_by": made_by("generation_by_family.py"), "prompts": prompts, "answers": {}, "distributions": {}}
    kinds = [*((family, "causal", transformers.AutoModelForCausalLM) for family in DECODERS), *((family, "seq2seq", transformers.AutoModelForSeq2SeqLM) for family in TWO_STACKS)]
    writers = [*((family, lambda kind=(family, head, kind): Writer(*kind)) for family, head, kind in kinds), *((variant, lambda variant=variant: StudentWriter(variant)) for variant in marian_ssru.VARIANTS)]
    for family, make in writers:
        if sys.argv[1:] and family not in sys.argv[1:]:
            continue
        writer = make()
        kept = []
        always = NO_PADDING.get(family, {})
        for title, options in option_sets(writer, prompts, always):
            answers = steady_answers(writer.noisy, range(len(prompts)), lambda place: writer.steady_answer(prompts[place], options), TRIALS)
            assert answers, (family, title)
            writer.noisy.on = False
            if family in TWO_STACKS:
                for place, found in answers.items():
                    check_search(writer, prompts[int(place)], options, found)
            kept.append({"title": title, "options": options, "answers": answers})
        value["answers"][family] = kept
        distributions = []
        for options in [{**options, **always} for options in SAMPLING] if family not in marian_ssru.VARIANTS else []:
            for place, prompt in enumerate(prompts):
                possible = lambda found: (found["drawn"], [id for id, _ in found["probabilities"]])
                found = steady(writer.noisy, lambda: writer.steady_distribution(prompt, options), possible, TRIALS)
                if found is not None:
                    distributions.append({"options": options, "prompt": place, **found})
        value["distributions"][family] = distributions
        count = sum(len(case["answers"]) for case in kept)
        print(f"{family}: {count} of {len(kept) * len(prompts)} answers kept, {len(distributions)} distributions", flush=True)
    path = GOLDEN / "generated_by_family.json.gz"
    if sys.argv[1:]:
        before = json.loads(gzip.decompress(path.read_bytes()))
        value = {**before, **{part: {**before[part], **value[part]} for part in ("answers", "distributions")}}
    write_compressed(path, value)


if __name__ == "__main__":
    main()
