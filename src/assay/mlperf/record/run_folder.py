"""RunFolder: where each file of a run is. The only place that knows the layout of a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.config import Mode, Scenario
from assay.ground import files
from assay.mlperf.logs import names

OTHER_RECORDS = {"load.json": "load", "tune.json": "tune"}
"""Record of a folder that holds no run by itself -> the verb that made it."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run folder; nothing is opened or made. As text it is its path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def of_log(cls, log: Path) -> RunFolder:
        """The run folder that an accuracy log would be of: RUN/Scenario/accuracy/LOG."""
        return cls(log.absolute().parent.parent.parent)

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def config(self) -> Path:
        """What was asked: `assay bench --config` reads it."""
        return self.path / "config.json"

    @property
    def readme(self) -> Path:
        return self.path / "README.md"

    @property
    def page(self) -> Path:
        """What `assay report --open` shows."""
        return self.path / "page.html"

    @property
    def requests(self) -> Path:
        """A row for each query."""
        return self.path / "requests.parquet"

    @property
    def process_logs(self) -> Path:
        """Folder of the output of the run's processes."""
        return self.path / "logs"

    def times(self, scenario: Scenario, mode: Mode) -> Path:
        """Times of the queries that the LoadGen child writes for `requests`; removed when the run is recorded."""
        return self.process_logs / f"times-{scenario.value}-{mode.value}.npy"

    def journal(self, scenario: Scenario) -> Path:
        """Answers of an accuracy run as they come; gone when the run is recorded."""
        return self.process_logs / f"answers-{scenario.value}.journal"

    @property
    def container_log(self) -> Path:
        return self.path / "container.log"

    @property
    def tree(self) -> Path:
        """The submission tree, where no other place was named."""
        return self.path / "submission"

    @property
    def tree_beside(self) -> Path:
        return self.path.with_name(f"{self.path.name}_submission")

    @property
    def is_run(self) -> bool:
        """Whether Assay made the folder: its files tell."""
        return self.result.is_file() or self.config.is_file()

    @property
    def made_by(self) -> str:
        """The verb whose record lies in the folder in place of a run's; empty for every other folder."""
        found = (verb for name, verb in OTHER_RECORDS.items() if (self.path / name).is_file())
        return "" if self.is_run else next(found, "")

    def home(self, scenario: Scenario) -> Path:
        return self.path / scenario.value

    def user_conf(self, scenario: Scenario) -> Path:
        return self.home(scenario) / names.USER_CONF

    def accuracy_user_conf(self, scenario: Scenario) -> Path:
        """Of an accuracy run over a data set of its own; a submission holds the performance run's."""
        return self.logs(scenario, Mode.ACCURACY) / names.USER_CONF

    def logs(self, scenario: Scenario, mode: Mode) -> Path:
        """Folder of LoadGen's logs of one run."""
        place = names.PERFORMANCE_RUN if mode is Mode.PERFORMANCE else names.ACCURACY_RUN
        return self.home(scenario) / place

    def first_try(self, scenario: Scenario) -> Path:
        """Folder of the logs of a run that was repeated because the target chosen for it was wrong."""
        return self.home(scenario) / "first_try"

    def compliance(self, scenario: Scenario) -> Path:
        """Folder of the compliance tests of a scenario: the run, and each test as submissions file it."""
        return self.home(scenario) / names.COMPLIANCE

    def verified_tests(self, scenario: Scenario) -> set[str]:
        """Names of the scenario's compliance tests that have a verdict, good or bad: it is filed last."""
        return {path.parent.name for path in self.compliance(scenario).glob("TEST*/verify_*.txt")}

    def filed_tests(self, scenario: Scenario) -> dict[str, Path]:
        """Path below the scenario's compliance folder -> file, of each compliance test that was filed."""
        folder = self.compliance(scenario)
        found = [
            *sorted(folder.glob("TEST*/verify_*.txt")),
            *sorted(folder.glob(f"TEST*/{names.ACCURACY_RUN}/{names.ACCURACY_FILE}")),
            *sorted(folder.glob(f"TEST*/{names.PERFORMANCE_RUN}/{names.LOG_FILES}")),
        ]
        return {path.relative_to(folder).as_posix(): path for path in found}

    def place(self, path: Path) -> str:
        """The name of a file in a record: its path in the run folder."""
        return path.relative_to(self.path).as_posix()

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file but the record, which holds them, by its path in the folder."""
        found = (path for path in sorted(self.path.rglob("*")) if path.is_file() and path != self.result)
        return {self.place(path): files.sha256(path) for path in found}
