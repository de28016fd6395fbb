"""What a request asks for, read from the body of each API."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

from assay.endpoint.mock.script import MockScript

_BOS = 1


class BadAsk(ValueError):
    """The request is wrong: HTTP 400."""


@dataclass(frozen=True)
class MockAsk:
    prompt_ids: tuple[int, ...]
    max_tokens: int
    min_tokens: int
    ignore_eos: bool
    stop_ids: tuple[int, ...]
    salt: str
    caches: bool
    wants_ids: bool


def ask_in(body: bytes, script: MockScript) -> MockAsk:
    """Raises BadAsk."""
    try:
        fields = json.loads(body)
        ask = _ask(fields, script)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise BadAsk(f"the body is wrong: {error!r}"[:200]) from error
    if len(ask.prompt_ids) + ask.max_tokens > script.context:
        raise BadAsk(f"This model's maximum context length is {script.context} tokens.")
    return ask


def _ask(fields: dict[str, Any], script: MockScript) -> MockAsk:
    inner = fields.get("sampling_params") or fields.get("parameters") or fields.get("options") or fields
    most = next((inner[key] for key in _MOST if key in inner), 16)
    prompt = next((fields[key] for key in _PROMPTS if key in fields), None)
    if prompt is None:
        prompt = fields["messages"][-1]["content"]
    wants = fields.get("return_token_ids") is True or fields.get("detokenize") is False
    return MockAsk(
        prompt_ids=_ids(prompt, script),
        max_tokens=int(most),
        min_tokens=int(inner.get("min_tokens", inner.get("min_new_tokens", 0))),
        ignore_eos=inner.get("ignore_eos") is True,
        stop_ids=tuple(inner.get("stop_token_ids") or ()),
        salt=str(fields.get("cache_salt") or fields.get("extra_key") or ""),
        caches=fields.get("cache_prompt", True) is True,
        wants_ids=script.gives_ids
        and script.api not in _WITHOUT_IDS
        and (wants or script.api not in _ASKED_FOR_IDS),
    )


_MOST = ("max_tokens", "max_new_tokens", "n_predict", "num_predict")
_PROMPTS = ("prompt", "token_ids", "input_ids", "text", "inputs")
_ASKED_FOR_IDS = ("vllm", "sglang-completions", "trtllm")
_WITHOUT_IDS = ("openai", "openai-chat", "ollama")


def _ids(prompt: Any, script: MockScript) -> tuple[int, ...]:
    """The mock's tokenizer: a word is a token, its id a checksum."""
    if isinstance(prompt, list):
        if not all(type(one) is int and 0 <= one < script.vocabulary for one in prompt):
            raise BadAsk("an id is out of vocabulary")
        return tuple(prompt)
    words = tuple(3 + zlib.crc32(word.encode()) % (script.vocabulary - 3) for word in prompt.split())
    return (_BOS, *words) if script.adds_bos else words
