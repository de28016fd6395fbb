"""A SUT that another package brings, as docs/extending.md shows it: the example itself is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import assay as tested

SOURCE = Path(tested.__file__).parents[1]
"""Of the package that is tested: another one may be installed."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "extending.md"
ENTRY_POINTS = """[assay.suts]
parrot = parrot:KIND
"""


def block(language: str) -> str:
    """The first block of a language in the section on SUTs."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## A SUT of your own")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def install(site: Path, name: str, code: str, entry_points: str) -> None:
    """As pip leaves a package: its module, and its metadata beside it."""
    (site / f"{name}.py").write_text(code)
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder, "parrot", block("python"), ENTRY_POINTS)
    install(folder, "torn", "import no_such_thing\n", "[assay.suts]\ntorn = torn:KIND\n")
    install(folder, "echoes", "KIND = 3\n", "[assay.suts]\necho = echoes:KIND\nhollow = echoes\n")
    return folder


def assay(site: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{SOURCE}", "COLUMNS": "200"}
    command = [sys.executable, "-m", "assay", *words]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def options_of(folder: Path, file: str) -> tuple[dict[str, Any], dict[str, str]]:
    tree = json.loads((folder / file).read_text())
    config = tree.get("asked", tree)
    origin = {name: where for name, where in config["origin"].items() if name.startswith("sut_options.")}
    return config["sut_options"], origin


def test_the_example_declares_the_entry_point_that_is_installed_here() -> None:
    declared = block("toml").partition('"assay.suts"]\n')[2].splitlines()[0]
    assert declared.replace('"', "") in ENTRY_POINTS


@pytest.mark.usefixtures("loadgen")
def test_a_sut_of_another_package_runs_to_report_tree_and_check(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = assay(
        site,
        "bench",
        "mixtral-nano",
        "--sut",
        "parrot",
        "--part",
        "first",
        "--samples",
        "6",
        "--out",
        str(out),
    )
    assert done.returncode == 0, done.stderr
    assert "parrot 1.0" in (out / "README.md").read_text()
    assert "example tree only" in done.stdout
    assert any((out / "submission").rglob("mlperf_log_summary.txt"))
    made = json.loads((out / "result.json").read_text())
    assert made["status"] == "COMPLETE" and not made["is_fake"]
    assert made["used"]["details"] == {"part": "first", "length": 8}
    assert "--part first" in " ".join(made["command"]) and "--length" not in made["command"]
    asked = (
        {"part": "first", "length": 8},
        {"sut_options.part": "flag --part", "sut_options.length": "default"},
    )
    assert options_of(out, "config.json") == asked == options_of(out, "result.json")

    (tmp_path / "run.yaml").write_text(block("yaml") + "modes: performance\nlimits: {samples: 6}\n")
    again = tmp_path / "again"
    done = assay(site, "bench", "--config", str(tmp_path / "run.yaml"), "--no-submit", "--out", str(again))
    assert done.returncode == 0, done.stderr
    origin = {"sut_options.part": "run.yaml", "sut_options.length": "run.yaml"}
    assert options_of(again, "result.json") == ({"part": "first", "length": 4}, origin)


def test_its_options_are_listed_under_its_name_and_broken_packages_are_named(site: Path) -> None:
    shown = assay(site, "bench", "--sut", "parrot", "--help").stdout
    group = shown.partition("options of --sut parrot:\n")[2]
    assert "answers with tokens of the prompt" in group
    assert "--part {first,last}" in group and "(default: last)" in group and "--length N" in group
    listed = assay(site, "list")
    assert listed.returncode == 0
    assert "--sut parrot" in listed.stdout and "--sut engine" in listed.stdout
    assert "SUT 'torn' of package torn cannot be used: ModuleNotFoundError: " in listed.stdout
    assert "SUT 'echo' of package echoes cannot be used" in listed.stdout
    assert "SUT 'hollow' of package echoes cannot be used" in listed.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sut", "parrot", "--part", "frist"), "did you mean first?"),
        (("--sut", "parrot", "--length", "1"), "a whole number from 2 to 64"),
        (("--sut", "parrot", "--pace", "3"), "--pace belongs to the echo SUT, not to parrot"),
        (("--sut", "engine", "--length", "4"), "--length belongs to the parrot SUT, not to engine"),
        (("--sut", "parot"), "did you mean parrot?"),
        (("--sut", "torn"), "SUT 'torn' of package torn cannot be used"),
    ],
)
def test_what_is_wrong_is_refused_with_the_right_word(site: Path, words: tuple[str, ...], said: str) -> None:
    done = assay(site, "plan", "mixtral-nano", *words)
    assert done.returncode in (2, 3)
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_plan_says_what_the_sut_does_not_know(site: Path) -> None:
    done = assay(site, "plan", "mixtral-nano", "--sut", "parrot")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the memory of the parrot SUT is not known" in done.stdout
    assert "how fast the parrot SUT answers is not known" in done.stdout
