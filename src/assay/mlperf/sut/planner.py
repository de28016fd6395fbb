"""Estimates for a SUT before it is loaded: what prevents the run, memory, seconds.

A module satisfies SutPlanner, as one satisfies `interface.SutModule`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.ground.errors import AssayError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec


@dataclass(frozen=True)
class SutWork:
    """What a SUT would be asked to do, as far as it is known."""

    spec: SutSpec
    """`checkpoint` is None when it is still to be fetched, and for a SUT without one."""
    workload: str
    samples: Sequence[Sample]
    """Empty when the dataset is not there."""
    tokens: Sequence[int] = ()
    """Expected length of each answer, the step that ends it included; empty while it is only examined."""
    longest_answer: int = 0
    """Tokens; 0 when the round does not say."""
    model_config: Mapping[str, Any] = field(default_factory=dict)
    """config.json of the checkpoint; empty when it is not known."""
    is_closed: bool = False
    """What breaks the rules of the closed division makes the run INVALID."""

    @property
    def batch(self) -> int:
        """Sequences at once, never more than there are samples."""
        asked = self.spec.batch or 1
        return max(1, min(asked, len(self.samples) or asked))

    @property
    def batches(self) -> list[list[int]]:
        """Places of the samples in some random order, as LoadGen asks for them, a batch at a time."""
        order = random.Random(0).sample(range(len(self.samples)), len(self.samples))
        return [order[i : i + self.batch] for i in range(0, len(order), self.batch)]


@dataclass(frozen=True)
class Examined:
    """What was found before anything is loaded."""

    blockers: tuple[AssayError, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SutSeconds:
    """Wall seconds on this machine, as busy as it is now."""

    start_s: float
    """From the start of the SUT process until it begins to load weights."""
    answer_s: float
    """Answering every sample once."""
    answer_s_at_most: float
    """The same with every answer at the longest that is allowed."""


class SutPlanner(Protocol):
    def examine(self, work: SutWork) -> Examined:
        """What would keep the SUT from running. An AssayError that is raised is a blocker too."""

    def ram_bytes(self, work: SutWork) -> int | None:
        """Anonymous memory of the SUT's processes at the highest point; None = not known."""

    def seconds(self, work: SutWork) -> SutSeconds | None:
        """May time a few products, for seconds. Asked with samples alone; None = not known."""
