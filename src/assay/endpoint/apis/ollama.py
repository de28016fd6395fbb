"""Ollama's /api/generate: text both ways, JSON lines. Source: Ollama docs/api.md.

A prompt longer than num_ctx is cut without an error. num_ctx is the server's own setting here (OLLAMA_CONTEXT_LENGTH):
another value in a request would load the model again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.endpoint.api import Framing
from assay.endpoint.apis.event import Fields, aborted, count_in, read_event, text_in
from assay.endpoint.apis.needs import text_of
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier

_FINISH = {"stop": Finish.STOP, "length": Finish.LENGTH}


@dataclass(frozen=True)
class OllamaGenerate:
    name: str = "ollama"
    path: str = "/api/generate"
    tier: Tier = Tier.C
    framing: Framing = Framing.JSON_LINES
    has_min_tokens: bool = False
    has_salt: bool = False

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """`raw`: no template of the server's."""
        fields = {
            "model": model,
            "prompt": text_of(prompt, self.name),
            "raw": True,
            "stream": True,
            "options": _options(sampling),
        }
        return json.dumps(fields).encode()

    def reader(self) -> OllamaReader:
        return OllamaReader()


class OllamaReader:
    def feed(self, event: bytes) -> Delta:
        return read_event(event, _delta)


def _options(sampling: Sampling) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_predict": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": list(sampling.stop_texts),
    }
    if sampling.seed is not None:
        options["seed"] = sampling.seed
    return options


def _delta(fields: Fields) -> Delta:
    text = text_in(fields, "thinking") + text_in(fields, "response")
    if fields.get("done") is not True:
        return Delta(text=text)
    finish = _FINISH.get(text_in(fields, "done_reason"), Finish.ABORT)
    failure = aborted(f"done_reason {fields.get('done_reason')}") if finish is Finish.ABORT else None
    usage = Usage(count_in(fields, "prompt_eval_count"), count_in(fields, "eval_count"))
    return Delta(text=text, finish=finish, usage=usage, failure=failure)
