"""Answers that nobody waits for, by name: LoadGen takes an id for a memory address, so the run ends with one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from assay.ground.errors import RunFailed
from assay.mlperf.run.request_times import Stamps

ONCE = "every id given to `issue` must come back exactly once, with at most one first token before"


def answer(ids: Sequence[int], open_: Collection[int], issued: Stamps) -> RunFailed:
    """What is wrong with a frame of ids of which one is not open, or stands twice in it."""
    stray = next(query for place, query in enumerate(ids) if query not in open_ or query in ids[:place])
    sample = _sample(stray, issued)
    if sample is None:
        return RunFailed(f"the SUT answered a query that was never asked, with id {stray}", ONCE)
    return RunFailed(f"the SUT answered sample {sample} twice", ONCE)


def first_token(ids: Sequence[int], begun: Collection[int], issued: Stamps) -> RunFailed:
    """As `answer`, of first tokens of which one came before."""
    stray = next(query for query in ids if query in begun)
    return RunFailed(f"the SUT reported a first token of sample {_sample(stray, issued)} twice", ONCE)


def _sample(query: int, issued: Stamps) -> int | None:
    """The sample that LoadGen last asked for under this id; it uses an id again."""
    for call in reversed(issued.calls(0)):
        for known, sample in zip(call.ids, call.values):
            if known == query:
                return sample
    return None
