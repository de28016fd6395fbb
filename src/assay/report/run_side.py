"""One of the two runs of a comparison, with its rows, its repeats and earlier runs of the same."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from assay.config import Mode, Scenario
from assay.mlperf.record.result import RunResult
from assay.mlperf.run import requests
from assay.report.series import Rows


@dataclass(frozen=True)
class RunSide:
    """`requests` None = it has no requests.parquet that can be read."""

    name: str
    result: RunResult
    requests: pa.Table | None
    repeats: tuple[RunResult, ...] = ()
    """Further runs of the same, made for this comparison."""
    earlier: tuple[RunResult, ...] = ()
    """Earlier runs of the same on the same machine: they show how much its runs differ."""

    def values(self, scenario: Scenario, metric: str) -> list[float]:
        """Of the first run and its repeats, in their order; of those that measured it."""
        return values_of((self.result, *self.repeats), scenario, metric)

    def rows(self, scenario: Scenario, mode: Mode) -> Rows | None:
        if self.requests is None:
            return None
        own = requests.of_run(self.requests, scenario, mode)
        return Rows(own) if own.num_rows else None


def values_of(results: tuple[RunResult, ...], scenario: Scenario, metric: str) -> list[float]:
    """One figure of the performance runs that measured it."""
    runs = [each.find(scenario, Mode.PERFORMANCE) for each in results]
    figures = [run.figure(metric) for run in runs if run]
    return [found.value for found in figures if found]


def samples_of(result: RunResult) -> tuple[object, ...]:
    """What was asked of the system: runs that differ in it have no answers that can be paired."""
    data = result.dataset
    return result.workload, data.sha256, data.samples, data.rows_used
