"""TreeRequest: what a submission tree is made from, and which runs must not be in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.config import Scenario
from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.record.result import ModeResult, RunResult
from assay.mlperf.rounds.round import Round
from assay.mlperf.submission.source import FinishedRun, TreeEntry

Readme = Callable[[RunResult, Scenario], str]
"""(run, scenario) -> README.md of that scenario; the report's writer."""


@dataclass(frozen=True)
class TreeRequest:
    """Submitter, division, round and files of a tree. `system_file`: system.toml; `calibration`: a document."""

    submitter: str
    division: str
    round: Round
    readme: Readme
    system_name: str | None = None
    system_file: Path | None = None
    calibration: Path | None = None
    allow_fake: bool = False
    is_endpoints: bool = False
    """Artefacts of MLPerf Endpoints in place of LoadGen's logs."""

    def refuse(self, entry: TreeEntry) -> None:
        """Raises: ConfigError for a fake, another round's run and what the division does not take; RunFailed for a run
        whose answers failed."""
        for run, record in entry.modes.values():
            self._refuse_run(run, record)
            if self.division != "open":
                _refuse_changed(run, record, self.division)
            if run.result.round != self.round.name:
                raise ConfigError(
                    f"{run.folder} was run under {run.result.round}, with that round's seeds",
                    f"--round {run.result.round}, or run again under {self.round.name}",
                )
        if self.is_endpoints and entry.benchmark not in self.round.endpoints:
            able = ", ".join(self.round.endpoints) or "none"
            raise ConfigError(
                f"{entry.benchmark} in round {self.round.name} may not hold artefacts of MLPerf Endpoints",
                f"workloads that may: {able}; leave --endpoints out for LoadGen's logs",
            )
        if self.division != "open":
            self.round.workload(entry.benchmark)

    def _refuse_run(self, run: FinishedRun, record: ModeResult) -> None:
        if record.faults:
            raise RunFailed(
                f"{run.folder}: {record.scenario} {record.mode} is INVALID: {'; '.join(record.faults)}",
                "mend the server and run again",
            )
        if why := run.result.performance_only:
            raise ConfigError(
                f"{run.folder} is of performance only: {why}", "run against an API with exact token ids"
            )
        if run.result.is_fake and not self.allow_fake:
            raise ConfigError(
                f"{run.folder} is a FAKE run: its answers were not computed by a model",
                "run with a real SUT, or mark the tree with --allow-fake",
            )


def _refuse_changed(run: FinishedRun, record: ModeResult, division: str) -> None:
    """What only the open division takes: other weights, and a run that LoadGen did not log whole."""
    model = run.result.model
    if model is not None and model.is_official is False:
        raise ConfigError(
            f"{run.folder} did not run the weights of {model.official}, as the "
            f"{division} division demands: {model.parameters:,} parameters",
            "--division open",
        )
    if record.kept_answers:
        raise ConfigError(
            f"{run.folder}: {record.scenario} {record.mode} was resumed, {record.kept_answers} of its "
            f"{record.samples} answers are of a process that was stopped; the {division} division takes "
            "a run that LoadGen logged whole",
            "--division open, or run it again",
        )
