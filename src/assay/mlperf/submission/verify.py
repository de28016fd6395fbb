"""A run folder held against its own record: a submission is made of the logs, and result.json must agree with them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from assay.config import Mode
from assay.ground import files
from assay.ground.errors import ArtifactError
from assay.mlperf import logs
from assay.mlperf.logs import names as log_names
from assay.mlperf.logs.accuracy_text import SCORE_ROUNDING, scores
from assay.mlperf.record.figures import figures
from assay.mlperf.record.result import Figure, ModeResult
from assay.mlperf.submission.source import FinishedRun
from assay.mlperf.submission.tree import ACCURACY_REQUIRED, PERFORMANCE_REQUIRED

HINT = "submit the run folder as the run left it, or run again"


def verify(run: FinishedRun, record: ModeResult) -> None:
    """Hold one LoadGen run of a run folder against its logs: their digests, then every figure and score.

    Raises: ArtifactError naming the file and the figure that differ.
    """
    _digests(run, record)
    place = f"{record.folder}/{logs.DETAIL_FILE}"
    logged = logs.read_record(run.folder.path / record.folder)
    said, measured = _values(record.figures), _values(figures(logged, record.samples, place))
    if record.mode is Mode.PERFORMANCE:
        said["validity"], measured["validity"] = record.validity, logged.validity
    if logged.samples is not None:
        said["samples"], measured["samples"] = record.samples, logged.samples
    for name in sorted(said.keys() | measured.keys()):
        if said.get(name) != measured.get(name):
            raise _differs(run, name, said.get(name), place, measured.get(name))
    _scores(run, record)


def _values(found: Iterable[Figure]) -> dict[str, object]:
    return {figure.metric: figure.value for figure in found}


def _digests(run: FinishedRun, record: ModeResult) -> None:
    """The files that a submission takes are those that the run listed."""
    names = PERFORMANCE_REQUIRED if record.mode is Mode.PERFORMANCE else ACCURACY_REQUIRED
    places = [
        run.folder.place(run.folder.user_conf(record.scenario)),
        *(f"{record.folder}/{name}" for name in names),
    ]
    for place in places:
        path, listed = run.folder.path / place, run.result.files.get(place)
        if not path.resolve().is_relative_to(run.folder.path.resolve()):
            raise ArtifactError(f"{run.folder.result} names {place}, which lies outside of the folder", HINT)
        if path.is_file() and listed is None:
            raise ArtifactError(f"{run.folder.result} lists no SHA-256 of {place}", HINT)
        if listed is not None and not path.is_file():
            raise ArtifactError(f"{path} is gone: the run wrote it", HINT)
        if listed is not None and files.sha256(path) != listed:
            raise ArtifactError(f"{path} is not the file that the run wrote: its SHA-256 differs", HINT)


def _scores(run: FinishedRun, record: ModeResult) -> None:
    place = f"{record.folder}/{log_names.ACCURACY_TEXT}"
    path = run.folder.path / place
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for score in record.scores:
        found = scores(text, score.metric)
        if score.value is not None and not (
            found and math.isclose(score.value, found[-1], rel_tol=0, abs_tol=SCORE_ROUNDING)
        ):
            raise _differs(run, score.metric, score.value, place, found[-1] if found else None)


def _differs(run: FinishedRun, name: str, said: object, place: str, measured: object) -> ArtifactError:
    words = ["nothing" if value is None else str(value) for value in (said, measured)]
    return ArtifactError(
        f"{run.folder.result} says {words[0]} for {name}, its log {place} says {words[1]}", HINT
    )
