"""The ceiling of a client: the same processes, as many streams, against a server that answers at once on loopback.

That server takes its part of the same cores. Its answers come in two pieces, as a client at its limit finds them: it is
so late to read that many events wait.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence

import msgspec

from assay.endpoint.clients.certificate import ClientCeiling
from assay.endpoint.clients.crossing import Came, ClientSetting, Order
from assay.endpoint.clients.fleet import ClientFleet
from assay.endpoint.clients.null_server import null_server
from assay.ground.errors import EnvironmentProblem, RunFailed

_LONGEST_S = 30.0
"""Then the measurement is given up."""


class _Loop:
    """Keeps twice as many orders open as may be in flight, until the time is over."""

    def __init__(self, questions: Sequence[bytes], in_flight: int, seconds: float) -> None:
        self._questions = [msgspec.Raw(each) for each in questions]
        self._most, self._in_flight, self._seconds = 2 * in_flight, in_flight, seconds
        self._numbers = itertools.count()
        self._open = self._ended = 0
        self._begin = self._begin_ended = 0.0
        self.rate = 0.0
        self.trouble: str = ""
        self.over = threading.Event()
        self.fleet: ClientFleet | None = None

    def fill(self) -> None:
        assert self.fleet is not None
        now, count = time.monotonic_ns(), self._most - self._open
        self._open += count
        self.fleet.ask([self._order(next(self._numbers), now) for _ in range(count)])

    def _order(self, number: int, now: int) -> Order:
        return number, now, self._questions[number % len(self._questions)]

    def came(self, came: Came) -> None:
        if self.over.is_set() or not came.ended:
            return
        self._open -= len(came.ended)
        self._ended += len(came.ended)
        now = time.monotonic()
        if failed := next((each for each in came.ended if each.failure), None):
            self.trouble = f"{failed.failure}: {failed.detail}"
            self.over.set()
        elif not self._begin:
            if self._ended >= self._in_flight:  # every connection is made
                self._begin, self._begin_ended = now, self._ended
        elif now - self._begin >= self._seconds:
            self.rate = (self._ended - self._begin_ended) / (now - self._begin)
            self.over.set()
            return
        if self._open <= self._most - self._in_flight // 2 and not self.over.is_set():
            self.fill()

    def broke(self, error: BaseException) -> None:
        self.trouble = str(error)
        self.over.set()


def measured(
    setting: ClientSetting, clients: int, questions: Sequence[bytes], tokens: int, seconds: float
) -> ClientCeiling:
    """`questions`: WrittenQuestions whose answers may have `tokens` tokens. Raises: EnvironmentProblem, RunFailed."""
    in_flight = setting.limits.in_flight
    loop = _Loop(questions, in_flight, seconds)
    try:
        with null_server(setting.api, tokens) as url:
            # No token leaves: this server is none of the user's.
            null = ClientSetting(setting.api, (url,), None, setting.limits)
            loop.fleet = ClientFleet(null, clients, loop)
            try:
                loop.fill()
                loop.over.wait(seconds + _LONGEST_S)
            finally:
                loop.fleet.close()
    except OSError as error:
        raise EnvironmentProblem(f"no process can be started: {error}", "fewer --clients") from error
    if loop.trouble or not loop.rate:
        raise RunFailed(loop.trouble or "no answer came in time", "the log of the system under test")
    return ClientCeiling(loop.rate, tokens, in_flight, seconds)
