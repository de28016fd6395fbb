"""SGLang's /v1/completions with `return_token_ids` (versions from 2026-07 on). Source: sglang pull request 30917."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis.completions import CompletionsReader, standard_fields
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


@dataclass(frozen=True)
class SglangCompletions:
    name: str = "sglang-completions"
    path: str = "/v1/completions"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = True
    has_salt: bool = True

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        fields = standard_fields(prompt, sampling, model) | {
            "min_tokens": sampling.min_tokens,
            "top_k": sampling.top_k or -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "stop_token_ids": list(sampling.stop_ids),
            "no_stop_trim": True,
            "ignore_eos": sampling.ignore_eos,
            "return_token_ids": True,
        }
        if salt is not None:
            fields["cache_salt"] = salt
        return json.dumps(fields).encode()

    def reader(self) -> CompletionsReader:
        return CompletionsReader()
