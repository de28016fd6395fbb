"""Text Generation Inference's /generate_stream: text in, one id per event. Source: its docs/openapi.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.endpoint.api import Framing
from assay.endpoint.apis.event import (
    MAX_ID,
    Fields,
    Malformed,
    aborted,
    count_in,
    object_in,
    read_event,
    text_in,
)
from assay.endpoint.apis.needs import text_of
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier

_FINISH = {"eos_token": Finish.STOP, "stop_sequence": Finish.STOP, "length": Finish.LENGTH}


@dataclass(frozen=True)
class TgiGenerate:
    name: str = "tgi"
    path: str = "/generate_stream"
    tier: Tier = Tier.B
    framing: Framing = Framing.SSE
    has_min_tokens: bool = False
    has_salt: bool = False

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """The server has one model: it is not named."""
        fields = {"inputs": text_of(prompt, self.name), "parameters": _parameters(sampling)}
        return json.dumps(fields).encode()

    def reader(self) -> TgiReader:
        return TgiReader()


class TgiReader:
    def feed(self, event: bytes) -> Delta:
        return read_event(event, _delta)


def _parameters(sampling: Sampling) -> dict[str, Any]:
    """Greedy is `do_sample: false`. Values that mean off are sent as null: temperature 0, top_p 1 and top_k 0 are
    refused."""
    return {
        "max_new_tokens": sampling.max_tokens,
        "do_sample": sampling.temperature > 0,
        "temperature": sampling.temperature or None,
        "top_p": sampling.top_p if sampling.top_p < 1 else None,
        "top_k": sampling.top_k or None,
        "typical_p": None,
        "repetition_penalty": None,
        "frequency_penalty": None,
        "seed": sampling.seed,
        "stop": list(sampling.stop_texts),
        "return_full_text": False,
        "details": True,
        "decoder_input_details": False,
    }


def _delta(fields: Fields) -> Delta:
    token, details = object_in(fields, "token"), object_in(fields, "details")
    one = token.get("id")
    if token and (type(one) is not int or not 0 <= one <= MAX_ID):
        raise Malformed("token.id is no token id")
    reason = text_in(details, "finish_reason")
    finish = _FINISH.get(reason, Finish.ABORT) if reason else None
    return Delta(
        ids=(one,) if type(one) is int else (),
        text=text_in(token, "text"),
        finish=finish,
        usage=Usage(count_in(details, "input_length"), count_in(details, "generated_tokens"))
        if details
        else None,
        failure=aborted(f"finish_reason {reason}") if finish is Finish.ABORT else None,
    )
