"""The state that all connections of a mock server share: script, queue, cache, counters and log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from assay.endpoint.mock.answer import MockAnswer, answer_to
from assay.endpoint.mock.ask import MockAsk, ask_in
from assay.endpoint.mock.prefixes import Prefixes
from assay.endpoint.mock.script import MockFault, MockScript

_KEPT_ANSWERS = 4096
_KEPT_ROWS = 1_000_000


class LogRow(msgspec.Struct, gc=False):
    """One request by the mock's own clock (monotonic, ns: comparable with clients on the same machine). The garbage
    collector does not look at it: a million of them would stop every stream."""

    number: int
    request_id: str
    arrived_ns: int
    first_ns: int = 0
    last_ns: int = 0
    tokens: int = 0
    outcome: str = "open"


@dataclass
class MockState:
    script: MockScript
    prefixes: Prefixes = field(default_factory=Prefixes)
    rows: deque[LogRow] = field(default_factory=lambda: deque(maxlen=_KEPT_ROWS))
    numbers: int = 0
    streams: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    successes: int = 0
    started: float = field(default_factory=time.monotonic)
    _repeated: set[tuple[tuple[int, ...], int]] = field(default_factory=set)
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)
    _asks: dict[bytes, MockAsk] = field(default_factory=dict)
    _answers: dict[tuple[bytes, int, MockFault | None], MockAnswer] = field(default_factory=dict)

    @property
    def is_loading(self) -> bool:
        return time.monotonic() - self.started < self.script.loading_s

    def open_row(self, request_id: str) -> LogRow:
        self.numbers += 1
        row = LogRow(self.numbers, request_id, time.monotonic_ns())
        self.rows.append(row)
        return row

    def ask(self, body: bytes) -> MockAsk:
        """Raises BadAsk."""
        if (ask := self._asks.get(body)) is None:
            if len(self._asks) >= _KEPT_ANSWERS:
                self._asks.clear()
            ask = self._asks[body] = ask_in(body, self.script)
        return ask

    def answer(self, body: bytes, ask: MockAsk, cached: int, fault: MockFault | None) -> MockAnswer:
        key = (body, cached, fault)
        if (answer := self._answers.get(key)) is None:
            if len(self._answers) >= _KEPT_ANSWERS:
                self._answers.clear()
            answer = self._answers[key] = answer_to(ask, self.script, cached, fault)
        return answer

    def is_repeated(self, ask: MockAsk) -> bool:
        """Whether the whole answer can be kept: the same prompt and length were asked before, with any salt."""
        if not self.script.response_cache:
            return False
        key = (ask.prompt_ids, ask.max_tokens)
        is_known = key in self._repeated
        self._repeated.add(key)
        return is_known

    def enter(self, start: Callable[[], None]) -> None:
        """Calls `start` when a slot is free: at once without a limit, else in the order of arrival."""
        if self.script.slots and self.streams >= self.script.slots:
            self._waiting.append(start)
        else:
            self.streams += 1
            start()

    def give_up(self, start: Callable[[], None]) -> bool:
        """Leave the queue; False for one that has a slot."""
        if start in self._waiting:
            self._waiting.remove(start)
            return True
        return False

    def leave(self) -> None:
        self.streams -= 1
        if self._waiting:
            self.streams += 1
            self._waiting.popleft()()
