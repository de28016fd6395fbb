"""Faults in a server's answers since the SUT was built, counted by kind. They are never forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.ground.errors import RunFailed

MOST_REFUSALS = 3
"""Number of requests refused as wrong after which the run is given up: the next ones would be refused too."""


@dataclass
class Faults:
    answers: int = 0
    retries: int = 0
    kinds: Counter[FailureKind] = field(default_factory=Counter)
    first: dict[FailureKind, str] = field(default_factory=dict)
    """The detail text of the first fault of each kind."""

    def add(self, failure: EndpointFailure) -> None:
        """Adds one. Raises: RunFailed when the server refuses too many requests as wrong."""
        self.kinds[failure.kind] += 1
        self.first.setdefault(failure.kind, failure.detail)
        if failure.kind is FailureKind.REQUEST and self.kinds[failure.kind] >= MOST_REFUSALS:
            raise RunFailed(
                f"the server refuses the requests as wrong: {self.first[failure.kind]}",
                "--api auto, and a --model that the server lists",
            )

    def sentences(self) -> tuple[str, ...]:
        """`3 of 300 answers failed: the stream broke off before its end (…)`, the most frequent kind first."""
        return tuple(
            f"{count} of {self.answers} answers failed: {kind.value} ({self.first[kind]})"
            for kind, count in self.kinds.most_common()
        )
