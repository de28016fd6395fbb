"""What stands around the package agrees with it: CI, hooks, change log, the versions of Python."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MAKE = (ROOT / "Makefile").read_text(encoding="utf-8")


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def steps(job: str) -> list[str]:
    return [step["run"] for step in read(".github/workflows/ci.yml")["jobs"][job]["steps"] if "run" in step]


def test_ci_runs_what_a_change_must_pass_on_every_python_that_the_package_names() -> None:
    assert steps("check")[-1] == ".ci/run" and steps("package") == ["make dist"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert read(".github/workflows/ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def test_ci_fails_where_a_user_would_skip() -> None:
    last = read(".github/workflows/ci.yml")["jobs"]["check"]["steps"][-1]
    assert last["env"] == {"ASSAY_MUST_RUN": "1"}
    assert any("tools/system-packages.sh" in step for step in steps("check"))


def test_make_speed_names_scripts_that_need_no_argument() -> None:
    named = re.findall(r"^SPEED := (.+)$", MAKE, re.M)[0].split()
    assert len(named) > 3
    for name in named:
        for call in ast.walk(ast.parse((ROOT / f"benchmarks/{name}.py").read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "add_argument":
                words = {keyword.arg for keyword in call.keywords}
                assert "required" not in words, name
                assert ast.literal_eval(call.args[0]).startswith("-"), name


def test_the_version_stands_in_one_place_and_has_its_section_of_changes() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"] and "version" not in PROJECT["project"]
    sections = re.findall(r"^## (.+)$", CHANGES, re.M)
    assert sections[0] == "Unreleased" and sections[1].startswith(f"{__version__} - ")
    assert [section.split(" - ")[0] for section in sections[1:]] == sorted(
        (section.split(" - ")[0] for section in sections[1:]), reverse=True
    )


def test_hooks_are_the_tools_of_make_check() -> None:
    hooks = [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    used = {Path(shlex.split(hook["entry"])[0]).name for hook in hooks}
    assert used == {"ruff", "lint-imports", "mypy"}
    assert all(f"$(BIN)/{tool}" in MAKE for tool in used)


def test_templates_and_updates_are_yaml_with_what_their_host_wants() -> None:
    for name in ("fault", "wish"):
        template = read(f".github/ISSUE_TEMPLATE/{name}.yml")
        assert (
            template["name"] and template["description"] and all("type" in part for part in template["body"])
        )
    for update in read(".github/dependabot.yml")["updates"]:
        assert update["package-ecosystem"] and (ROOT / update["directory"].strip("/")).exists()


def test_every_target_that_is_named_to_contributors_is_a_target() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)", text))
    assert named and named <= set(re.findall(r"^([a-z-]+):", MAKE, re.M))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("target", "extras"), [("bench", ["engine"]), ("test", ["engine", "test"])])
def test_the_job_installs_what_it_needs_and_only_the_tests_what_they_need(
    target: str, extras: list[str]
) -> None:
    command = ["make", "--dry-run", "--always-make", target]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"-e '\.\[(\w+)\]'", printed) == extras
    assert printed.count("some minutes without a word") == len(extras)


def test_every_file_that_contributors_are_sent_to_is_there() -> None:
    for page in ("CONTRIBUTING.md", "SECURITY.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (ROOT / target).exists(), target


@pytest.mark.slow
def test_the_sdist_holds_every_file_of_the_repository(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    build = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=clone, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    kept = subprocess.run(["git", "ls-files"], cwd=clone, check=True, capture_output=True, text=True).stdout
    assert set(kept.splitlines()) - held == set()
