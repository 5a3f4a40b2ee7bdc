"""Beam search by the rules of `generate` of transformers, written down for one prompt, plainly: for models that transformers does not know.

generation_by_family.py holds it against transformers wherever both can search, before anything is made by it.
"""
from collections.abc import Callable

import torch
from transformers import LogitsProcessorList

# What transformers gives beams that are not there, or that are complete and must not go on.
NOTHING = -1e9


def beam_search(
    next_logits: Callable[[list], torch.Tensor], start: list, processors: LogitsProcessorList, *, max_new_tokens: int, eos_token_id: list, num_beams: int,
    num_return_sequences: int = 1, length_penalty: float = 1.0, early_stopping: bool | str = False,
) -> list:
    """What is written behind `start`, the best first: the new ids and the score of each. `next_logits` gives the logits after a list of ids."""
    def is_complete(ids: list) -> bool:
        return ids[-1] in eos_token_id or len(ids) - len(start) == max_new_tokens

    def with_every_token(ids: list, score: float) -> torch.Tensor:
        log_probabilities = torch.log_softmax(next_logits(ids).float(), -1)[None]
        return processors(torch.tensor([ids]), log_probabilities)[0] + score

    # All beams begin alike, but only the first of them counts.
    running = [(start, 0.0 if place == 0 else NOTHING) for place in range(num_beams)]
    complete, can_improve = [], True
    for length in range(1, max_new_tokens + 1):
        scores = torch.stack([with_every_token(*beam) for beam in running])
        # So many that a full set can go on when every token that ends a text is among them for every beam.
        best = scores.flatten().topk(max(2, 1 + len(eos_token_id)) * num_beams)
        places = [divmod(place, scores.shape[1]) for place in best.indices.tolist()]
        candidates = [([*running[beam][0], token], score) for (beam, token), score in zip(places, best.values.tolist())]
        complete += [(ids, score / length**length_penalty) for ids, score in candidates[:num_beams] if is_complete(ids)]
        complete = sorted(complete, key=lambda beam: -beam[1])[:num_beams]
        if all(is_complete(ids) for ids, _ in candidates):
            break
        going_on = [(ids, score + (NOTHING if is_complete(ids) else 0.0)) for ids, score in candidates]
        running = sorted(going_on, key=lambda beam: -beam[1])[:num_beams]
        if len(complete) == num_beams:
            longest = max_new_tokens if early_stopping == "never" and length_penalty > 0 else length
            can_improve = can_improve and running[0][1] / longest**length_penalty > complete[-1][1]
            if not can_improve or early_stopping is True:
                break
    return [[ids[len(start):], score] for ids, score in complete[:num_return_sequences]]
