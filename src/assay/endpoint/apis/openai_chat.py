"""OpenAI's /v1/chat/completions, for servers that have nothing else. The server applies a template of its own.

Source: https://platform.openai.com/docs/api-reference/chat. Reasoning arrives under a key of its own and counts as
output: `reasoning_content` (SGLang, llama.cpp) or `reasoning` (vLLM, Ollama).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis.completions import finish_in, standard_fields, usage_in
from assay.endpoint.apis.event import Fields, aborted, first_choice, object_in, read_event, text_in
from assay.endpoint.apis.needs import text_of
from assay.endpoint.delta import Delta, Finish
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


@dataclass(frozen=True)
class OpenaiChat:
    name: str = "openai-chat"
    path: str = "/v1/chat/completions"
    tier: Tier = Tier.C
    framing: Framing = Framing.SSE
    has_min_tokens: bool = False
    has_salt: bool = False

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        fields = standard_fields(prompt, sampling, model)
        del fields["prompt"]
        fields["messages"] = [{"role": "user", "content": text_of(prompt, self.name)}]
        return json.dumps(fields).encode()

    def reader(self) -> ChatReader:
        return ChatReader()


class ChatReader:
    """The first event often has a role and no text: it is no token."""

    def feed(self, event: bytes) -> Delta:
        return read_event(event, _delta)


def _delta(fields: Fields) -> Delta:
    choice = first_choice(fields)
    if choice is None:
        return Delta(usage=usage_in(fields))
    new = object_in(choice, "delta")
    finish = finish_in(choice)
    return Delta(
        text=(text_in(new, "reasoning_content") or text_in(new, "reasoning")) + text_in(new, "content"),
        finish=finish,
        usage=usage_in(fields),
        failure=aborted(f"finish_reason {choice['finish_reason']}") if finish is Finish.ABORT else None,
    )
