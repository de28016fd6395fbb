"""OpenAI's /v1/completions with its standard fields alone: no ids come back.

Source: https://platform.openai.com/docs/api-reference/completions.
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
class OpenaiCompletions:
    """Fields that are not OpenAI's are not sent, for strict servers refuse them: no top_k, minimum or stop ids."""

    name: str = "openai"
    path: str = "/v1/completions"
    tier: Tier = Tier.C
    framing: Framing = Framing.SSE
    has_min_tokens: bool = False
    has_salt: bool = False

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        return json.dumps(standard_fields(prompt, sampling, model)).encode()

    def reader(self) -> CompletionsReader:
        return CompletionsReader()
