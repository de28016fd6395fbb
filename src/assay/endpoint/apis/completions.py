"""What servers with OpenAI's /v1/completions share: the body's standard fields, and the form of their events.

Source: https://platform.openai.com/docs/api-reference/completions; vLLM entrypoints/openai/completion/protocol.py.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from assay.endpoint.apis.event import (
    DONE,
    MAX_COUNT,
    MAX_ID,
    Fields,
    Malformed,
    aborted,
    count_in,
    first_choice,
    ids_in,
    object_in,
    read_event,
    text_in,
)
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling

_FINISH = {"stop": Finish.STOP, "length": Finish.LENGTH}
_OVER = Delta(done=True)
_NOTHING = Usage()


def standard_fields(prompt: Prompt, sampling: Sampling, model: str) -> dict[str, Any]:
    """The request fields that every server with this API knows."""
    fields: dict[str, Any] = {
        "model": model,
        "prompt": prompt.text if prompt.ids is None else list(prompt.ids),
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "n": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.stop_texts:  # OpenAI refuses an empty list
        fields["stop"] = list(sampling.stop_texts)
    if sampling.seed is not None:
        fields["seed"] = sampling.seed
    return fields


class CompletionsReader:
    """Reads choices[0] of each event. Ids are new ones in every event; a server that gives none leaves them out."""

    def feed(self, event: bytes) -> Delta:
        if event == DONE:  # before it is refused as JSON, which takes as long as the reading of four tokens
            return _OVER
        try:
            new = _PLAIN.decode(event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return read_event(event, _delta)
        if new.error is not None or new.object == "error" or new.prompt_token_ids is not None:
            return read_event(event, _delta)
        usage, choices = None if new.usage is None else new.usage.stated, new.choices
        if not choices:
            return Delta(usage=usage)
        choice, reason = choices[0], choices[0].finish_reason
        finish = _FINISH.get(reason) if reason else None
        if len(choices) > 1 or (reason and finish is None):  # an unknown reason
            return read_event(event, _delta)
        return Delta(
            choice.token_ids or (), choice.text or "", finish, usage, choice.prompt_token_ids or None
        )


_PlainId = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
_PlainCount = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]


class _PlainChoice(msgspec.Struct, gc=False):
    text: str | None = None
    token_ids: tuple[_PlainId, ...] | None = None
    finish_reason: str | None = None
    prompt_token_ids: tuple[_PlainId, ...] | None = None


class _PlainDetails(msgspec.Struct, gc=False):
    cached_tokens: _PlainCount | None = None


class _PlainUsage(msgspec.Struct, gc=False):
    prompt_tokens: _PlainCount | None = None
    completion_tokens: _PlainCount | None = None
    prompt_tokens_details: _PlainDetails | None = None

    @property
    def stated(self) -> Usage | None:
        details = self.prompt_tokens_details
        cached = None if details is None else details.cached_tokens
        return _told(Usage(self.prompt_tokens, self.completion_tokens, cached))


class _PlainEvent(msgspec.Struct, gc=False):
    """A well-formed event, typed and checked while it is decoded. Any other event is read by `_delta`, field by
    field: ten times slower, but it can say what is wrong."""

    choices: list[_PlainChoice]
    usage: _PlainUsage | None = None
    error: Any = None
    object: Any = None
    prompt_token_ids: Any = None


_PLAIN = msgspec.json.Decoder(_PlainEvent)


def usage_in(fields: Fields) -> Usage | None:
    """OpenAI's usage object. Cached tokens that are left out are unknown: vLLM leaves out a 0 as well."""
    usage = object_in(fields, "usage")
    return _told(
        Usage(
            prompt_tokens=count_in(usage, "prompt_tokens"),
            completion_tokens=count_in(usage, "completion_tokens"),
            cached_tokens=count_in(object_in(usage, "prompt_tokens_details"), "cached_tokens"),
        )
    )


def _told(usage: Usage) -> Usage | None:
    """None for a usage without any count: it would take the place of one that was stated before."""
    return None if usage == _NOTHING else usage


def finish_in(choice: Fields) -> Finish | None:
    """finish_reason as one of our values. An unknown reason counts as an abort: the answer is not whole."""
    reason = choice.get("finish_reason")
    if reason is not None and not isinstance(reason, str):
        raise Malformed("finish_reason is no text")
    return _FINISH.get(reason, Finish.ABORT) if reason else None


def _delta(fields: Fields) -> Delta:
    choice = first_choice(fields)
    if choice is None:
        return Delta(usage=usage_in(fields))
    finish = finish_in(choice)
    return Delta(
        ids=ids_in(choice, "token_ids") or (),
        text=text_in(choice, "text"),
        finish=finish,
        usage=usage_in(fields),
        prompt_ids=_prompt_ids(fields, choice),
        failure=aborted(f"finish_reason {choice['finish_reason']}") if finish is Finish.ABORT else None,
    )


def _prompt_ids(fields: Fields, choice: Fields) -> tuple[int, ...] | None:
    """Prompt ids: vLLM puts them into the choice; TensorRT-LLM beside the choices, as a list that holds one list."""
    whole = fields.get("prompt_token_ids")
    if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], list):
        return ids_in({"prompt_token_ids": whole[0]}, "prompt_token_ids")
    return ids_in(choice, "prompt_token_ids") or ids_in(fields, "prompt_token_ids")
