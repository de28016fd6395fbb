"""LoadGenJob: the message that starts the LoadGen child, and the counts that the child sends back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.mlperf.run.live import LatencySoFar
from assay.mlperf.run.trial import StopRule

NOTHING_YET = LatencySoFar()


@dataclass(frozen=True)
class LoadGenJob:
    """To the LoadGen child, once: everything it needs for its one run."""

    wheel: Path
    """Folder that holds `mlperf_loadgen`."""
    address: str
    """Socket of the SUT process."""
    key: str
    scenario: str
    is_accuracy: bool
    samples: int
    user_conf: Path
    audit_conf: Path | None
    answer_seed: int | None
    """Log every answer of a performance run, under this seed; None = as audit.config says."""
    out: Path
    times: Path | None = None
    """Where the times of all queries are left; None = nowhere."""
    stop: StopRule | None = None
    """A trial ends when this tells; None = at LoadGen's own end."""
    journal: Path | None = None
    """Where answers are kept as they come; None = nowhere."""
    asks: tuple[int, ...] | None = None
    """The sample that each of LoadGen's indices stands for; None = they are the samples'."""
    watches_latency: bool = False
    """The counts tell TTFT and TPOT so far."""


@dataclass(frozen=True)
class Count:
    """From the LoadGen child, a few times a second while it changes: queries issued and answered so far."""

    issued: int
    done: int
    tokens: int = 0
    """Of the answers so far."""
    latency: LatencySoFar = NOTHING_YET
