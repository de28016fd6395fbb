"""A run folder is held against its own record, file by file and figure by figure."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.config import Mode
from assay.ground.errors import ArtifactError
from assay.mlperf.record import result as results
from assay.mlperf.record.result import Figure, ModeResult, RunValidity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.submission.source import FinishedRun
from assay.mlperf.submission.verify import verify
from tests.mlperf import run_folder


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    folder = run_folder.write(tmp_path / "run", scenarios=("Offline",))
    return FinishedRun(RunFolder(folder), results.read(folder))


def record(run: FinishedRun, mode: Mode) -> ModeResult:
    return next(each for each in run.result.runs if each.mode is mode)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_run_folder_as_the_run_left_it_agrees(run: FinishedRun, mode: Mode) -> None:
    verify(run, record(run, mode))


@pytest.mark.parametrize(
    "place",
    [
        "Offline/user.conf",
        "Offline/performance/run_1/mlperf_log_detail.txt",
        "Offline/performance/run_1/mlperf_log_summary.txt",
    ],
)
def test_a_changed_or_missing_file_is_named(run: FinishedRun, place: str) -> None:
    path = run.folder.path / place
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ArtifactError, match=f"{place} is not the file that the run wrote"):
        verify(run, record(run, Mode.PERFORMANCE))
    path.unlink()
    with pytest.raises(ArtifactError, match=f"{place} is gone"):
        verify(run, record(run, Mode.PERFORMANCE))


def test_a_file_that_the_record_does_not_list_is_refused(run: FinishedRun) -> None:
    files = {name: digest for name, digest in run.result.files.items() if not name.endswith("user.conf")}
    unlisted = FinishedRun(run.folder, dataclasses.replace(run.result, files=files))
    with pytest.raises(ArtifactError, match=r"lists no SHA-256 of Offline/user\.conf"):
        verify(unlisted, record(run, Mode.PERFORMANCE))


def test_a_record_that_leads_out_of_the_folder_is_refused(run: FinishedRun) -> None:
    outside = dataclasses.replace(record(run, Mode.PERFORMANCE), folder="../elsewhere")
    with pytest.raises(ArtifactError, match="lies outside of the folder"):
        verify(run, outside)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"validity": RunValidity.INVALID}, "says INVALID for validity, its log .*detail.txt says VALID"),
        ({"figures": ()}, "says nothing for samples_per_s, its log .* says 20"),
    ],
)
def test_what_the_record_says_other_than_the_log_is_named(
    run: FinishedRun, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArtifactError, match=words):
        verify(run, dataclasses.replace(record(run, Mode.PERFORMANCE), **changes))


def test_each_figure_is_held_against_the_log(run: FinishedRun) -> None:
    right = record(run, Mode.PERFORMANCE)
    assert len(right.figures) >= 2
    for place, figure in enumerate(right.figures):
        wrong = dataclasses.replace(figure, value=figure.value * 1.001)
        figures = (*right.figures[:place], wrong, *right.figures[place + 1 :])
        with pytest.raises(ArtifactError, match=f"for {figure.metric}, its log"):
            verify(run, dataclasses.replace(right, figures=figures))
    invented = Figure("ttft_p99", 1.0, "ms", 1, "x")
    with pytest.raises(ArtifactError, match=r"says 1\.0 for ttft_p99, its log .* says nothing"):
        verify(run, dataclasses.replace(right, figures=(*right.figures, invented)))


@pytest.mark.parametrize(("change", "is_refused"), [(0.0, False), (4e-5, False), (1e-4, True), (-1.0, True)])
def test_a_score_is_that_of_accuracy_txt_but_for_its_rounding(
    run: FinishedRun, change: float, is_refused: bool
) -> None:
    right = record(run, Mode.ACCURACY)
    place = next(n for n, score in enumerate(right.scores) if score.value is not None)
    score = right.scores[place]
    assert score.value is not None
    scores = (
        *right.scores[:place],
        dataclasses.replace(score, value=score.value + change),
        *right.scores[place + 1 :],
    )
    changed = dataclasses.replace(right, scores=scores)
    if is_refused:
        with pytest.raises(ArtifactError, match=rf"for {score.metric}, its log .*accuracy\.txt"):
            verify(run, changed)
    else:
        verify(run, changed)


def test_a_score_that_was_not_measured_asks_for_nothing(run: FinishedRun) -> None:
    right = record(run, Mode.ACCURACY)
    scores = tuple(dataclasses.replace(score, value=None) for score in right.scores)
    verify(run, dataclasses.replace(right, scores=scores))
