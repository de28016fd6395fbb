"""What the replicas did and used, as one record. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.ground.count import number
from assay.mlperf.sut.interface import Used

SLOW_SHARE = 0.7
"""A replica below this share of the others' median pace is named. It answered what it was given all the same. A
choice; it changes no verdict."""


@dataclass(frozen=True)
class ReplicaRun:
    """One replica in one LoadGen run."""

    rank: int
    node: str
    answers: int
    tokens: int
    seconds: float
    """From the first query that it was given to its last answer."""
    most_open: int
    """Most queries that it held at once."""
    load_s: float = 0.0
    """From the word to load to the loaded SUT."""
    gone: str = ""
    """Why it answers no more; empty = it does."""

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "tokens_per_s": round(self.tokens_per_s, 2)}


class RunCounts:
    """What each replica does from one LoadGen run to the next. Times: s on any one clock."""

    def __init__(self, replicas: int) -> None:
        self._tokens, self._answers, self._most = [0] * replicas, [0] * replicas, [0] * replicas
        self._began: list[float | None] = [None] * replicas
        self._ended = [0.0] * replicas

    def given(self, rank: int, now: float, held: int) -> None:
        """It was given queries, and holds so many now."""
        if self._began[rank] is None:
            self._began[rank] = now
        self._most[rank] = max(self._most[rank], held)

    def answered(self, rank: int, now: float, answers: int, tokens: int) -> None:
        self._ended[rank] = now
        self._answers[rank] += answers
        self._tokens[rank] += tokens

    def rows(
        self, nodes: Sequence[str], load_s: Sequence[float], gone: Mapping[int, str]
    ) -> list[ReplicaRun]:
        """One for each replica: where it is, and how long it loaded. Empty when nothing was answered."""
        if not any(self._answers):
            return []
        return [
            ReplicaRun(
                rank=rank,
                node=node,
                answers=self._answers[rank],
                tokens=self._tokens[rank],
                seconds=round(max(0.0, self._ended[rank] - (self._began[rank] or 0.0)), 4),
                most_open=self._most[rank],
                load_s=round(loading, 2),
                gone=gone.get(rank, ""),
            )
            for rank, (node, loading) in enumerate(zip(nodes, load_s))
        ]


def slow(rows: Sequence[ReplicaRun]) -> list[str]:
    """The replicas that were much slower than the others, a sentence each."""
    paces = {row.rank: row.tokens_per_s for row in rows if row.tokens and not row.gone}
    if len(paces) < 3:
        return []
    middle = statistics.median(paces.values())
    return [
        f"replica {row.rank} on {row.node} made {number(row.tokens_per_s)} tokens/s, "
        f"{row.tokens_per_s / middle:.0%} of the median replica"
        for row in rows
        if row.rank in paces and row.tokens_per_s < SLOW_SHARE * middle
    ]


def merged(
    of: str,
    ray: str,
    replicas: Mapping[str, Used],
    gone: Mapping[str, str],
    taken_over: int,
    notes: Sequence[str],
    details: Mapping[str, Any],
) -> Used:
    """One record of all. `replicas`: those that are there, by name; `gone`: why the others are not.

    What one of them says against the runs counts for all; a batch is that of all together.
    """
    first = next(iter(replicas.values()))
    batches = [used.batch for used in replicas.values() if used.batch is not None]
    delays = [used.issue_delay_ms for used in replicas.values() if used.issue_delay_ms is not None]
    count = len(replicas) + len(gone)
    return Used(
        sut="ray",
        backend=f"{count} replica{'s' * (count > 1)} by Ray {ray}, each {_each('backend', replicas)}",
        precision=_each("precision", replicas),
        device=_each("device", replicas),
        batch=sum(batches) if batches else None,
        weights_sha256=first.weights_sha256,
        is_fake=any(used.is_fake for used in replicas.values()),
        details={
            "of": of,
            **details,
            "taken_over": taken_over,
            "replicas": {name: used.details for name, used in replicas.items()},
        },
        faults=_named("faults", replicas),
        breaches=_named("breaches", replicas),
        losses=tuple(f"{name} was lost: {why}" for name, why in gone.items()),
        issue_delay_ms=max(delays, default=None),
        notes=(*notes, *_lost_words(gone, taken_over), *_named("notes", replicas)),
    )


def _each(fact: str, replicas: Mapping[str, Used]) -> str:
    """What all say, else all that is said."""
    return " and ".join(dict.fromkeys(str(getattr(used, fact)) for used in replicas.values()))


def _named(fact: str, replicas: Mapping[str, Used]) -> tuple[str, ...]:
    """Sentences of all replicas; one that every replica says stands once, without a name."""
    said: dict[str, list[str]] = {}
    for name, used in replicas.items():
        for sentence in getattr(used, fact):
            said.setdefault(sentence, []).append(name)
    return tuple(
        sentence if len(names) == len(replicas) else f"{', '.join(names)}: {sentence}"
        for sentence, names in said.items()
    )


def _lost_words(gone: Mapping[str, str], taken_over: int) -> list[str]:
    if not gone:
        return []
    return [
        f"{len(gone)} of the replicas were lost ({', '.join(gone)}); others answered {taken_over} of their queries"
    ]
