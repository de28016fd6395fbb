"""The thread that SUTs compute in: hand-over, waiting, failure."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from assay.ground.errors import RunFailed
from assay.mlperf.sut.interface import Query
from assay.suts.worker import Worker

QUERIES = [Query(id, 0) for id in range(5)]


def test_queries_come_in_their_order_and_no_more_at_once_than_asked_for() -> None:
    batches: list[list[int]] = []

    def answer(queries: Sequence[Query]) -> int:
        batches.append([query.id for query in queries])
        return len(queries)

    worker = Worker("test", answer, most=2)
    worker.issue(QUERIES)
    worker.flush()
    worker.close()
    assert [id for batch in batches for id in batch] == [0, 1, 2, 3, 4]
    assert all(1 <= len(batch) <= 2 for batch in batches)


def test_while_answers_are_owed_it_is_called_without_new_queries() -> None:
    calls: list[int] = []

    def answer(queries: Sequence[Query]) -> int:
        calls.append(len(queries))
        return 1

    worker = Worker("test", answer)
    worker.issue(QUERIES)
    worker.flush()
    worker.close()
    assert calls == [5, 0, 0, 0, 0]


def test_a_failure_ends_waiting_and_refuses_more_queries() -> None:
    def answer(_: Sequence[Query]) -> int:
        raise MemoryError("no room")

    worker = Worker("the test", answer)
    worker.issue(QUERIES)
    with pytest.raises(RunFailed, match="the test stopped: no room"):
        worker.flush()
    with pytest.raises(RunFailed, match="no room"):
        worker.issue(QUERIES)
    worker.close()


def test_closing_does_not_wait_for_queries_that_nobody_has_begun() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def answer(queries: Sequence[Query]) -> int:
        begun.set()
        go_on.wait(10)
        return len(queries)

    worker = Worker("test", answer, most=1)
    worker.issue(QUERIES)
    assert begun.wait(10)
    closing = threading.Thread(target=worker.close)
    closing.start()
    go_on.set()
    closing.join(10)
    assert not closing.is_alive()
