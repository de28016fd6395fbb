"""An answer with the arrival of each of its chunks, and what a request of a level came to."""

from __future__ import annotations

from dataclasses import dataclass

from assay.endpoint.answer import AnswerStream
from assay.endpoint.api import Api, ApiReader
from assay.endpoint.delta import Delta, Finish
from assay.endpoint.failure import EndpointFailure, FailureKind


class _Noting:
    """A reader that keeps what it read until somebody takes it."""

    def __init__(self, reader: ApiReader) -> None:
        self._reader = reader
        self.fresh: list[Delta] = []

    def feed(self, event: bytes) -> Delta:
        delta = self._reader.feed(event)
        self.fresh.append(delta)
        return delta


class TimedAnswer(AnswerStream):
    """Keeps when each event with tokens came: by its ids, or by its text where the server gives no ids."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._reader = self._noting = _Noting(api.reader())
        self._events: list[tuple[int, int]] = []

    def feed(self, data: bytes, arrived_ns: int) -> None:
        super().feed(data, arrived_ns)
        fresh, self._noting.fresh = self._noting.fresh, []
        self._events += [(arrived_ns, len(delta.ids)) for delta in fresh if delta.ids or delta.text]

    @property
    def tokens(self) -> int:
        """By its ids; else by the server's count; else by its events, of which each is taken for a token."""
        return len(self.ids) or self.usage.completion_tokens or len(self._events)

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """(arrival ns, tokens). Without ids the split is not known: one for each event, the rest with the last."""
        if self.ids or not self._events:
            return tuple(event for event in self._events if event[1])
        kept = self._events[: self.tokens]
        ones = [(at, 1) for at, _ in kept[:-1]]
        return (*ones, (self._events[-1][0], self.tokens - len(ones)))

    def fault(self, sent_ids: int | None) -> EndpointFailure | None:
        """What makes a whole answer none; `sent_ids`: tokens of the prompt where it was sent as ids."""
        usage, count = self.usage, len(self.ids)
        if not self.tokens or not self._events:
            return EndpointFailure(FailureKind.TOO_SHORT, "the answer has no token")
        if sent_ids is not None and usage.prompt_tokens is not None and usage.prompt_tokens != sent_ids:
            said = f"{sent_ids} ids were sent, and the server counts {usage.prompt_tokens}"
            return EndpointFailure(FailureKind.TOKENS, said, count)
        # llama.cpp counts the end-of-sequence id, and does not send it.
        right = (count, count + (self.finish is Finish.STOP))
        if count and usage.completion_tokens is not None and usage.completion_tokens not in right:
            said = f"{count} ids came, and the server counts {usage.completion_tokens}"
            return EndpointFailure(FailureKind.TOKENS, said, count)
        return None


@dataclass(frozen=True)
class LoadedRequest:
    """One request of a level; times are ns from the start of the level."""

    query: int
    sample: int
    due_ns: int
    """When it was to be sent: as planned, or when its place became free."""
    sent_ns: int
    chunks: tuple[tuple[int, int], ...]
    """(arrival, tokens)"""
    end_ns: int
    """Arrival of the last token; of a failed one, when it had failed."""
    prompt_tokens: int | None
    cached_tokens: int | None
    endpoint: str
    failure: EndpointFailure | None = None

    @property
    def tokens(self) -> int:
        return sum(count for _, count in self.chunks)

    @property
    def ttft_ms(self) -> float:
        return (self.chunks[0][0] - self.due_ns) / 1e6

    @property
    def tpot_ms(self) -> float | None:
        """None for an answer of one token."""
        return (self.end_ns - self.chunks[0][0]) / (self.tokens - 1) / 1e6 if self.tokens > 1 else None

    @property
    def e2e_ms(self) -> float:
        return (self.end_ns - self.due_ns) / 1e6
