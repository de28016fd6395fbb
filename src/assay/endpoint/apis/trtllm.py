"""TensorRT-LLM's /v1/completions with `detokenize: false`: new ids in every event, no text.

Source: TensorRT-LLM pull request 5382. Its issue 10824 reports that min_tokens is not always honoured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis.completions import CompletionsReader, standard_fields
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


@dataclass(frozen=True)
class TrtllmCompletions:
    """Its prefix cache is switched off at the server: kv_cache_config.enable_block_reuse."""

    name: str = "trtllm"
    path: str = "/v1/completions"
    tier: Tier = Tier.A
    framing: Framing = Framing.SSE
    has_min_tokens: bool = True
    has_salt: bool = False

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        fields = standard_fields(prompt, sampling, model) | {
            "min_tokens": sampling.min_tokens,
            "top_k": sampling.top_k,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "stop_token_ids": list(sampling.stop_ids),
            "include_stop_str_in_output": True,
            "ignore_eos": sampling.ignore_eos,
            "detokenize": False,
        }
        return json.dumps(fields).encode()

    def reader(self) -> CompletionsReader:
        return CompletionsReader()
