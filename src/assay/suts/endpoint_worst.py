"""How several endpoints share the queries, and which does worst while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

TELL_EVERY_S = 1.0
"""Shortest time between two reports of the worst endpoint."""
NS_PER_MS = 1e6


@dataclass
class EndpointTally:
    """Requests and failures of one endpoint over a run."""

    answered: int = 0
    failed: int = 0
    handed_over: int = 0
    """Queries that it failed and another endpoint answered."""
    busy_ns: int = 0
    """Sum of the times of its answers, from sending to the last byte."""

    def to_dict(self) -> dict[str, object]:
        return {
            "asked": self.answered,
            "failed": self.failed,
            "handed_over": self.handed_over,
            "mean_ms": self.mean_ms,
        }

    @property
    def mean_ms(self) -> float:
        return self.busy_ns / self.answered / NS_PER_MS if self.answered else 0.0


class WorstEndpoint:
    """Counts answers by endpoint. With several endpoints it reports the worst one now and then."""

    def __init__(self, names: list[str], tell: Callable[[str], None]) -> None:
        self.tallies = {name: EndpointTally() for name in names}
        self._tell, self._told_at = tell, 0.0

    def add(self, name: str, took_ns: int, has_failed: bool) -> None:
        """Adds an answer that has ended."""
        tally = self.tallies[name]
        tally.answered += 1
        tally.failed += has_failed
        tally.busy_ns += took_ns
        now = time.monotonic()
        if len(self.tallies) > 1 and now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._tell(self.words())

    def words(self) -> str:
        """The one with most failed answers, else the slowest: `http://b:8000: 3 of 400 failed, 812 ms an answer`."""
        name, worst = max(self.tallies.items(), key=lambda each: (each[1].failed, each[1].mean_ms))
        return f"{name}: {worst.failed} of {worst.answered} failed, {worst.mean_ms:.0f} ms an answer"

    def balance(self) -> str:
        """How the endpoints shared the answers; empty when there is one endpoint, or no request."""
        total = sum(tally.answered for tally in self.tallies.values())
        if len(self.tallies) < 2 or not total:
            return ""
        return "servers: " + "; ".join(
            f"{name} {tally.answered / total:.0%} of the answers, {tally.mean_ms:.0f} ms each, {tally.failed} failed"
            + (f", {tally.handed_over} that it failed answered by another" if tally.handed_over else "")
            for name, tally in self.tallies.items()
        )
