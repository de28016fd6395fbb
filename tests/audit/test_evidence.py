"""What lies beside a report is found in a run folder and in both layouts of a submission."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.audit import evidence
from assay.audit.evidence import Evidence
from assay.ground.errors import ArtifactError
from tests.audit.subjects import log

LINE = ':::MLLOG {"key": "result_tokens_per_second", "value": 12.5}\n'


def logs(place: Path) -> Path:
    for folder in ("performance/run_1", "accuracy"):
        (place / folder).mkdir(parents=True)
        (place / folder / "mlperf_log_detail.txt").write_text(LINE)
    (place / "accuracy" / "accuracy.txt").write_text("{'rouge1': 45.2}")
    (place / "accuracy" / "mlperf_log_accuracy.json").write_bytes(b"[]")
    return place


@pytest.mark.parametrize(
    ("report", "results"),
    [
        ("run/README.md", "run/Offline"),
        ("results/sys/mixtral-8x7b/Offline/README.md", "results/sys/mixtral-8x7b/Offline"),
        (
            "closed/me/measurements/sys/mixtral-8x7b/Offline/README.md",
            "closed/me/results/sys/mixtral-8x7b/Offline",
        ),
    ],
)
def test_the_logs_of_a_scenario_are_found(report: str, results: str, tmp_path: Path) -> None:
    logs(tmp_path / results)
    path = tmp_path / report
    path.parent.mkdir(parents=True, exist_ok=True)
    found = evidence.beside(path, "Offline")
    assert found.performance is not None and found.performance.number("result_tokens_per_second") == 12.5
    assert (found.score("rouge1"), found.answers) == (45.2, b"[]")


def test_one_log_is_enough_and_none_is_no_evidence(tmp_path: Path) -> None:
    assert evidence.beside(tmp_path / "README.md", None) == Evidence()
    logs(tmp_path)
    (tmp_path / "performance/run_1/mlperf_log_detail.txt").unlink()
    (tmp_path / "accuracy/accuracy.txt").unlink()
    found = evidence.beside(tmp_path / "README.md", "Server")
    assert found.performance is None and found.accuracy is not None
    assert (found.accuracy_text, found.score("rouge1")) == ("", None)


def test_a_pipe_in_place_of_a_log_holds_nothing_up(tmp_path: Path) -> None:
    logs(tmp_path)
    path = tmp_path / "performance/run_1/mlperf_log_detail.txt"
    path.unlink()
    os.mkfifo(path)
    assert evidence.beside(tmp_path / "README.md", None).performance is None


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({"effective_accuracy_sample_count": 20.0, "qsl_reported_total_count": 30.0}, 20),
        ({"effective_accuracy_sample_count": 0.0, "qsl_reported_total_count": 30.0}, 30),
        ({"qsl_reported_total_count": 30.0}, 30),
        ({"qsl_reported_total_count": 0.0}, None),
        ({"result_validity": "VALID"}, None),
    ],
)
def test_the_samples_of_an_accuracy_run_are_those_of_its_log(
    values: dict[str, float | str], count: int | None
) -> None:
    assert Evidence(accuracy=log(**values)).samples == count
    assert Evidence(performance=log(**values)).samples is None


def test_the_precision_of_a_submission_stands_in_its_measurement_file(tmp_path: Path) -> None:
    report = tmp_path / "README.md"
    assert evidence.loaded_precision(report) is None
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text(json.dumps({"weight_data_types": 5}))
    assert evidence.loaded_precision(report) is None
    (tmp_path / "c.json").write_text(json.dumps({"weight_data_types": "fp16"}))
    assert evidence.loaded_precision(report) == "fp16"


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", "{"), ("result.json", "{}"), ("a.json", "[" * 100_000)]
)
def test_a_broken_record_beside_a_report_is_an_error(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ArtifactError, match=name):
        evidence.loaded_precision(tmp_path / "README.md")
