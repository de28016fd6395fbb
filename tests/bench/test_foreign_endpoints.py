"""Records of MLPerf Endpoints: those that it writes itself, and those that a run of ours becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.bench import foreign_endpoints, foreign_tools
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf.record import result
from tests.mlperf.submission import test_artefacts as submitted

SERIES = {"total": 9e9, "min": 1e6, "max": 4e7, "median": 2e7, "avg": 2.5e7, "std_dev": 3.0}
SUMMARY: dict[str, Any] = {
    "version": "0.9.1",
    "git_sha": "abc",
    "test_started_at": 0,
    "n_samples_issued": 40,
    "n_samples_completed": 38,
    "n_samples_failed": 2,
    "duration_ns": 4_000_000_000,
    "state": "complete",
    "qps": 9.5,
    "tps": None,
    "ttft": {**SERIES, "percentiles": {"50": 2e7, "99.9": 3.9e7}},
    "latency": {**SERIES, "percentiles": {"99.0": 3e9}, "histogram": {"buckets": []}},
    "tpot": None,
}
"""Under the names of its report."""


def report(folder: Path, **changes: Any) -> Path:
    """A report folder as MLPerf Endpoints leaves it."""
    (folder / "performance").mkdir(parents=True)
    (folder / "accuracy").mkdir()
    file = folder / "performance" / "result_summary.json"
    file.write_text(json.dumps(SUMMARY | changes))
    (folder / "config.yaml").write_text(
        "type: online\nmodel_params: {name: org/model}\nsettings: {load_pattern: {type: poisson, target_qps: 10}}\n"
    )
    scored = {"dataset_name": "x", "score": 0.5, "total_samples": 38, "num_repeats": 1}
    (folder / "accuracy" / "accuracy_results.json").write_text(json.dumps({"accuracy_scores": [scored]}))
    return file


def test_figures_stand_as_its_report_has_them_in_ms(tmp_path: Path) -> None:
    report(tmp_path / "report")
    (found,) = foreign_tools.runs_in(tmp_path / "report")
    performance, accuracy = found.runs
    assert {f.metric: f.value for f in performance.figures} == {
        "samples_per_s": 9.5,
        "latency_min": 1.0,
        "latency_mean": 25.0,
        "latency_max": 40.0,
        "latency_p99": 3000.0,
        "ttft_min": 1.0,
        "ttft_mean": 25.0,
        "ttft_max": 40.0,
        "ttft_p50": 20.0,
        "ttft_p99.9": 39.0,
    }
    assert (found.tool, found.model, found.failed) == ("MLPerf Endpoints", "org/model", 2)
    assert (performance.scenario, performance.samples, performance.seconds) == (Scenario.SERVER, 38, 4.0)
    assert performance.effective == {"type": "poisson", "target_qps": 10}
    assert [(s.metric, s.value, s.n, s.unit) for s in accuracy.scores] == [("exact_match", 50.0, 38, "%")]
    assert set(found.sources) == {
        f"source/{n}" for n in ("result_summary.json", "config.yaml", "accuracy_results.json")
    }


def test_a_summary_is_known_by_its_names_and_not_by_that_of_its_file() -> None:
    assert foreign_endpoints.is_summary(SUMMARY)
    assert not foreign_endpoints.is_summary({"duration": 3, "n_samples_issued": 40})


def test_a_summary_alone_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "result_summary.json"
    file.write_text(json.dumps(SUMMARY | {"ttft": None}))
    (found,) = foreign_tools.runs(foreign_tools.read(file), file)
    assert [run.scenario for run in found.runs] == [Scenario.OFFLINE] and found.model == "unknown"


def test_what_submit_writes_of_a_run_comes_back(tmp_path: Path) -> None:
    made = result.read(submitted.run(tmp_path / "run"))
    submitted.tree(tmp_path / "run", tmp_path / "tree")
    found = {each.runs[0].scenario: each for each in foreign_tools.runs_in(tmp_path / "tree")}
    assert set(found) == {Scenario.OFFLINE, Scenario.SERVER, Scenario.INTERACTIVE}
    for scenario, back in found.items():
        performance, accuracy = back.runs
        own = made.find(scenario, Mode.PERFORMANCE)
        assert own is not None
        for metric in ("samples_per_s", "tokens_per_s"):
            mine, theirs = own.figure(metric), performance.figure(metric)
            assert (mine and mine.value) == (theirs and theirs.value), metric
        first = performance.figure("ttft_min")
        assert (first and first.value) == (300.0 if scenario.reports_first_tokens else None)
        scored = made.find(scenario, Mode.ACCURACY)
        assert scored is not None
        theirs_by_name = {each.metric: each.value for each in accuracy.scores}
        exact = next(each for each in scored.scores if each.metric == "exact_match")
        assert theirs_by_name["exact_match"] == pytest.approx(exact.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_ns": "long"},
        {"duration_ns": -1},
        {"n_samples_completed": 0},
        {"n_samples_completed": -2},
        {"n_samples_completed": [3]},
        {"qps": {}},
        {"ttft": [1]},
        {"ttft": {"percentiles": {"high": 1}}},
        {"latency": {"percentiles": {"99": "x"}}},
    ],
)
def test_a_summary_of_another_form_is_refused_by_name(tmp_path: Path, changes: dict[str, Any]) -> None:
    report(tmp_path / "r", **changes)
    with pytest.raises(ArtifactError, match=r"result_summary\.json is not what its tool writes"):
        foreign_tools.runs_in(tmp_path / "r")


@pytest.mark.parametrize(
    ("name", "text"), [("config.yaml", "a: [b"), ("accuracy/accuracy_results.json", "{")]
)
def test_damage_beside_a_summary_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    report(tmp_path / "r")
    (tmp_path / "r" / name).write_text(text)
    with pytest.raises(ArtifactError):
        foreign_tools.runs_in(tmp_path / "r")
