"""LoadGen's log folders, and published trees of them, as foreign runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assay.bench.foreign import LOADGEN, NO_SEEDS, UNKNOWN, ForeignRun
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf import logs
from assay.mlperf.logs import DETAIL_FILE, RunRecord
from assay.mlperf.record.definitions import LOADGEN_DEFINITIONS
from assay.mlperf.record.figures import figures
from assay.mlperf.record.result import ModeResult, RunValidity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds import round as rounds

MODES = {"PerformanceOnly": Mode.PERFORMANCE, "AccuracyOnly": Mode.ACCURACY}
COMPLIANCE = "TEST"
"""Folders of compliance tests begin so; what they hold is no result."""


def runs(root: Path) -> Iterator[ForeignRun]:
    """The runs of each model below `root` in one, all its scenarios and modes.

    Raises: ArtifactError for a log that cannot be read or that stops before its end.
    """
    by_home: dict[Path, list[Path]] = {}
    for folder in sorted(path.parent for path in root.rglob(DETAIL_FILE)):
        if not any(part.startswith(COMPLIANCE) for part in folder.relative_to(root).parts):
            by_home.setdefault(_home(folder), []).append(folder)
    for home, found in by_home.items():
        yield _run(home, found)


def _home(folder: Path) -> Path:
    """MODEL of MODEL/Scenario/performance/run_1; the folder itself where it is laid out otherwise."""
    named = [place for place in folder.absolute().parents if Scenario.named(place.name)]
    return named[0].parent if named else folder


def _run(home: Path, found: list[Path]) -> ForeignRun:
    made: dict[tuple[Scenario, Mode], ModeResult] = {}
    sources: dict[str, Path] = {}
    records = [logs.read_record(folder) for folder in found]
    for folder, record in zip(found, records):
        if not record.is_complete:
            raise ArtifactError(f"{folder / DETAIL_FILE} stops before the end of the run")
        scenario, mode = _scenario(record, folder), _mode(record, folder)
        if (scenario, mode) in made:
            raise ArtifactError(
                f"{home} holds two runs of {scenario} {mode}", f"name one of them, as {folder}"
            )
        place = str(RunFolder(Path()).logs(scenario, mode) / DETAIL_FILE)
        sources[place] = folder / DETAIL_FILE
        made[scenario, mode] = _mode_result(record, scenario, mode, place)
    first = records[0]
    try:
        return ForeignRun(
            tool=LOADGEN,
            version=first.loadgen_version,
            model=home.absolute().name,
            runs=tuple(made.values()),
            definitions=LOADGEN_DEFINITIONS,
            sources=sources,
            round=_round(first),
            seeds=first.seeds or NO_SEEDS,
        )
    except ValueError as error:
        raise ArtifactError(f"{home} is not what LoadGen writes: {error}") from error


def _round(record: RunRecord) -> str:
    """The round whose seeds the run had: each round publishes its own."""
    return next(
        (name for name in rounds.official_names() if rounds.load(name).seeds == record.seeds), UNKNOWN
    )


def _mode(record: RunRecord, folder: Path) -> Mode:
    if record.test_mode not in MODES:
        raise ArtifactError(f"{folder} holds a run of mode {record.test_mode or UNKNOWN}, which is not taken")
    return MODES[record.test_mode]


def _scenario(record: RunRecord, folder: Path) -> Scenario:
    """LoadGen's own word, and Interactive where the folder says so: LoadGen knows that as Server."""
    logged = Scenario.named(record.scenario)
    if logged is None:
        raise ArtifactError(
            f"{folder} holds a run of scenario {record.scenario or UNKNOWN}, which is not taken"
        )
    named = {Scenario.named(part) for part in folder.absolute().parts}
    return Scenario.INTERACTIVE if logged is Scenario.SERVER and Scenario.INTERACTIVE in named else logged


def _mode_result(record: RunRecord, scenario: Scenario, mode: Mode, file: str) -> ModeResult:
    samples = record.samples or 0
    return ModeResult(
        scenario=scenario,
        mode=mode,
        validity=RunValidity(record.validity),
        invalid_because=record.invalid_because,
        samples=samples,
        seconds=record.seconds or 0.0,
        figures=tuple(figures(record, samples, file)),
        scores=(),
        warnings=(*record.errors, *record.warnings),
        folder=file.rpartition("/")[0],
        effective=record.effective,
    )
