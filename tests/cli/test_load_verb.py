"""`assay load` as it is typed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.cli import guard, main
from assay.cli.load import render
from assay.endpoint.load import record
from assay.endpoint.load.record import LevelRecord, LevelStatus
from tests.endpoint.load.test_record import LEVELS, made
from tests.mock_server import mock

QUICK = ["--concurrency", "2", "--duration", "200ms", "--samples", "4"]


def test_a_load_prints_its_levels_its_record_and_writes_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "out", tmp_path / "page.html"
    with mock(ttft_ms=5, tokens=4) as server:
        command = ["load", "mixtral-nano", "--url", server.text, *QUICK, "--out", str(out)]
        assert main([*command, "--goodput", "ttft:9s", "--html", str(page)]) == 0
        said = capsys.readouterr().out
        assert re.search(r"concurrency 2 \*  +\d", said) and "tier A" in said and "good/s" in said
        assert "4 from the embedded default set of mixtral-nano" in said and str(out / record.FILE) in said
        assert page.read_text().startswith("<!DOCTYPE html>")
        assert main([*command, "--goodput", "ttft:9s", "--json"]) == 0  # nothing is left to be done
    assert json.loads(capsys.readouterr().out)["status"] == "COMPLETE"


def test_a_level_without_figures_says_why_in_the_table() -> None:
    worse = made().with_level(1, LevelRecord(LEVELS[1], LevelStatus.FAILED, "the server is gone"))
    said = render(worse, "x/load.json")
    assert re.search("2.5 requests/s +FAILED: the server is gone\n", said)
    assert "concurrency 1: failed 1 CUT" in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--concurrency", "0"], "--concurrency"),
        (["--duration", "0s"], "--duration"),
        (["--duration", "soon"], "--duration"),
        (["--goodput", "speed:1"], "--goodput"),
        (["--timeout", "nan"], "--timeout"),
        (["--samples", "0"], "--samples"),
        (["--answer-tokens", "-1"], "--answer-tokens"),
        (["--api-key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE"),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(
    options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "mixtral-nano", "--url", "http://127.0.0.1:9", *options]) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "is_ours"),
    [
        (["load"], True),
        (["load", "mixtral-nano"], True),
        (["load", "mixtral-nan", "--url=http://a"], True),
        (["load", "script", "detect-os"], False),
        (["search", "script"], False),
    ],
)
def test_load_is_ours_where_a_server_is_meant_and_cms_elsewhere(words: list[str], is_ours: bool) -> None:
    assert guard.is_ours(words) is is_ours


def test_ctrl_c_keeps_the_finished_levels_and_marks_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from assay.cli import entry; entry()", "load", "mixtral-nano"]
    with mock(ttft_ms=5, tokens=4) as server:
        options = ["--url", server.text, "--rate", "50,60", "--samples", "4", "--out", str(out)]
        with subprocess.Popen(
            [*command, *options, "--duration", "1s"], stderr=subprocess.PIPE, text=True, env=environment
        ) as load:
            assert load.stderr is not None and load.stderr.readline().startswith("50 requests/s")
            load.send_signal(signal.SIGINT)
            rest = load.stderr.read()
            assert load.wait(20) == 130, rest
    assert "1 of 2 levels" in rest and f"--out {out} goes on" in rest
    kept = record.read(out)
    assert kept is not None
    assert [each.status.value for each in kept.levels] == ["COMPLETE", "INTERRUPTED"]
