"""The artefacts of MLPerf Endpoints that a run with LoadGen becomes, read back by the checker."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from assay.config import Mode, Scenario
from assay.ground.errors import ConfigError
from assay.mlperf.checker.check import Report, check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds import early_stopping
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run import requests
from assay.mlperf.submission import artefacts
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.write import write
from tests.mlperf import run_folder

ROUND = rounds.load("v6.1")
ROWS, TOKENS = 5000, 3886
EFFECTIVE = {
    "min_duration_ms": 600_000,
    "sample_index_rng_seed": ROUND.seeds.sample_index,
    "schedule_rng_seed": ROUND.seeds.schedule,
    "min_query_count": 4388,
    "target_qps": 20,
}


def rows_of(scenario: Scenario, mode: Mode, first_ms: float) -> pa.Table:
    """5,000 answers of 3,886 tokens, each begun after `first_ms` and 9 ms for each further token."""
    order = np.arange(ROWS)
    planned = np.zeros(ROWS, np.int64) if scenario is Scenario.OFFLINE else order * 50_000_000
    first = planned + int(first_ms * 1e6) + order  # a nanosecond later each, so that percentiles differ
    has_first = scenario.reports_first_tokens
    return pa.table(
        {
            "scenario": [scenario.value] * ROWS,
            "mode": [mode.value] * ROWS,
            "query": order.astype(np.int32),
            "sample_index": order.astype(np.int32),
            "subset": [""] * ROWS,
            "endpoint": pa.nulls(ROWS, pa.string()),
            "status": ["answered"] * ROWS,
            "verdict": pa.nulls(ROWS, pa.string()),
            "prompt_tokens": np.full(ROWS, 100, np.int32),
            "answer_tokens": np.full(ROWS, TOKENS, np.int32),
            "scheduled_ns": planned,
            "issued_ns": planned,
            "first_token_ns": first if has_first else pa.nulls(ROWS, pa.int64()),
            "end_ns": first + 9_000_000 * (TOKENS - 1),
        }
    )


def run(
    folder: Path, workload: str = "deepseek-r1", first_ms: Mapping[str, float] | None = None, **more: Any
) -> Path:
    scenarios = ("Offline", "Server", "Interactive")
    run_folder.write(folder, "v6.1", workload, scenarios, **more)
    made = result.read(folder)
    counts = {Mode.PERFORMANCE: ROWS, Mode.ACCURACY: 4388}
    runs = tuple(dataclasses.replace(r, effective=EFFECTIVE, samples=counts[r.mode]) for r in made.runs)
    requests.write(
        RunFolder(folder).requests,
        [rows_of(r.scenario, r.mode, (first_ms or {}).get(r.scenario.value, 300)) for r in runs],
    )
    figures = (
        dataclasses.replace(r, figures=tuple(dataclasses.replace(f, n=r.samples) for f in r.figures))
        for r in runs
    )
    dataclasses.replace(made, runs=tuple(figures)).write(folder)
    return folder


def tree(run_: Path, out: Path, **more: Any) -> Report:
    request = TreeRequest(
        "Tester", "closed", ROUND, lambda made, scenario: "# run\n", is_endpoints=True, **more
    )
    write([run_], request, out)
    return check(out, ROUND)


def codes(report: Report) -> list[str]:
    return sorted({f.code for f in report.findings if f.severity is Severity.ERROR})


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The logs here are written by hand and count other samples than the rows do."""
    monkeypatch.setattr("assay.mlperf.submission.write.verify", lambda run, record: None)


@pytest.mark.usefixtures("unverified")
def test_what_is_written_is_read_back_without_an_error(tmp_path: Path) -> None:
    report = tree(run(tmp_path / "run"), tmp_path / "tree")
    assert codes(report) == []
    rows = {row.scenario: row for row in report.rows}
    assert set(rows) == {"Offline", "Server", "Interactive"}
    assert {row.units for row in report.rows} == {"Tokens/s"}
    assert {row.result for row in report.rows} == {20 * 3886.2274}
    assert {row.accuracy for row in report.rows} == {"exact_match: 81.3582  tokens_per_sample: 3886.23"}


@pytest.mark.usefixtures("unverified")
def test_the_files_lie_where_the_checker_looks_and_no_log_of_loadgen_does(tmp_path: Path) -> None:
    tree(run(tmp_path / "run"), tmp_path / "tree")
    home = next((tmp_path / "tree" / "closed" / "Tester" / "results").glob("*/deepseek-r1/Server"))
    assert sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()) == [
        "README.md",
        "accuracy/accuracy_results.json",
        "audit/audit_consistency_output_test.json",
        "config.yaml",
        "measurements.json",
        "performance/result_summary.json",
    ]


@pytest.mark.usefixtures("unverified")
def test_a_late_run_is_found_late_by_the_limits_of_its_own_folder(tmp_path: Path) -> None:
    made = run(tmp_path / "run", first_ms={"Server": 1700, "Interactive": 1700})
    report = tree(made, tmp_path / "tree")
    late = [f for f in report.findings if f.code == "P12"]
    assert codes(report) == ["P12"]
    assert all("/Interactive/" in (f.path or "") for f in late)


@pytest.mark.usefixtures("unverified")
def test_a_score_near_zero_stays_near_zero(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    made = result.read(folder)
    poor = [
        dataclasses.replace(
            r,
            scores=tuple(
                dataclasses.replace(s, value=0.5) if s.metric == "exact_match" else s for s in r.scores
            ),
        )
        for r in made.runs
    ]
    dataclasses.replace(made, runs=tuple(poor)).write(folder)
    report = tree(folder, tmp_path / "tree")
    assert codes(report) == ["A1"]
    assert {row.accuracy for row in report.rows} == {"exact_match: 0.5  tokens_per_sample: 3886.23"}


@pytest.mark.usefixtures("unverified")
def test_a_run_without_its_rows_tells_no_latency(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    RunFolder(folder).requests.unlink()
    assert codes(tree(folder, tmp_path / "tree")) == ["P12"]


@pytest.mark.usefixtures("unverified")
def test_a_workload_that_may_not_be_run_so_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"llama2-70b-99\.9 in round v6\.1 may not hold artefacts"
    ) as caught:
        tree(run(tmp_path / "run", "llama2-70b-99.9"), tmp_path / "tree")
    assert "deepseek-r1" in caught.value.hint
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    ("count", "percentile", "discarded"),
    [(661, 99, None), (662, 99, 0), (63, 90, None), (64, 90, 0), (10**4, 90, None)],
)
def test_an_estimate_by_early_stopping_needs_as_many_queries_as_loadgen(
    count: int, percentile: float, discarded: int | None
) -> None:
    values = np.arange(count, dtype=np.int64)
    found = artefacts.estimate(values, percentile)
    if count == 10**4:
        over = early_stopping.allowed_over(count, percentile / 100)
        assert over is not None
        assert found == count - over > count * 0.9 - 1
    else:
        assert found == (None if discarded is None else count - 1)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        (run_folder.verdict(), True),
        (run_folder.verdict().replace("complete", "failed"), False),
        ("", False),
    ],
)
@pytest.mark.usefixtures("unverified")
def test_an_audit_passed_only_when_its_verdict_says_so(tmp_path: Path, text: str, passed: bool) -> None:
    folder = run(tmp_path / "run")
    (folder / "Server" / "compliance" / "TEST06" / "verify_accuracy.txt").write_text(text)
    report = tree(folder, tmp_path / "tree")
    assert codes(report) == ([] if passed else ["E5"])
    told = next((tmp_path / "tree").rglob("Server/audit/*.json"))
    assert json.loads(told.read_text())["passed"] is passed


@pytest.mark.usefixtures("unverified")
def test_the_configuration_says_what_loadgen_ran_with(tmp_path: Path) -> None:
    tree(run(tmp_path / "run"), tmp_path / "tree")
    found = {
        path.parent.name: yaml.safe_load(path.read_text())
        for path in (tmp_path / "tree").rglob("config.yaml")
    }
    assert {name: each["type"] for name, each in found.items()} == {
        "Offline": "offline",
        "Server": "online",
        "Interactive": "online",
    }
    runtime = found["Server"]["settings"]["runtime"]
    assert runtime["scheduler_random_seed"] == ROUND.seeds.schedule
    assert runtime["dataloader_random_seed"] == ROUND.seeds.sample_index
    assert found["Offline"]["model_params"]["streaming"] == "off"
