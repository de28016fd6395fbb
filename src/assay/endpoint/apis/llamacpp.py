"""llama.cpp's /completion. Source: llama.cpp tools/server/README.md.

It knows no minimum of tokens and no stop ids. A token inside an unfinished UTF-8 character may be counted and not
sent: then `tokens_predicted` disagrees with the ids, which the audit of an answer finds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis.event import Fields, aborted, count_in, ids_in, object_in, read_event, text_in
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier

_FINISH = {"eos": Finish.STOP, "word": Finish.STOP, "limit": Finish.LENGTH}


@dataclass(frozen=True)
class LlamacppCompletion:
    """A salt is honoured by `cache_prompt: false`, which is always sent: no request sees what another one left."""

    name: str = "llamacpp"
    path: str = "/completion"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = False
    has_salt: bool = True

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """The server has one model: it is not named. Its own defaults are temperature 0.8 and a repeat penalty."""
        fields = {
            "prompt": prompt.text if prompt.ids is None else list(prompt.ids),
            "n_predict": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": 0.0,
            "typical_p": 1.0,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "dry_multiplier": 0.0,
            "xtc_probability": 0.0,
            "mirostat": 0,
            "samplers": ["top_k", "top_p", "temperature"],
            "seed": -1 if sampling.seed is None else sampling.seed,
            "stop": list(sampling.stop_texts),
            "ignore_eos": sampling.ignore_eos,
            "cache_prompt": False,
            "return_tokens": True,
            "stream": True,
        }
        return json.dumps(fields).encode()

    def reader(self) -> LlamacppReader:
        return LlamacppReader()


class LlamacppReader:
    """A context that was too small (`truncated`) is a failure: the model did not see the whole prompt."""

    def feed(self, event: bytes) -> Delta:
        return read_event(event, _delta)


def _delta(fields: Fields) -> Delta:
    ids, text = ids_in(fields, "tokens") or (), text_in(fields, "content")
    if fields.get("stop") is not True:
        return Delta(ids=ids, text=text)
    finish = _FINISH.get(text_in(fields, "stop_type"), Finish.ABORT)
    failure = None
    if fields.get("truncated") is True:
        failure = aborted("the context is too small: the prompt or the answer was truncated")
    elif finish is Finish.ABORT:
        failure = aborted(f"stop_type {fields.get('stop_type')}")
    return Delta(ids, text, finish, _usage(fields), failure=failure)


def _usage(fields: Fields) -> Usage:
    """`tokens_cached` is what lies in the cache now; what was taken from it is timings.cache_n."""
    return Usage(
        prompt_tokens=count_in(fields, "tokens_evaluated"),
        completion_tokens=count_in(fields, "tokens_predicted"),
        cached_tokens=count_in(object_in(fields, "timings"), "cache_n"),
    )
