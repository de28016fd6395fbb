"""The parts of run folders that a submission needs: records, and the logs of each entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import Mode, Scenario
from assay.ground.errors import ConfigError
from assay.mlperf.record import result as results
from assay.mlperf.record.result import ModeResult, RunResult, Status
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.submission.tree import ACCURACY_REQUIRED, PERFORMANCE_REQUIRED


@dataclass(frozen=True)
class FinishedRun:
    """A run folder and its record."""

    folder: RunFolder
    result: RunResult

    @property
    def precision(self) -> str:
        return self.result.used.precision if self.result.used else ""

    @property
    def device(self) -> str:
        return self.result.used.device if self.result.used else ""

    @property
    def checkpoint(self) -> str:
        """Name of the weights that were loaded, without the folders above it."""
        paths = self.result.asked.paths
        name = paths.checkpoint or paths.checkpoint_source
        return Path(name).name if name else self.result.workload

    def probed(self) -> dict[str, str]:
        """Fields of the system description that the run found out."""
        return {name: said.value for name, said in self.result.system.items() if said.value is not None}

    def system_name(self) -> str:
        """A name of the system by what ran: processor or accelerator, device, backend."""
        fields = self.probed()
        hardware = fields.get(
            "accelerator_model_name" if self.device.startswith("cuda") else "host_processor_model_name"
        )
        sut = self.result.used.sut if self.result.used else ""
        words = (hardware or "system", self.device, sut)
        return re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(word for word in words if word)).strip("_.-")


@dataclass
class TreeEntry:
    """One entry of the tree to be: the runs that give its performance and its accuracy."""

    system: str
    benchmark: str
    scenario: Scenario
    modes: dict[Mode, tuple[FinishedRun, ModeResult]] = field(default_factory=dict)

    @property
    def run(self) -> FinishedRun:
        """The run that the entry is about: the performance run's, else the accuracy run's."""
        return (self.modes.get(Mode.PERFORMANCE) or self.modes[Mode.ACCURACY])[0]

    def logs(self, mode: Mode) -> dict[str, Path]:
        """File name in the submission -> file of the run folder; empty when the mode was not run."""
        if mode not in self.modes:
            return {}
        run, record = self.modes[mode]
        names = PERFORMANCE_REQUIRED if mode is Mode.PERFORMANCE else ACCURACY_REQUIRED
        found = {name: run.folder.path / record.folder / name for name in names}
        return {name: path for name, path in found.items() if path.is_file()}

    @property
    def user_conf(self) -> Path:
        return self.run.folder.user_conf(self.scenario)

    def compliance(self) -> dict[str, Path]:
        """Path below the scenario's compliance folder -> file, for every filed test of every run."""
        found: dict[str, Path] = {}
        for run, _ in self.modes.values():
            found |= run.folder.filed_tests(self.scenario)
        return found


def collect(folders: Sequence[Path], system_name: str | None) -> list[TreeEntry]:
    """The entries that run folders hold; performance and accuracy may come from two runs.

    Raises: ArtifactError for what is no run folder, ConfigError for an unfinished run or for two runs of the
    same scenario and mode.
    """
    entries: dict[tuple[str, str, Scenario], TreeEntry] = {}
    for folder in folders:
        run = FinishedRun(RunFolder(folder), results.read(folder))
        if run.result.status is not Status.COMPLETE:
            raise ConfigError(
                f"{folder} is {run.result.status}: {run.result.reason}",
                f"assay bench --config {run.folder.config} --out NEW: the same job again",
            )
        name = system_name or run.result.asked.submission.system_name or run.system_name()
        for record in run.result.runs:
            key = (name, run.result.workload, record.scenario)
            entry = entries.setdefault(key, TreeEntry(*key))
            if record.mode in entry.modes:
                other = entry.modes[record.mode][0].folder
                raise ConfigError(
                    f"{folder} and {other} both hold {record.scenario} {record.mode} of {name}",
                    "submit one of them, or give them two systems with --system",
                )
            entry.modes[record.mode] = (run, record)
    return list(entries.values())
