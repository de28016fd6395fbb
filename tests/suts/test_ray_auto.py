from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from assay.mlperf.sut.interface import Answer, Query, Sink
from assay.suts import ray_auto, ray_layout
from assay.suts.ray_auto import Trial
from assay.suts.ray_layout import ReplicaLayout

LAYOUTS = ray_layout.candidates(8, 1)


class Clock:
    """Stands still but for what a SUT takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Toy:
    """Answers `rates[replicas]` queries of 2 tokens a second."""

    memory_bytes = 1_000

    def __init__(self, clock: Clock, rate: float, sink: Sink, log: list[str], batch: int | None) -> None:
        self._clock, self._rate, self._sink, self._log, self.batch = clock, rate, sink, log, batch

    def issue(self, queries: Sequence[Query]) -> None:
        self._clock.now += len(queries) / self._rate
        self._sink.done([Answer(query.id, [1, 2]) for query in queries])
        self._log.append(f"asked {len(queries)}")

    def flush(self) -> None: ...

    def close_replicas(self) -> None:
        self._log.append("closed")


class Said:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def progress(self, message: str) -> None:
        self.lines.append(message)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a measurement handed {name} on")


def tried(
    monkeypatch: pytest.MonkeyPatch, rates: dict[int, float], free: int = 10**9, batch: int | None = None
) -> tuple[list[Trial], list[str], list[str]]:
    clock, log, said = Clock(), [], Said()
    monkeypatch.setattr("time.perf_counter", clock)

    def load(layout: ReplicaLayout, sink: Sink) -> Toy:
        return Toy(clock, rates[layout.replicas], sink, log, batch)

    return ray_auto.trials(LAYOUTS, load, 1000, free, said), log, said.lines  # type: ignore[arg-type]


def test_the_best_layout_is_found_and_its_gain_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made, log, said = tried(monkeypatch, {1: 10, 2: 12, 4: 15, 8: 14})
    assert [trial.layout.replicas for trial in made] == [1, 2, 4, 8]
    assert ray_auto.best(made).layout == ReplicaLayout(4, 2.0)
    assert ray_auto.words(made).startswith(
        "--replicas auto chose 4 x 2 CPU: 1.5 times one process (tokens/s: 1 x 8 CPU 20"
    )
    assert log[:2] == ["asked 64", "closed"] and log.count("closed") == 4
    assert said[0] == "1 x 8 CPU: 20 tokens/s over 64 samples"


def test_much_worse_ones_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = tried(monkeypatch, {1: 10, 2: 5, 4: 99})
    assert [trial.layout.replicas for trial in made] == [1, 2]
    assert "chose 1 x 8 CPU: 1 times one process" in ray_auto.words(made)


def test_what_memory_has_no_room_for_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = tried(monkeypatch, {1: 10, 2: 20, 4: 40}, free=3000)
    assert [trial.layout.replicas for trial in made] == [1, 2]


def test_the_batch_of_one_process_says_how_many_samples_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    _, log, _ = tried(monkeypatch, {1: 10, 2: 5}, batch=32)
    assert log[0] == "asked 128"
