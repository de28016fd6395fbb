"""Our own recipes as the CM verbs have them: what they say, what they hand back, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.bench import pipeline
from assay.bench.running import Reporter
from assay.bench.submit import PackedTree, Submitted
from assay.cli import builtins, cm
from assay.config import Delivery, Request
from assay.doors import builtin as doors
from assay.doors.builtin.call import Delivered
from assay.ground.errors import ConfigError, EnvironmentProblem, RunFailed
from assay.ground.hub import Hub
from assay.mlperf.checker.check import Report
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.record.result import RunValidity
from assay.report import outcome
from tests import fakes
from tests.bench import echo_job

Deliver = Any


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """What the recipes call to have a request run; the pipeline behind it is each test's."""
    taken: list[Deliver] = []
    monkeypatch.setattr(doors, "registered", lambda deliver, say, environ: taken.append(deliver) or [])
    builtins.builtins({})
    return taken[0]


@pytest.mark.parametrize(("value", "are_off"), [("0", True), ("Off", True), ("", False), ("1", False)])
def test_our_own_recipes_are_turned_off_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str, are_off: bool
) -> None:
    monkeypatch.setenv("ASSAY_BUILTIN", value)
    assert (cm.own_recipes() == []) is are_off


def test_a_value_that_is_neither_on_nor_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_BUILTIN", "O")
    with pytest.raises(ConfigError, match="ASSAY_BUILTIN is 'O'"):
        cm.own_recipes()


def runs(
    monkeypatch: pytest.MonkeyPatch, folder: Path, submitted: Submitted | None = None, **changes: Any
) -> None:
    """A pipeline that says a word, tells a result and is done."""
    made = fakes.result(**changes)
    done = pipeline.FinishedBenchmark(made, folder, outcome.of(made), submitted)

    def run(request: Request, hub: Hub, reporter: Reporter) -> pipeline.FinishedBenchmark:
        reporter.on_start(request)
        reporter.say("loading the model")
        reporter.on_result(made)
        return done

    monkeypatch.setattr(pipeline, "run", run)


def test_a_run_is_told_as_a_log_and_its_folder_handed_back(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(monkeypatch, tmp_path)
    assert deliver(echo_job.request(tmp_path), Hub()) == Delivered(tmp_path, None, None)
    said = capsys.readouterr()
    assert said.out == ""
    places = [
        said.err.index(words) for words in ("asked:", "loading the model", "mixtral-8x7b", "  result   ")
    ]
    assert places == sorted(places)


def test_tree_archive_and_findings_are_told_and_handed_back(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = (
        Finding("S1", Severity.ERROR, "closed/T", "is wrong", "", "", "", ""),
        Finding("S2", Severity.WARNING, "", "is odd", "", "", "", ""),
    )
    tree, archive = tmp_path / "tree", PackedTree(tmp_path / "tree.tar.gz", "0123")
    submitted = Submitted(tree, archive, Report("v5.1", findings, (), 1))
    runs(monkeypatch, tmp_path, submitted)
    asked = echo_job.request(tmp_path, Delivery(full=False))
    assert deliver(asked, Hub()) == Delivered(tmp_path, tree, archive.path)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-5:] == [
        f"submission tree {tree}",
        f"packed {archive.path}, sha256 0123",
        "error S1 closed/T: is wrong",
        "warning S2 .: is odd",
        "checked by round v5.1: 1 error, 1 warning",
    ]


def test_what_was_not_asked_for_is_neither_told_nor_handed_back(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(monkeypatch, tmp_path, Submitted(tmp_path / "tree", None, None))
    assert deliver(echo_job.request(tmp_path), Hub()) == Delivered(tmp_path, tmp_path / "tree", None)
    err = capsys.readouterr().err
    assert "submission tree" in err and "packed" not in err and "checked by" not in err


def test_what_the_result_fails_for_is_raised(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = fakes.performance(validity=RunValidity.INVALID, invalid_because=("too short",))
    made = fakes.result(bad, fakes.accuracy())
    runs(monkeypatch, tmp_path, runs=made.runs)
    lenient = echo_job.request(tmp_path)
    assert deliver(lenient, Hub()).folder == tmp_path
    with pytest.raises(RunFailed, match="LoadGen refuses the run"):
        deliver(echo_job.request(tmp_path, Delivery(refuse_invalid=True)), Hub())
    report = Report("v5.1", (Finding("S1", Severity.ERROR, "", "is wrong", "", "", "", ""),), (), 1)
    runs(monkeypatch, tmp_path, Submitted(tmp_path / "tree", None, report))
    with pytest.raises(RunFailed, match="has 1 error in round"):
        deliver(lenient, Hub())


def test_a_pipeline_that_fails_is_not_caught(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Request, hub: Hub, reporter: Reporter) -> None:
        raise EnvironmentProblem("no disk", "buy one")

    monkeypatch.setattr(pipeline, "run", run)
    with pytest.raises(EnvironmentProblem, match="no disk"):
        deliver(echo_job.request(tmp_path), Hub())


def test_the_recipes_are_those_of_the_door() -> None:
    found = builtins.builtins({})
    assert {"run_mlperf_inference", "app_mlperf_inference", "detect_os"} <= {one.alias for one in found}
    assert all((one.folder / "meta.yaml").is_file() for one in found)
