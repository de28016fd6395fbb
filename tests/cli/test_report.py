"""`assay report`: a run folder shown again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from tests import fakes
from tests.report import rows


def test_a_run_is_shown_again_with_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, target = RunFolder(tmp_path), tmp_path / "page.html"
    fakes.result().write(tmp_path)
    requests.write(run.requests, [rows.table()])
    assert main(["report", str(tmp_path), "--html", str(target)]) == 0
    said = capsys.readouterr().out
    assert "Offline performance: 10 samples" in said and "1 target met, Offline VALID" in said
    assert run.readme.read_text().startswith("# mixtral-8x7b, round v5.1")
    assert "<svg" in target.read_text()


def test_damaged_requests_cost_the_plots_and_not_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.result().write(tmp_path)
    RunFolder(tmp_path).requests.write_bytes(b"PAR1")
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 0
    assert "no plots" in capsys.readouterr().err
    assert "is no table of requests" in (tmp_path / "page.html").read_text()


def test_what_is_no_run_folder_is_an_error_that_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 3
    assert "no result.json" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists() and not RunFolder(tmp_path).readme.exists()


def test_a_readme_that_is_the_same_is_left_alone(tmp_path: Path) -> None:
    fakes.result().write(tmp_path)
    main(["report", str(tmp_path)])
    readme = RunFolder(tmp_path).readme
    before = readme.stat().st_ino
    main(["report", str(tmp_path)])
    assert readme.stat().st_ino == before


def test_a_record_of_schema_1_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = fakes.result().to_dict() | {"schema_version": 1, "model": {}}
    record["used"] = {**record["used"], "details": {"notes": ["slow kernels"]}}
    del record["used"]["notes"]
    RunFolder(tmp_path).result.write_text(json.dumps(record))
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 0
    assert (
        "slow kernels" in capsys.readouterr().out and "slow kernels" in (tmp_path / "page.html").read_text()
    )
