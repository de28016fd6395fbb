"""Runs one level: sends requests, and collects answers with their times. It uses one event loop and the client of
`endpoint.client`."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from assay.endpoint.api import Api
from assay.endpoint.client import Client
from assay.endpoint.exchange import ClientLimits, Exchange
from assay.endpoint.load.level import LoadKind, LoadLevel
from assay.endpoint.load.timing import LoadedRequest, TimedAnswer
from assay.endpoint.rotation import Endpoint
from assay.ground.errors import RunFailed

SALT = "assay-000000000000"
"""Placeholder in a body for the request's own salt, which has the same length."""
MOST_FAILED_IN_A_ROW = 50
"""Failures in a row after which the level is given up. A server that has gone fails requests as fast as they are
sent."""
TOLD_EVERY_S = 0.5


@dataclass(frozen=True)
class LoadPrompt:
    """A prompt as it is sent. `ids`: its number of token ids; None for text."""

    sample: int
    body: bytes
    ids: int | None


@dataclass(frozen=True)
class LoadPlan:
    """The settings that all levels share."""

    api: Api
    prompts: Sequence[LoadPrompt]
    """Prompts, used in this order and then again from the first. The next level continues where the last one ended."""
    duration_s: float
    """Length of a level in seconds. No request is sent after it; open answers are waited for."""
    seed: int
    limits: ClientLimits = dataclasses.field(default_factory=ClientLimits)


@dataclass(frozen=True)
class LevelProgress:
    seconds: float
    ended: int
    open: int


NOTHING = LevelProgress(0.0, 0, 0)
Told = Callable[[LevelProgress], None]


@dataclass(frozen=True)
class LoadShare:
    """Which process of how many this is, and what all salts of the load begin with."""

    place: int = 0
    of: int = 1
    salt: str = "0000"


class LoadDrive:
    """Runs levels one after another. The numbers of requests continue over all levels, so that no two requests have
    the same salt."""

    def __init__(
        self, plan: LoadPlan, endpoints: list[Endpoint[LoadPrompt]], share: LoadShare | None = None
    ) -> None:
        self._plan, self._endpoints, self._share = plan, endpoints, share or LoadShare()
        self._numbers = itertools.count(self._share.place, self._share.of)

    def run(self, level: LoadLevel, told: Told, start_ns: int = 0) -> list[LoadedRequest]:
        """Runs one level. Returns its requests in the order in which they ended. Raises: RunFailed when too many
        failed in a row; KeyboardInterrupt."""
        return asyncio.run(self._level(level, told, start_ns or time.monotonic_ns()))

    async def _level(self, level: LoadLevel, told: Told, start_ns: int) -> list[LoadedRequest]:
        is_closed = level.kind is LoadKind.CONCURRENCY
        limits = self._plan.limits
        if is_closed:
            limits = dataclasses.replace(limits, in_flight=int(level.value))
        run = _LevelRun(self._plan, self._endpoints, limits, self._exchange, is_closed, start_ns)
        helpers = [asyncio.ensure_future(each) for each in (run.client.watch(), run.tell(told))]
        over = asyncio.ensure_future(
            run.closed(int(level.value)) if is_closed else run.paced(level, self._share)
        )
        try:
            await asyncio.wait({over, run.client.failure}, return_when=asyncio.FIRST_COMPLETED)
            if run.client.failure.done():
                run.client.failure.result()
            await over
        finally:
            for task in (over, *helpers):
                task.cancel()
            run.client.close()
            run.client.failure.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(over, *helpers, return_exceptions=True)
            for endpoint in self._endpoints:  # its connections belong to this loop
                endpoint.idle.clear()
                endpoint.outstanding = 0
        return run.rows

    def _exchange(self, due_ns: int) -> Exchange[LoadPrompt]:
        number = next(self._numbers)
        prompt = self._plan.prompts[number % len(self._plan.prompts)]
        body = prompt.body.replace(SALT.encode(), f"assay-{self._share.salt}{number:08x}".encode())
        return Exchange(prompt, body, partial(TimedAnswer, self._plan.api), due_ns)


class _LevelRun:
    """The state of one level in its loop."""

    def __init__(
        self,
        plan: LoadPlan,
        endpoints: list[Endpoint[LoadPrompt]],
        limits: ClientLimits,
        exchange: Callable[[int], Exchange[LoadPrompt]],
        is_closed: bool,
        start_ns: int,
    ) -> None:
        self.client = Client(endpoints, limits, lambda _: None, self._done)
        self.rows: list[LoadedRequest] = []
        self._exchange, self._is_closed = exchange, is_closed
        self._start = start_ns
        self._stop = self._start + int(plan.duration_s * 1e9)
        self._open = self._failed = 0
        self._changed = asyncio.Event()
        self._duration_s, self._seed = plan.duration_s, plan.seed

    async def closed(self, streams: int) -> None:
        await self._until(self._start)
        self._ask([self._start] * streams)
        await self._drained()

    async def paced(self, level: LoadLevel, share: LoadShare) -> None:
        times = level.times_s(self._duration_s, self._seed)
        for at in itertools.islice(times, share.place, None, share.of):
            due = self._start + int(at * 1e9)
            await self._until(due)
            self._refuse_hopeless()
            self._ask([due])
        await self._drained()

    async def _until(self, at_ns: int) -> None:
        if (wait := (at_ns - time.monotonic_ns()) / 1e9) > 0:
            await asyncio.sleep(wait)

    async def tell(self, told: Told) -> None:
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            told(LevelProgress((time.monotonic_ns() - self._start) / 1e9, len(self.rows), self._open))

    async def _drained(self) -> None:
        while self._open:
            self._changed.clear()
            await self._changed.wait()
            self._refuse_hopeless()

    def _refuse_hopeless(self) -> None:
        if self._failed >= MOST_FAILED_IN_A_ROW and (failure := self.rows[-1].failure):
            raise RunFailed(
                f"{self._failed} requests failed in a row: {failure.kind.value} ({failure.detail})",
                "the server's own log; fewer at a time",
            )

    def _ask(self, due: list[int]) -> None:
        self._open += len(due)
        self.client.ask([self._exchange(at) for at in due])

    def _done(self, exchange: Exchange[LoadPrompt]) -> None:
        now = time.monotonic_ns()
        row = self._row(exchange, now)
        self.rows.append(row)
        self._open -= 1
        self._failed = self._failed + 1 if row.failure else 0
        if self._is_closed and now < self._stop and self._failed < MOST_FAILED_IN_A_ROW:
            self._ask([now])
        self._changed.set()

    def _row(self, exchange: Exchange[LoadPrompt], now: int) -> LoadedRequest:
        answer, prompt, start = exchange.answer, exchange.key, self._start
        assert isinstance(answer, TimedAnswer)
        failure = answer.failure or answer.fault(prompt.ids)
        chunks = tuple((at - start, count) for at, count in answer.chunks)
        return LoadedRequest(
            query=len(self.rows),
            sample=prompt.sample,
            due_ns=exchange.asked_ns - start,
            sent_ns=exchange.sent_ns - start if exchange.sent_ns else now - start,
            chunks=chunks,
            end_ns=now - start if failure or not chunks else chunks[-1][0],
            prompt_tokens=answer.usage.prompt_tokens if prompt.ids is None else prompt.ids,
            cached_tokens=answer.usage.cached_tokens,
            endpoint=exchange.endpoint,
            failure=failure,
            is_stamped=exchange.is_stamped and exchange.sent_ns > 0,
        )
