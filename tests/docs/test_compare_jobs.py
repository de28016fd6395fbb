"""The jobs of docs/guide/compare.md: their lines of Assay run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.mlperf.record.result import Figure, RunResult
from tests import fakes
from tests.docs import pages

yaml = pytest.importorskip("yaml")
SOURCES = Path(assay.__file__).parent


def blocks() -> tuple[pages.Block, ...]:
    (page,) = (page for page in pages.all_pages() if page.name == "compare.md")
    return page.blocks


def jobs() -> tuple[dict[str, Any], dict[str, Any]]:
    """Of GitHub Actions, and of GitLab CI."""
    github, gitlab = (yaml.safe_load(block.text) for block in blocks() if block.language == "yaml")
    return github["jobs"]["benchmark"], gitlab["benchmark"]


def lines() -> dict[str, list[str]]:
    """The shell lines of each job."""
    github, gitlab = jobs()
    steps = [line for step in github["steps"] for line in step.get("run", "").splitlines()]
    return {"github": steps, "gitlab": gitlab["script"]}


def made(tokens_per_s: float) -> RunResult:
    """With the metrics that the gates name."""
    figure = Figure("tokens_per_s", tokens_per_s, "tokens/s", 10, "log")
    return fakes.result(
        fakes.performance(figures=(figure,)), fakes.accuracy(fakes.scored("gsm8k", 98.0, low=95.0))
    )


@pytest.mark.parametrize(("place", "said"), [("github", "summary.md"), ("gitlab", "comparison.md")])
@pytest.mark.parametrize(("rate", "code"), [(100.0, 0), (40.0, 1)])
def test_the_line_that_compares_runs_as_it_stands(
    tmp_path: Path, place: str, said: str, rate: float, code: int
) -> None:
    (line,) = (line for line in lines()[place] if "assay compare" in line)
    for name, value in (("baseline", 100.0), ("run", rate)):
        (tmp_path / name).mkdir()
        made(value).write(tmp_path / name)
    program = f'assay() {{ "{sys.executable}" -m assay "$@"; }}\n{line}'
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": "summary.md"}
    assert subprocess.run(["bash", "-ec", program], cwd=tmp_path, env=environment).returncode == code
    assert "| tokens_per_s < 0.5x |" in (tmp_path / said).read_text()


def test_the_run_of_main_becomes_the_baseline(tmp_path: Path) -> None:
    for place, name in (("github", "mv run baseline"), ("gitlab", "cp -r run baseline")):
        (line,) = (line for line in lines()[place] if name in line)
        for folder, text in (("baseline", "old"), ("run", "new")):
            (tmp_path / place / folder).mkdir(parents=True)
            (tmp_path / place / folder / "result.json").write_text(text)
        branch = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
        subprocess.run(["bash", "-ec", line], cwd=tmp_path / place, env={**os.environ, **branch}, check=True)
        assert (tmp_path / place / "baseline/result.json").read_text() == "new"


def test_both_jobs_ask_for_the_same_benchmark_with_options_that_there_are() -> None:
    asked = {place: [line for line in found if "assay bench" in line] for place, found in lines().items()}
    assert asked["github"] == asked["gitlab"] == ["assay bench --gate --out run"]
    shown = subprocess.run(
        [sys.executable, "-m", "assay", "bench", "--help"], check=True, capture_output=True, text=True
    ).stdout
    assert "--gate" in shown and "--out" in shown


def test_both_jobs_install_by_one_file_and_the_packages_of_node_are_where_it_copies_them_from() -> None:
    (script,) = (block for block in blocks() if block.language == "sh")
    assert all(f"bash {script.file}" in found for found in lines().values())
    (line,) = (line for line in script.text.splitlines() if line.startswith("cp "))
    below = line.split('"')[2].split()[0]
    names = sorted(place.name for place in SOURCES.glob(below.lstrip("/")))
    assert names == ["package-lock.json", "package.json"]
