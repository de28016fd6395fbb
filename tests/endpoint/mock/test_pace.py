"""When the mock sends each token, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from assay.endpoint.apis import APIS
from assay.endpoint.mock.connection import MockConnection
from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.state import MockState
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling


class Clock:
    """A loop whose time goes on where it is told to."""

    now = 0.0

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> None:
        self.calls.append((when, call))

    def next(self) -> None:
        self.now, call = self.calls.pop(0)
        call()


class Wire(asyncio.Transport):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.times = clock, list[float]()

    def write(self, data: object) -> None:
        if b"token_ids" in bytes(data):  # type: ignore[call-overload]
            self.times.append(round(self.clock.now, 3))


def test_a_stream_that_comes_later_slows_the_tokens_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    state = MockState(MockScript(tokens=4, tpot_ms_per_stream=10, keep_alive_s=0))
    made, wire = MockConnection(state, memoryview(bytearray(64))), Wire(clock)
    made.connection_made(wire)
    body = APIS["vllm"].body(Prompt(ids=(1, 5)), Sampling(max_tokens=4), "mock", None)
    made.data_received(b"POST /v1/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    while clock.calls:
        if len(wire.times) == 2:
            state.streams = 2  # another stream begins, as the third token is already on its way
        clock.next()
    assert wire.times == [0.0, 0.01, 0.02, 0.04]
