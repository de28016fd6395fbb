"""A server over the network, measured by LoadGen from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.config import Style
from assay.mlperf import workloads
from tests.endpoint.tiny_server import TinyServer
from tests.mock_server import mock


def reference(request: dict[str, Any]) -> list[int]:
    """The reference model's own answer; another one to what is no row of the dataset."""
    own = workloads.get("mixtral-nano").own_dataset
    assert own is not None
    answers = {sample.prompt_ids: sample.reference_ids for sample in own(Style.TEST).samples}
    return [*answers.get(tuple(request["prompt"]), (5, 6, 7)), 2]


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("cut", 4)])
def test_a_server_is_measured_and_one_that_breaks_off_is_invalid(
    tmp_path: Path, fault: str, code: int
) -> None:
    out = tmp_path / "run"
    with TinyServer(reference, fault, faulty_from=10) as server:
        words = [
            "mixtral-nano",
            "--sut",
            "endpoint",
            "--url",
            server.url,
            "--samples",
            "6",
            "--out",
            str(out),
        ]
        command = [sys.executable, "-m", "assay", "bench", *words, "--mode", "performance"]
        made = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert made.returncode == code, made.stderr
    result = json.loads((out / "result.json").read_text())
    (run,) = result["runs"]
    assert result["used"]["details"]["client"]["ceiling"]["answers_per_s"] > 0
    assert bool(run["faults"]) is bool(fault)
    assert (out / "submission.tar.gz").exists() is not bool(fault)


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay", "bench", "mixtral-nano", "--sut", "endpoint", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_without_exact_ids_a_run_says_how_fast_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with mock(api="openai") as server:
        words = ["--url", server.text, "--samples", "4", "--client-check", "0"]
        scored = bench(*words, "--mode", "accuracy", "--out", str(tmp_path / "none"))
        made = bench(*words, "--mode", "performance", "--out", str(out))
    assert scored.returncode == 2 and "an accuracy run needs exact token ids" in scored.stderr
    assert made.returncode == 0, made.stderr
    assert "VALID; performance only (tier C" in " ".join(made.stdout.partition("  result ")[2].split())
    assert "PERFORMANCE ONLY" in (out / "README.md").read_text()
    assert json.loads((out / "result.json").read_text())["used"]["performance_only"].startswith("tier C")
    assert not (out / "submission.tar.gz").exists()
    packed = subprocess.run(
        [
            sys.executable,
            "-m",
            "assay",
            "submit",
            str(out),
            "--submitter",
            "me",
            "--out",
            str(tmp_path / "tree"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert packed.returncode != 0 and "performance only" in packed.stderr
