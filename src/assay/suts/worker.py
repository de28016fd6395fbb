"""What SUTs that compute have in common: one thread that answers, while `issue` only hands over."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from assay.ground.errors import RunFailed
from assay.mlperf.sut.interface import Query


class Worker:
    """Queries in, `answer` called in a thread of its own until `close`. What it raises ends the run."""

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Query]], int],
        most: int | None = None,
        waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`answer` gets new queries, up to `most` of them (None: all), and returns how many it has finished, of
        these or of earlier ones. While it owes answers to earlier ones it is called without new ones too.
        `waiting` surrounds each look for new queries."""
        self._name, self._answer, self._most, self._waiting = name, answer, most, waiting
        self._changed = threading.Condition()
        self._inbox: deque[Query] = deque()
        self._taken = 0
        """Queries that were handed to `answer` and are not finished."""
        self._closing = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def issue(self, queries: Sequence[Query]) -> None:
        """Raises: RunFailed when computing has already failed."""
        with self._changed:
            self._raise_failure()
            self._inbox += queries
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until every query is answered. Raises: RunFailed with the reason when computing failed."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._inbox or self._taken) or self._failure is not None)
            self._raise_failure()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise RunFailed(f"{self._name} stopped: {self._failure}") from self._failure

    def _work(self) -> None:
        try:
            while (queries := self._take()) is not None:
                finished = self._answer(queries)
                with self._changed:
                    self._taken -= finished
                    self._changed.notify_all()
        except BaseException as failure:  # the thread's boundary: handed to whoever waits
            with self._changed:
                self._failure = failure
                self._changed.notify_all()

    def _take(self) -> list[Query] | None:
        """New queries, waiting for some while nothing is owed; None when closing."""
        with self._changed:
            with self._waiting():
                self._changed.wait_for(lambda: bool(self._inbox or self._taken) or self._closing)
            if self._closing:
                return None
            count = len(self._inbox) if self._most is None else min(self._most, len(self._inbox))
            self._taken += count
            return [self._inbox.popleft() for _ in range(count)]
