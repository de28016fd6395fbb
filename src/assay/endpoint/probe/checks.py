"""What an API does with what it is asked: each check sends a few short requests and says one thing."""

from __future__ import annotations

import json
from typing import Any

from assay.endpoint.probe.trial import IDS, TEXT, Asker
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import SingleAnswer, answer

_FOUR = 4
_SAMPLED = 24
_TRIES = 3
_CHOOSE = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "repeat_penalty",
    "samplers",
    "seed",
)
"""Fields that say how tokens are chosen, in all APIs."""


def counts_agree(got: SingleAnswer) -> bool | None:
    """Whether usage states the same number of tokens as there are ids; None when one of the two is not given."""
    stated = got.usage.completion_tokens
    return None if stated is None or not got.ids else stated == len(got.ids)


def prompt_is_kept(got: SingleAnswer) -> bool | None:
    """Whether the server received the ids that were sent, by its own report."""
    if got.prompt_ids is not None:
        return got.prompt_ids == IDS
    stated = got.usage.prompt_tokens
    return None if stated is None else stated == len(IDS)


def minimum_is_honoured(asker: Asker) -> bool | None:
    """The first id of the greedy answer is made a stop id; a minimum of four must then hold it off.

    None where the API knows no minimum, or where the stop id ends nothing (then nothing is shown).
    """
    free = asker.ask(asker.short(), Sampling(max_tokens=_FOUR)).ids
    if not free or not asker.api.has_min_tokens:
        return None
    stops = Sampling(max_tokens=2 * _FOUR, stop_ids=free[:1])
    if len(asker.ask(asker.short(), stops).ids) != 1:
        return None
    held = Sampling(max_tokens=2 * _FOUR, min_tokens=_FOUR, stop_ids=free[:1])
    return len(asker.ask(asker.short(), held).ids) >= _FOUR


def stop_id_is_sent(asker: Asker) -> bool | None:
    """Whether the id that ends an answer is its last id. None where stop ids are unknown to the API."""
    free = asker.ask(asker.short(), Sampling(max_tokens=_FOUR)).ids
    if not free or not asker.api.has_min_tokens:
        return None
    got = asker.ask(asker.short(), Sampling(max_tokens=2 * _FOUR, stop_ids=free[:1]))
    if got.failure or len(got.ids) > 1:
        return None
    return got.ids == free[:1]


def added_to_text(asker: Asker, bare: int) -> int | None:
    """Number of ids that the server puts before a text that has `bare` ids by itself; 1 is a beginning-of-sequence
    id."""
    if asker.api.name == "vllm-generate":
        return None
    stated = asker.ask(Prompt(text=TEXT), Sampling(max_tokens=1)).usage.prompt_tokens
    return None if stated is None else stated - bare


def takes_id(asker: Asker, one: int) -> bool | None:
    """Whether the id `one` is inside the server's vocabulary. It is tried in a prompt."""
    if not asker.takes_ids:
        return None
    return asker.ask(Prompt(ids=(*IDS, one)), Sampling(max_tokens=1)).failure is None


def samples_by_default(asker: Asker) -> bool | None:
    """Whether answers change when a request leaves the sampling fields out. None: the server refuses a request
    without them."""
    body = json.loads(asker.body(asker.short(), Sampling(max_tokens=_SAMPLED)))
    bare = json.dumps(_without(body)).encode()
    answers = [answer(asker.server, asker.api, bare) for _ in range(_TRIES)]
    if any(one.failure for one in answers):
        return None
    return len({(one.ids, one.text) for one in answers}) > 1


def _without(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without(inner) for key, inner in value.items() if key not in _CHOOSE}
