"""Replicas x threads for one machine, by a short measurement: each layout in turn answers the same samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.ground.count import number
from assay.mlperf.sut.interface import Answer, FirstToken, Query, Sink
from assay.suts.ray_layout import ReplicaLayout

BATCHES, LEAST_QUERIES = 4, 64
"""Queries of a measurement: so many batches of one process, and the fewest."""
WORSE = 0.9
"""Below this share of the best so far, smaller parts are not tried any more. A choice, beyond the noise of a short
measurement."""
MEMORY_SHARE = 0.9
"""Share of the free memory that replicas may take. A choice."""


class MeasuredSut(Protocol):
    """A loaded SUT that a measurement asks."""

    def issue(self, queries: Sequence[Query]) -> None: ...

    def flush(self) -> None: ...

    def close_replicas(self) -> None: ...

    @property
    def batch(self) -> int | None: ...

    @property
    def memory_bytes(self) -> int: ...


@dataclass(frozen=True)
class Trial:
    """What one layout came to."""

    layout: ReplicaLayout
    tokens_per_s: float


class CountingSink:
    """Counts tokens; what is said goes on to the person."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.tokens = 0

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        """Not counted."""

    def done(self, answers: Sequence[Answer]) -> None:
        self.tokens += sum(len(answer.token_ids) for answer in answers)

    def progress(self, message: str) -> None:
        self._sink.progress(message)

    def worst_endpoint(self, words: str) -> None:
        """Of no measurement."""


def trials(
    layouts: Sequence[ReplicaLayout],
    load: Callable[[ReplicaLayout, Sink], MeasuredSut],
    samples: int,
    free_bytes: int,
    sink: Sink,
) -> list[Trial]:
    """Each layout measured, until one is worse than the best before it or would not fit into memory. `load` gives a SUT
    with that layout. The first layout is one process, whose batch and memory decide for all."""
    made: list[Trial] = []
    count = room = 0
    for layout in layouts:
        if made and (layout.replicas > room or made[-1].tokens_per_s < WORSE * best(made).tokens_per_s):
            break
        counting = CountingSink(sink)
        sut = load(layout, counting)
        try:
            if not made:
                count = min(samples, max(LEAST_QUERIES, BATCHES * (sut.batch or 0)))
                room = int(MEMORY_SHARE * free_bytes / max(1, sut.memory_bytes))
            began = time.perf_counter()
            sut.issue([Query(n, n) for n in range(count)])
            sut.flush()
            rate = counting.tokens / (time.perf_counter() - began)
        finally:
            sut.close_replicas()
        made.append(Trial(layout, rate))
        sink.progress(f"{layout.words}: {number(rate)} tokens/s over {count} samples")
    return made


def best(made: Sequence[Trial]) -> Trial:
    return max(made, key=lambda trial: trial.tokens_per_s)


def words(made: Sequence[Trial]) -> str:
    """What was chosen, and what it gained over one process."""
    chosen, alone = best(made), made[0]
    gain = chosen.tokens_per_s / alone.tokens_per_s if alone.tokens_per_s else 1.0
    tried = ", ".join(f"{trial.layout.words} {number(trial.tokens_per_s)}" for trial in made)
    return f"--replicas auto chose {chosen.layout.words}: {gain:.3g} times one process (tokens/s: {tried})"
