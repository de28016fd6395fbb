"""An answer with the arrival time of each of its chunks, and the outcome of one request of a level."""

from __future__ import annotations

from dataclasses import dataclass

from assay.endpoint.answer import AnswerStream
from assay.endpoint.api import Api, ApiReader
from assay.endpoint.delta import Delta, Finish
from assay.endpoint.failure import EndpointFailure, FailureKind


class _Noting:
    """A reader that keeps its deltas until somebody takes them."""

    def __init__(self, reader: ApiReader) -> None:
        self._reader = reader
        self.fresh: list[Delta] = []

    def feed(self, event: bytes) -> Delta:
        delta = self._reader.feed(event)
        self.fresh.append(delta)
        return delta


class TimedAnswer(AnswerStream):
    """Keeps the arrival time of each event with tokens: with its ids, or with its text where the server gives no
    ids."""

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
        """Number of tokens: its ids, else the server's count, else the number of events, each counted as one token."""
        return len(self.ids) or self.usage.completion_tokens or len(self._events)

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """(arrival ns, tokens) of each event. Without ids the split is unknown: each event counts one token, and the
        last one all the rest."""
        if self.ids or not self._events:
            return tuple(event for event in self._events if event[1])
        kept = self._events[: self.tokens]
        ones = [(at, 1) for at, _ in kept[:-1]]
        return (*ones, (self._events[-1][0], self.tokens - len(ones)))

    def fault(self, sent_ids: int | None) -> EndpointFailure | None:
        """The fault that makes a whole answer a failure. `sent_ids`: number of prompt tokens, where the prompt was
        sent as ids."""
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
    """When it was due: at its planned time, or when its place became free."""
    sent_ns: int
    chunks: tuple[tuple[int, int], ...]
    """(arrival ns, tokens) of each event."""
    end_ns: int
    """When the last token arrived; for a failed request, when it failed."""
    prompt_tokens: int | None
    cached_tokens: int | None
    endpoint: str
    failure: EndpointFailure | None = None
    is_stamped: bool = False
    """Whether the kernel's stamps tell when its bytes arrived, as in Exchange."""

    @property
    def tokens(self) -> int:
        return sum(count for _, count in self.chunks)

    @property
    def ttft_ms(self) -> float:
        return (self.chunks[0][0] - self.due_ns) / 1e6

    @property
    def tpot_ms(self) -> float | None:
        """Time per output token after the first, ms; None for an answer of one token."""
        return (self.end_ns - self.chunks[0][0]) / (self.tokens - 1) / 1e6 if self.tokens > 1 else None

    @property
    def e2e_ms(self) -> float:
        return (self.end_ns - self.due_ns) / 1e6
