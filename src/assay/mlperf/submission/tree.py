"""The folders of a submission, as paths only: where each file of an entry lies in a round's layout.

Knows the layouts up to v5.1 (`old`) and from v6.0 (`new`); touches no disk. All paths are POSIX text relative
to the root of the tree. Source: submission_structure.md and the path constants of the official checkers.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import Scenario
from assay.mlperf.logs import names
from assay.mlperf.rounds.round import Round

DIVISIONS = ("closed", "open", "network")
PERFORMANCE_REQUIRED = (names.SUMMARY_FILE, names.DETAIL_FILE)
OPTIONAL = (names.TRACE_FILE, "results.json", ".gitkeep")
"""Files that may lie in every folder of logs. Source: files_diff of the official checkers."""
PERFORMANCE_OPTIONAL = (names.ACCURACY_FILE, *OPTIONAL)
ACCURACY_REQUIRED = (
    names.ACCURACY_TEXT,
    names.ACCURACY_FILE,
    names.DETAIL_FILE,
    names.SUMMARY_FILE,
)
ENDPOINTS_SUMMARY = "performance/result_summary.json"
ENDPOINTS_RESULTS = "accuracy/accuracy_results.json"
ENDPOINTS_CONFIG = "config.yaml"
"""Artefacts of MLPerf Endpoints, below a scenario folder. Source: EndpointsParser of the modular checker (b66003e1)."""
AUDITS = {"TEST06": "consistency_output_test", "TEST07": "accuracy_in_performance_full_test"}
"""Test -> its name in audit/audit_<name>.json. Source: ENDPOINTS_COMPLIANCE_MAPPING."""
FAKE_MARK = "FAKE RUN"
"""In the README of a run whose SUT computes nothing."""
SCENARIOS = tuple(scenario.value for scenario in Scenario)


@dataclass(frozen=True)
class Place:
    """One entry: a scenario of a benchmark on a system of a submitter. `scenario` is the folder's name."""

    division: str
    submitter: str
    system: str
    benchmark: str
    scenario: str


@dataclass(frozen=True)
class Layout:
    """Where the files of a round's submission lie."""

    is_old: bool
    code_folder: str

    @classmethod
    def of(cls, round_: Round) -> Layout:
        return cls(is_old=round_.layout == "old", code_folder=round_.code_folder)

    def submitter(self, division: str, submitter: str) -> str:
        return f"{division}/{submitter}"

    def system_file(self, division: str, submitter: str, system: str) -> str:
        return f"{division}/{submitter}/systems/{system}.json"

    def model_mapping(self, submitter: str) -> str:
        return f"open/{submitter}/model_mapping.json"

    def calibration(self, division: str, submitter: str) -> str:
        return f"{division}/{submitter}/calibration.md"

    def code(self, division: str, submitter: str, benchmark: str) -> str:
        return f"{division}/{submitter}/{self.code_folder}/{benchmark}"

    def results(self, place: Place) -> str:
        return self._below("results", place)

    def performance(self, place: Place) -> str:
        return f"{self.results(place)}/{names.PERFORMANCE_RUN}"

    def accuracy(self, place: Place) -> str:
        return f"{self.results(place)}/{names.ACCURACY_RUN}"

    def measurements(self, place: Place) -> str:
        """Folder of user.conf, README.md and the measurement file."""
        return self._below("measurements" if self.is_old else "results", place)

    def measurement_file(self, place: Place) -> str:
        """The name we write; submitters of old layouts may add their implementation to it."""
        name = f"{place.system}_{place.scenario}.json" if self.is_old else "measurements.json"
        return f"{self.measurements(place)}/{name}"

    def compliance(self, place: Place, test: str) -> str:
        return f"{self._below('compliance' if self.is_old else 'results', place)}/{test}"

    def _below(self, kind: str, place: Place) -> str:
        return "/".join(
            (place.division, place.submitter, kind, place.system, place.benchmark, place.scenario)
        )


def scenario_name(folder: str) -> str:
    """LoadGen's spelling of a scenario folder (`offline` -> `Offline`); another name comes back as it is."""
    found = Scenario.named(folder)
    return found.value if found else folder
