"""vLLM's /v1/completions with `return_token_ids`: ids in, new ids in every event.

Source: vllm/entrypoints/openai/completion/protocol.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.endpoint.api import Framing
from assay.endpoint.apis.completions import CompletionsReader, standard_fields
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


@dataclass(frozen=True)
class VllmCompletions:
    name: str = "vllm"
    path: str = "/v1/completions"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = True
    has_salt: bool = True

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        fields = standard_fields(prompt, sampling, model) | engine_fields(sampling)
        fields["return_token_ids"] = True
        if salt is not None:
            fields["cache_salt"] = salt
        return json.dumps(fields).encode()

    def reader(self) -> CompletionsReader:
        return CompletionsReader()


def engine_fields(sampling: Sampling) -> dict[str, Any]:
    """What vLLM would otherwise take from the model's generation_config.json, or from its own defaults."""
    return {
        "min_tokens": sampling.min_tokens,
        "top_k": sampling.top_k or -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "stop_token_ids": list(sampling.stop_ids),
        "include_stop_str_in_output": True,
        "ignore_eos": sampling.ignore_eos,
    }
