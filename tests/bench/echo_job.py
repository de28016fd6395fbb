"""A small job of the echo SUT over the embedded data set, and a session that needs no process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from assay.bench import run_start
from assay.bench.running import Reporter, RunInProgress
from assay.config import Delivery, Request
from assay.doors import config_options
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs import RunRecord
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.sut.interface import SutSpec, Used

SAMPLES = 4
USED = Used("echo", "echo", "none", "cpu", 2, None, is_fake=True)


def silent() -> Reporter:
    return Reporter(lambda text: None, lambda progress: None)


def request(folder: Path, delivery: Delivery | None = None, **texts: str) -> Request:
    flags = {"sut": "echo", "limits.samples": str(SAMPLES), "paths.out": str(folder)}
    flags |= {name.replace("__", "."): text for name, text in texts.items()}
    return Request(config_options.build("mixtral-nano", flags, {}), delivery or Delivery())


def begun(folder: Path, delivery: Delivery | None = None, **texts: str) -> RunInProgress:
    """The job of `request` as it stands before its first LoadGen run."""
    return run_start.begin(request(folder, delivery, **texts), silent())


def logged(**changes: Any) -> RunRecord:
    """What LoadGen says of a run."""
    base = RunRecord(
        scenario="Offline",
        test_mode="PerformanceOnly",
        validity="VALID",
        invalid_because=(),
        samples=SAMPLES,
        seconds=2.0,
        samples_per_s=2.0,
        tokens_per_s=20.0,
        latencies={},
        early_stopping={},
        errors=(),
        warnings=(),
        effective={"target_qps": 1.0},
        requested={},
        loadgen_version="5.1.2",
        seeds=None,
        is_complete=True,
    )
    return dataclasses.replace(base, **changes)


class FakeSession:
    """Takes the place of `Session`: remembers what is asked of it."""

    used = USED

    def __init__(self, rate: float = 100.0) -> None:
        self.rate = rate
        self.probed: list[int] = []
        self.ran: list[RunSpec] = []
        self.entered, self.renewed = 0, list[tuple[SutSpec, Sequence[Sample]]]()
        self.released_after: list[int] = []
        """How many runs there were when it was released."""

    def __enter__(self) -> FakeSession:
        self.entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        self.renewed.append((spec, samples))

    def probe(self, count: int) -> float:
        self.probed.append(count)
        return self.rate

    def release(self) -> None:
        self.released_after.append(len(self.ran))

    def run(self, spec: RunSpec) -> RunRecord:
        self.ran.append(spec)
        return logged()
