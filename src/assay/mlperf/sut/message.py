"""Message: what the parent and the SUT process send each other over their control connection.

Few and small: queries and answers travel by `channel`, straight between the LoadGen child and the SUT process. What the
parent and the LoadGen child tell each other: `run.loadgen_job`; a Failure comes from either.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.config import Mode
from assay.ground import errors, extras
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec, Used


@dataclass(frozen=True)
class Build:
    """To the SUT process, once: what to load. Answered by UsedReport or Failure."""

    module: str
    spec: SutSpec
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Ask:
    """To the SUT process, between runs: what is in use? Answered by UsedReport."""


@dataclass(frozen=True)
class Begin:
    """To the SUT process, before each run of LoadGen."""

    mode: Mode


@dataclass(frozen=True)
class Renew:
    """To the SUT process, between runs: answer another data set. Answered by UsedReport or Failure."""

    spec: SutSpec
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Close:
    """To the SUT process: release everything and end."""


@dataclass(frozen=True)
class UsedReport:
    """From the SUT process: what is in use."""

    used: Used


@dataclass(frozen=True)
class Line:
    """From the SUT: a line for a person."""

    text: str


@dataclass(frozen=True)
class WorstSoFar:
    """From the SUT: which of its endpoints does worst."""

    words: str


@dataclass(frozen=True)
class Failure:
    """From either child: why it cannot go on. Crosses the boundary as names and sentences, not as an
    object."""

    kind: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: BaseException, what: str) -> Failure:
        """An AssayError as it stands; anything else as RunFailed, with where it was raised."""
        error = extras.lacking(error) or error
        if isinstance(error, errors.AssayError):
            return cls(type(error).__name__, error.message, error.hint)
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
        return cls(
            "RunFailed", f"{what}: {type(error).__name__}: {error}{where}", "the traceback is in the log"
        )

    def to_error(self, log: Path) -> errors.AssayError:
        kind = getattr(errors, self.kind, errors.RunFailed)
        return kind(f"{self.message} (log: {log})", self.hint)
