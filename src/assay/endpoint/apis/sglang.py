"""SGLang's /generate. Source: python/sglang/srt/managers/io_struct.py and tokenizer_manager.py.

A server repeats the whole answer in each event, or sends what is new, by its own options and version. One rule reads
all: the new ids are the last (completion_tokens - ids seen) of `output_ids`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.endpoint.api import Framing
from assay.endpoint.apis.event import (
    Fields,
    Malformed,
    aborted,
    count_in,
    ids_in,
    object_in,
    read_event,
    text_in,
)
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier

_FINISH = {"stop": Finish.STOP, "length": Finish.LENGTH}


@dataclass(frozen=True)
class SglangGenerate:
    name: str = "sglang"
    path: str = "/generate"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = True
    has_salt: bool = True

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """The server has one model: it is not named."""
        fields: dict[str, Any] = {"sampling_params": _parameters(sampling), "stream": True}
        fields |= {"text": prompt.text} if prompt.ids is None else {"input_ids": list(prompt.ids)}
        if salt is not None:
            fields["extra_key"] = salt
        return json.dumps(fields).encode()

    def reader(self) -> SglangReader:
        return SglangReader()


class SglangReader:
    def __init__(self) -> None:
        self._seen = 0
        self._text = ""
        self._cumulative_text = True

    def feed(self, event: bytes) -> Delta:
        return read_event(event, self._delta)

    def _delta(self, fields: Fields) -> Delta:
        meta = object_in(fields, "meta_info")
        done = count_in(meta, "completion_tokens")
        reason = object_in(meta, "finish_reason").get("type")
        usage = Usage(count_in(meta, "prompt_tokens"), done, count_in(meta, "cached_tokens"))
        finish = _FINISH.get(reason, Finish.ABORT) if reason else None
        if finish is Finish.ABORT:  # its output_ids repeats the last id
            message = str(object_in(meta, "finish_reason").get("message") or reason)
            return Delta(finish=finish, usage=usage, failure=aborted(message))
        return Delta(
            ids=self._new_ids(ids_in(fields, "output_ids"), done),
            text=self._new_text(text_in(fields, "text")),
            finish=finish,
            usage=usage,
        )

    def _new_ids(self, ids: tuple[int, ...] | None, done: int | None) -> tuple[int, ...]:
        """A count that fell (a request that was retracted and runs again) brings nothing new until it is passed."""
        if ids is None or done is None:
            raise Malformed("an event has no output_ids or no meta_info.completion_tokens")
        new = max(0, done - self._seen)
        if new > len(ids):
            raise Malformed(f"{new} new tokens are stated and {len(ids)} sent")
        self._seen += new
        return ids[len(ids) - new :]

    def _new_text(self, text: str) -> str:
        """Text is cumulative until an event does not begin with what came before."""
        if self._cumulative_text and text.startswith(self._text):
            new, self._text = text[len(self._text) :], text
            return new
        self._cumulative_text = False
        return text


def _parameters(sampling: Sampling) -> dict[str, Any]:
    parameters = {
        "max_new_tokens": sampling.max_tokens,
        "min_new_tokens": sampling.min_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k or -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": list(sampling.stop_texts),
        "stop_token_ids": list(sampling.stop_ids),
        "no_stop_trim": True,
        "ignore_eos": sampling.ignore_eos,
    }
    if sampling.seed is not None:  # versions before 2025-10 do not know it
        parameters["sampling_seed"] = sampling.seed
    return parameters
