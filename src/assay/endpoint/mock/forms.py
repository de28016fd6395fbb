"""The payloads of an answer's events, in the form of each API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assay.endpoint.mock.ask import MockAsk
from assay.endpoint.mock.script import MockScript, SglangForm


@dataclass(frozen=True)
class MockTokens:
    """The answer to be sent. `finish`: "stop", "length" or "abort". `counted`: the count that usage will state."""

    ids: tuple[int, ...]
    finish: str
    counted: int
    cached: int
    prompt: int
    """Number of prompt tokens that usage will state."""


@dataclass(frozen=True)
class Payload:
    data: bytes
    tokens: int
    """Number of tokens of the answer, up to and including this event."""


def text_of_id(one: int) -> str:
    """A word with a letter of two bytes, so that a cut can fall inside a character."""
    return f" é{one}"


def payloads(script: MockScript, ask: MockAsk, said: MockTokens) -> Iterator[Payload]:
    """Every event except `[DONE]`."""
    form = _FORMS.get(script.api, _completions)
    size = 1 if script.api == "tgi" else script.tokens_per_event
    start, end = 0, min(len(said.ids), 1 if script.api == "tgi" else script.first_event_tokens)
    while start < len(said.ids):
        yield Payload(_dumps(form(script, ask, said, start, end)), end)
        start, end = end, min(len(said.ids), end + size)
    if (last := _LAST.get(script.api, _openai_usage)(script, ask, said)) is not None:
        yield Payload(_dumps(last), len(said.ids))


def _dumps(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _text(script: MockScript, ids: tuple[int, ...]) -> str:
    return "" if script.empty_text else "".join(map(text_of_id, ids))


def _reason(said: MockTokens, end: int) -> str | None:
    return said.finish if end == len(said.ids) else None


def _completions(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    choice = {"index": 0, "text": _text(script, said.ids[start:end]), "finish_reason": _reason(said, end)}
    if ask.wants_ids:
        choice["token_ids"] = said.ids[start:end]
        if start == 0:
            choice["prompt_token_ids"] = ask.prompt_ids
    return {"id": "mock", "object": "text_completion", "model": script.model, "choices": [choice]}


def _chat(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    field = "reasoning_content" if start < script.reasoning_tokens else "content"
    delta = {field: _text(script, said.ids[start:end])} | ({"role": "assistant"} if start == 0 else {})
    return {"id": "mock", "choices": [{"index": 0, "delta": delta, "finish_reason": _reason(said, end)}]}


def _sglang(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    ids_from = 0 if script.sglang is SglangForm.CUMULATIVE else start
    text_from = start if script.sglang is SglangForm.INCREMENTAL else 0
    reason = _reason(said, end)
    meta: dict[str, Any] = {"prompt_tokens": said.prompt, "completion_tokens": end}
    meta["finish_reason"] = {"type": reason} if reason else None
    if script.states_cached:
        meta["cached_tokens"] = said.cached
    if reason:
        meta["completion_tokens"] = said.counted
    return {
        "text": _text(script, said.ids[text_from:end]),
        "output_ids": said.ids[ids_from:end],
        "meta_info": meta,
    }


def _llamacpp(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    ids = said.ids[start:end]
    return {"index": 0, "content": _text(script, ids), "tokens": ids, "stop": False}


def _llamacpp_last(script: MockScript, ask: MockAsk, said: MockTokens) -> dict[str, Any]:
    kinds = {"stop": "eos", "length": "limit"}
    return {
        "content": "",
        "tokens": [],
        "stop": True,
        "stop_type": kinds.get(said.finish, "none"),
        "tokens_evaluated": said.prompt,
        "tokens_predicted": said.counted,
        "truncated": False,
        "timings": {"cache_n": said.cached} if script.states_cached else {},
    }


def _tgi(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "index": end,
        "token": {"id": said.ids[start], "text": _text(script, said.ids[start:end]), "special": False},
        "generated_text": None,
        "details": None,
    }
    if reason := _reason(said, end):
        fields["details"] = {
            "finish_reason": {"stop": "eos_token"}.get(reason, reason),
            "generated_tokens": said.counted,
            "input_length": said.prompt,
        }
    return fields


def _ollama(script: MockScript, ask: MockAsk, said: MockTokens, start: int, end: int) -> dict[str, Any]:
    return {"model": script.model, "response": _text(script, said.ids[start:end]), "done": False}


def _ollama_last(script: MockScript, ask: MockAsk, said: MockTokens) -> dict[str, Any]:
    return {
        "response": "",
        "done": True,
        "done_reason": said.finish,
        "prompt_eval_count": said.prompt,
        "eval_count": said.counted,
    }


def _openai_usage(script: MockScript, ask: MockAsk, said: MockTokens) -> dict[str, Any] | None:
    if not script.usage:
        return None
    usage: dict[str, Any] = {"prompt_tokens": said.prompt, "completion_tokens": said.counted}
    if script.states_cached and said.cached:  # vLLM leaves out a 0
        usage["prompt_tokens_details"] = {"cached_tokens": said.cached}
    return {"id": "mock", "choices": [], "usage": usage}


def _nothing(script: MockScript, ask: MockAsk, said: MockTokens) -> None:
    return None


_FORMS = {
    "openai-chat": _chat,
    "sglang": _sglang,
    "llamacpp": _llamacpp,
    "tgi": _tgi,
    "ollama": _ollama,
}
_LAST = {"sglang": _nothing, "tgi": _nothing, "llamacpp": _llamacpp_last, "ollama": _ollama_last}
