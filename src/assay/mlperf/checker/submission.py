"""A submission tree as a model: submitters, their systems, benchmarks and entries, each with its files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assay.config import Scenario
from assay.ground.parsed import yaml_value
from assay.mlperf import workloads
from assay.mlperf.checker import endpoints
from assay.mlperf.checker.tree import Tree
from assay.mlperf.logs import names
from assay.mlperf.logs.detail import DetailLog
from assay.mlperf.rounds.round import Round
from assay.mlperf.rounds.round_workload import RoundWorkload, loadgen_key
from assay.mlperf.submission import truncate
from assay.mlperf.submission.tree import (
    DIVISIONS,
    ENDPOINTS_RESULTS,
    ENDPOINTS_SUMMARY,
    Layout,
    Place,
    scenario_name,
)

ANSWERS_MAX_BYTES = 10_240
"""Source: MAX_ACCURACY_LOG_SIZE of the official checkers."""
EMPTY_ANSWERS = b"[\n]\n"
"""An accuracy log without an answer, as LoadGen writes it."""
SUITES = ("datacenter", "edge", "datacenter,edge", "edge,datacenter")
"""Values of system_type."""


@dataclass(frozen=True)
class Submitter:
    """One submitter in one division."""

    tree: Tree
    round: Round
    division: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.division}/{self.name}"

    @property
    def is_gated(self) -> bool:
        """Closed and network submissions are held against the targets, open ones are not."""
        return self.division != "open"

    @cached_property
    def model_mapping(self) -> dict[str, Any]:
        return (self.tree.json(f"{self.path}/model_mapping.json") or {}) if self.division == "open" else {}

    def systems(self) -> list[System]:
        return [System(self, name) for name in self.tree.subfolders(f"{self.path}/results")]


@dataclass(frozen=True)
class System:
    submitter: Submitter
    name: str

    @property
    def file(self) -> str:
        return f"{self.submitter.path}/systems/{self.name}.json"

    @cached_property
    def fields(self) -> dict[str, Any] | None:
        return self.submitter.tree.json(self.file)

    @property
    def suite(self) -> str:
        """`datacenter`, `edge` or both; any other value is a finding of S1 and read as datacenter."""
        value = str((self.fields or {}).get("system_type"))
        return value if value in SUITES else SUITES[0]

    def benchmarks(self) -> list[Benchmark]:
        folder = f"{self.submitter.path}/results/{self.name}"
        return [Benchmark(self, name) for name in self.submitter.tree.subfolders(folder)]


@dataclass(frozen=True)
class Benchmark:
    """The results of one benchmark on one system."""

    system: System
    name: str

    @property
    def path(self) -> str:
        return f"{self.system.submitter.path}/results/{self.system.name}/{self.name}"

    @cached_property
    def official(self) -> str:
        """The round's name of the folder, in open by model_mapping.json too."""
        submitter = self.system.submitter
        return submitter.round.official_name(self.name, submitter.model_mapping)

    @property
    def loadgen_key(self) -> str:
        return loadgen_key(self.official)

    @property
    def rules(self) -> RoundWorkload | None:
        return self.system.submitter.round.workloads.get(self.official)

    @cached_property
    def is_example(self) -> bool:
        """Whether it is a workload that has its own rules, as it is in no round."""
        known = None if self.name in self.system.submitter.round.workloads else workloads.find(self.name)
        return known is not None and known.own_rules is not None

    def entries(self) -> list[Entry]:
        return [Entry(self, name) for name in self.system.submitter.tree.subfolders(self.path)]

    def scenarios(self) -> set[str]:
        return {entry.scenario for entry in self.entries()}


@dataclass(frozen=True)
class Entry:
    """One scenario folder with everything that belongs to it; contents are read once, when asked for."""

    benchmark: Benchmark
    folder: str

    @property
    def system(self) -> System:
        return self.benchmark.system

    @property
    def submitter(self) -> Submitter:
        return self.benchmark.system.submitter

    @property
    def tree(self) -> Tree:
        return self.submitter.tree

    @property
    def round(self) -> Round:
        return self.submitter.round

    @cached_property
    def layout(self) -> Layout:
        return Layout.of(self.round)

    @cached_property
    def place(self) -> Place:
        owner = self.submitter
        return Place(owner.division, owner.name, self.system.name, self.benchmark.name, self.folder)

    @cached_property
    def scenario(self) -> str:
        """The folder's; MLPerf Endpoints calls Server `online`."""
        return (
            "Server" if self.is_endpoints and self.folder.lower() == "online" else scenario_name(self.folder)
        )

    @property
    def loadgen_scenario(self) -> str:
        """LoadGen's word for the scenario: Interactive is Server there."""
        found = Scenario.named(self.folder)
        return found.in_loadgen if found else self.scenario

    @cached_property
    def path(self) -> str:
        return self.layout.results(self.place)

    @cached_property
    def is_endpoints(self) -> bool:
        """Whether artefacts of MLPerf Endpoints take the place of LoadGen's logs, in a round that accepts them."""
        logs = (self.layout.performance(self.place), self.layout.accuracy(self.place))
        if not self.round.endpoints or any(
            f"{folder}/{names.DETAIL_FILE}" in self.tree.files for folder in logs
        ):
            return False
        known = (ENDPOINTS_SUMMARY, ENDPOINTS_RESULTS, *endpoints.CONFIGS, *endpoints.PUBLISHER_PATHS)
        return any(f"{self.path}/{name}" in self.tree.files for name in known)

    @cached_property
    def performance_log(self) -> str:
        if self.is_endpoints:
            return f"{self.path}/{ENDPOINTS_SUMMARY}"
        return f"{self.layout.performance(self.place)}/{names.DETAIL_FILE}"

    @cached_property
    def accuracy_log(self) -> str:
        if self.is_endpoints:
            return f"{self.path}/{ENDPOINTS_RESULTS}"
        return f"{self.layout.accuracy(self.place)}/{names.DETAIL_FILE}"

    @cached_property
    def accuracy_file(self) -> str:
        if self.is_endpoints:
            return self.accuracy_log
        return f"{self.layout.accuracy(self.place)}/{names.ACCURACY_TEXT}"

    @cached_property
    def answers_file(self) -> str:
        return f"{self.layout.accuracy(self.place)}/{names.ACCURACY_FILE}"

    @cached_property
    def measurement_file(self) -> str | None:
        """The measurement JSON: `measurements.json`, in old layouts a name that begins with the system's."""
        folder = self.layout.measurements(self.place)
        names = [name for name in self.tree.names(folder) if name.endswith(".json")]
        if not self.layout.is_old:
            return f"{folder}/measurements.json" if "measurements.json" in names else None
        own = [name for name in names if name.startswith(self.system.name)]
        best = [name for name in own if name.endswith(f"_{self.folder}.json")] or own
        return f"{folder}/{best[0]}" if best else None

    @cached_property
    def endpoints_config(self) -> dict[str, Any]:
        """config.yaml of an Endpoints run; empty where it is missing or no mapping."""
        for name in endpoints.CONFIGS:
            text = self.tree.text(path := f"{self.path}/{name}")
            try:
                value = yaml_value(text) if text is not None else None
            except ValueError as error:
                self.tree.faults[path] = f"not YAML: {error}"[:200]
                continue
            if isinstance(value, dict):
                return value
        return {}

    @cached_property
    def endpoint_scores(self) -> tuple[endpoints.Measured, ...]:
        """Scores of an Endpoints run, under the names of the targets."""
        rules, results = self.benchmark.rules, self.tree.json(self.accuracy_log)
        return endpoints.measured(results, tuple(rules.targets)) if rules and results is not None else ()

    @cached_property
    def performance(self) -> DetailLog | None:
        if self.is_endpoints:
            summary = self.tree.json(self.performance_log)
            made = endpoints.performance
            return made(summary, self.endpoints_config, self.scenario) if summary is not None else None
        return self.tree.log(self.performance_log)

    @cached_property
    def accuracy(self) -> DetailLog | None:
        if self.is_endpoints:
            results = self.tree.json(self.accuracy_log)
            return endpoints.accuracy(results) if results is not None else None
        return self.tree.log(self.accuracy_log)

    @cached_property
    def accuracy_text(self) -> str | None:
        if self.is_endpoints:
            return endpoints.as_text(self.endpoint_scores) if self.accuracy is not None else None
        return self.tree.text(self.accuracy_file)

    @cached_property
    def kept_answers(self) -> bytes | None:
        """Content of an accuracy log of permitted size; None when it is missing or larger."""
        size = self.tree.files.get(self.answers_file, 0)
        return self.tree.read(self.answers_file) if size <= ANSWERS_MAX_BYTES else None

    @cached_property
    def whole_answers(self) -> bytes | None:
        """An accuracy log so small that nothing was cut out of it; None for another."""
        kept = self.kept_answers
        return None if kept is None or truncate.is_cut(kept) else kept

    @cached_property
    def measurement(self) -> dict[str, Any] | None:
        return self.tree.json(self.measurement_file) if self.measurement_file else None

    @cached_property
    def test06_text(self) -> str | None:
        """verify_accuracy.txt of TEST06."""
        return self.tree.text(f"{self.compliance_folder('TEST06')}/{names.VERDICT_FILE}")

    def compliance_folder(self, test: str) -> str:
        return self.layout.compliance(self.place, test)


def submitters(tree: Tree, round_: Round, only: str | None = None) -> list[Submitter]:
    """Submitters that have results, in stable order."""
    found = []
    for division in DIVISIONS:
        for name in tree.subfolders(division):
            if (only is None or name == only) and f"{division}/{name}/results" in tree.folders:
                found.append(Submitter(tree, round_, division, name))
    return found
