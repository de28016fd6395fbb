"""vLLM's /inference/v1/generate: ids in and out, no text. Source: vllm/entrypoints/serve/disagg/protocol.py.

An event without new ids is dropped by the server, so the finish reason may be missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis.completions import CompletionsReader
from assay.endpoint.apis.needs import ids_of
from assay.endpoint.apis.vllm import engine_fields
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


@dataclass(frozen=True)
class VllmGenerate:
    name: str = "vllm-generate"
    path: str = "/inference/v1/generate"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = True
    has_salt: bool = True

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        fields = {
            "model": model,
            "token_ids": ids_of(prompt, self.name),
            "sampling_params": engine_fields(sampling)
            | {
                "max_tokens": sampling.max_tokens,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "presence_penalty": 0.0,
                "frequency_penalty": 0.0,
                "seed": sampling.seed,
                "stop": list(sampling.stop_texts),
            },
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if salt is not None:
            fields["cache_salt"] = salt
        return json.dumps(fields).encode()

    def reader(self) -> CompletionsReader:
        return CompletionsReader()
