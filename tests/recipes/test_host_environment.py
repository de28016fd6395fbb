"""What hooks and native scripts start from: our helpers in front, sudo and the user's Python away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.errors import RecipeFault
from assay.recipes.home.repositories import Home
from assay.recipes.run.host_environment import LAUNCHERS, host_environment


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", CM)


def made(home: Home, allow_sudo: bool = True, **env: str) -> dict[str, str]:
    return host_environment(home, env, allow_sudo=allow_sudo, own_python=False)


def test_our_folders_stand_in_front_and_the_users_path_behind(home: Home) -> None:
    env = made(home, PATH="/usr/bin", PYTHONPATH="/mine", OTHER="kept")
    assert env["PATH"].endswith(f"{os.pathsep}/usr/bin")
    assert env["PYTHONPATH"].endswith(f"{os.pathsep}/mine")
    assert env["OTHER"] == "kept"
    assert (env["ASSAY_PYTHON"], env["ASSAY_DIALECT"], env["CM_REPOS"]) == (
        sys.executable,
        "cm",
        str(home.root),
    )


def test_without_a_path_the_systems_own_is_behind(home: Home) -> None:
    assert made(home)["PATH"].endswith(os.defpath)


def test_the_repositories_are_named_in_the_words_of_the_tool(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", MLC)
    env = made(home)
    assert env["MLC_REPOS"] == str(home.root) and "CM_REPOS" not in env


@pytest.mark.parametrize("allow_sudo", [True, False])
def test_sudo_is_ours_unless_it_is_allowed(allow_sudo: bool, home: Home) -> None:
    first = Path(made(home, allow_sudo, PATH="/usr/bin")["PATH"].split(os.pathsep)[0])
    assert (first / "sudo").exists() is not allow_sudo


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_script_that_calls_the_tool_comes_back_here(name: str, home: Home) -> None:
    made(home)
    launcher = home.work / "bin" / name
    assert os.access(launcher, os.X_OK)
    assert LAUNCHERS[name].strip() in launcher.read_text()
    assert "-m assay" in launcher.read_text()


def test_a_launcher_that_is_there_is_left_alone_and_a_changed_one_is_put_right(home: Home) -> None:
    made(home)
    launcher = home.work / "bin" / "cm"
    before = launcher.stat().st_ino
    made(home)
    assert launcher.stat().st_ino == before
    launcher.write_text("broken")
    made(home)
    assert "-m assay" in launcher.read_text()
    assert [path.name for path in launcher.parent.iterdir() if path.name.startswith(".")] == []


def test_a_launcher_leads_to_this_program(home: Home) -> None:
    env = made(home, PATH=os.environ["PATH"], HOME=os.environ["HOME"])
    done = subprocess.run(["mlc", "uid"], env=env, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()[-1]) == 16


def test_a_python_environment_that_cannot_be_made_leaves_nothing(home: Home, tmp_path: Path) -> None:
    """`python3 -m venv` ends with 1 after it has begun: here as where python3-venv is not installed."""
    broken = tmp_path / "bin" / "python3"
    broken.parent.mkdir()
    broken.write_text(
        '#!/bin/sh\nfor last; do :; done\nmkdir -p "$last/bin"\necho no ensurepip >&2\nexit 1\n'
    )
    broken.chmod(0o755)
    with pytest.raises(RecipeFault, match="cannot make a Python environment for recipes: no ensurepip"):
        host_environment(home, {"PATH": f"{broken.parent}:/usr/bin:/bin"}, allow_sudo=True, own_python=True)
    assert not [path.name for path in home.root.iterdir() if "python" in path.name]
