"""A tree without findings, and small ways to spoil it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.mlperf.checker.check import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.record.result import RunResult
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree import Layout, Place
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.write import write
from tests.mlperf import run_folder


@dataclass(frozen=True)
class GoodTree:
    """One submitter, one system `box`, one benchmark with its required scenarios."""

    root: Path
    round: str
    division: str
    workload: str

    @classmethod
    def make(
        cls,
        folder: Path,
        round_name: str = "v5.1",
        division: str = "closed",
        workload: str = run_folder.MIXTRAL,
    ) -> GoodTree:
        round_ = rounds.load(round_name)
        rules = round_.workload(workload)
        scenarios = (*rules.required, *rules.one_of)
        run = run_folder.write(folder / "run", round_name, workload, scenarios, network=division == "network")
        request = TreeRequest("Tester", division, round_, _readme, system_name="box")
        write([run], request, folder / "tree")
        shutil.rmtree(run)
        return cls(folder / "tree", round_name, division, workload)

    @property
    def owner(self) -> Path:
        return self.root / self.division / "Tester"

    def place(self, scenario: str) -> Place:
        return Place(self.division, "Tester", "box", self.workload, scenario)

    @property
    def layout(self) -> Layout:
        return Layout.of(rounds.load(self.round))

    def performance(self, scenario: str = "Offline") -> Path:
        return self.root / self.layout.performance(self.place(scenario))

    def accuracy(self, scenario: str = "Offline") -> Path:
        return self.root / self.layout.accuracy(self.place(scenario))

    def measurements(self, scenario: str = "Offline") -> Path:
        return self.root / self.layout.measurements(self.place(scenario))

    def measurement_file(self, scenario: str = "Offline") -> Path:
        return self.root / self.layout.measurement_file(self.place(scenario))

    def compliance(self, scenario: str = "Offline", test: str = "TEST06") -> Path:
        return self.root / self.layout.compliance(self.place(scenario), test)

    def results(self, scenario: str = "Offline") -> Path:
        return self.root / self.layout.results(self.place(scenario))

    @property
    def system_file(self) -> Path:
        return self.owner / "systems/box.json"

    def system(self, **changes: Any) -> None:
        """Set fields of the system description; None removes one."""
        edit_json(self.system_file, changes)

    def log(self, folder: Path, **changes: Any) -> None:
        """Set values of a detail log, `__` in a key standing for a point; None removes the line."""
        path = folder / "mlperf_log_detail.txt"
        lines = path.read_text().splitlines()
        for name, value in changes.items():
            key = name.replace("__", ".")
            lines = [line for line in lines if f'"key": "{key}"' not in line]
            lines += [run_folder.record(key, value)] if value is not None else []
        path.write_text("\n".join(lines) + "\n")

    def score(self, metric: str, value: str | None, scenario: str = "Offline") -> None:
        """Replace a metric's value in accuracy.txt; None removes it."""
        path = self.accuracy(scenario) / "accuracy.txt"
        new = f"'{metric}': {value}" if value is not None else "'removed': 0"
        path.write_text(re.sub(rf"'{metric}': [\d.]+", new, path.read_text()))

    def codes(self, *severities: Severity) -> list[str]:
        """Codes of the findings of those severities, each once, in order."""
        report = check(self.root, rounds.load(self.round))
        return sorted({f.code for f in report.findings if not severities or f.severity in severities})


def _readme(result: RunResult, scenario: str) -> str:
    return f"# {result.workload} {scenario}\n"


def edit_json(path: Path, changes: dict[str, Any]) -> None:
    value = json.loads(path.read_text())
    for key, new in changes.items():
        if new is None:
            value.pop(key, None)
        else:
            value[key] = new
    path.write_text(json.dumps(value))


Spoil = Callable[[GoodTree], object]
