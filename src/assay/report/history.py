"""The runs below a folder, read from their records: there is no index that could be out of date."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.ground.errors import ArtifactError
from assay.ground.printable import one_line
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.report import outcome, words
from assay.report.columns import aligned

DEPTH = 3
"""Run folders lie in the folder itself or at most so many folders below it."""
RATE = "tokens_per_s"
"""The figure that tells how fast a run was."""
HEADS = ("started", "workload", "round", "SUT", "precision", "scenario", "tokens/s", "outcome", "folder")


@dataclass(frozen=True)
class PastRun:
    """A run folder that was found; `result` None = its record cannot be read, and `problem` says why."""

    folder: Path
    result: RunResult | None
    problem: str = ""


def of(folder: Path, workload: str | None = None) -> list[PastRun]:
    """The runs of a folder, the oldest first, those without a readable record last."""
    found = [_read(place) for place in _folders(folder)]
    kept = [
        each for each in found if workload is None or each.result is None or each.result.workload == workload
    ]
    return sorted(kept, key=lambda each: (each.result is None, _started(each), str(each.folder)))


def rows(past: Sequence[PastRun], root: Path) -> list[tuple[str, ...]]:
    """A row for each scenario of each run, as HEADS."""
    return [tuple(map(one_line, row)) for each in past for row in _rows(each, root)]


def table(past: Sequence[PastRun], root: Path) -> str:
    """For a terminal."""
    return "\n".join(aligned([HEADS, *rows(past, root)]))


def _rows(past: PastRun, root: Path) -> Iterator[tuple[str, ...]]:
    folder = str(past.folder.relative_to(root)) if past.folder != root else "."
    made = past.result
    if made is None:
        yield ("", "", "", "", "", "", "", past.problem, folder)
        return
    precision = made.used.precision if made.used else ""
    head = (made.started_at[:19], made.workload, made.round, system(made), precision)
    for scenario in dict.fromkeys([run.scenario for run in made.runs]) or [""]:
        own = dataclasses.replace(made, runs=tuple(run for run in made.runs if run.scenario == scenario))
        rate = next(filter(None, (run.figure(RATE) for run in own.runs)), None)
        yield (*head, str(scenario), words.number(rate.value) if rate else "", verdict(own), folder)


def system(made: RunResult) -> str:
    """What answered: `engine`, `echo (FAKE)`, or the tool that measured an imported run."""
    return made.foreign_tool or f"{made.asked.sut}{' (FAKE)' if made.is_fake else ''}"


def verdict(made: RunResult) -> str:
    """What became of a run in a few words: its status where it did not end, else counts."""
    if made.status is not result.Status.COMPLETE:
        return str(made.status)
    found = outcome.of(made)
    met, missed = found.verdicts
    counts = (
        (len(found.valid), "VALID"),
        (len(found.invalid), "INVALID"),
        (len(found.met), met),
        (len(found.missed), missed),
        (len(found.ungraded), "not graded"),
    )
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing was judged"


def _folders(root: Path) -> Iterator[Path]:
    """Each once, also where a link leads to it a second time: by the name that is no link, if it has one."""
    places = [
        record.parent
        for depth in range(DEPTH + 1)
        for record in root.glob("/".join(["*"] * depth + [RunFolder(root).result.name]))
    ]
    known = {os.path.realpath(place): place for place in sorted(places, key=_is_linked, reverse=True)}
    yield from known.values()


def _is_linked(place: Path) -> bool:
    return os.path.realpath(place) != str(place.absolute())


def _read(folder: Path) -> PastRun:
    try:
        return PastRun(folder, result.read(folder))
    except ArtifactError as error:
        return PastRun(folder, None, error.message)


def _started(past: PastRun) -> str:
    return past.result.started_at if past.result else ""
