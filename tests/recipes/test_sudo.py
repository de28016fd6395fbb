"""What stands in for sudo takes the options and assignments that sudo takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from assay.recipes.contract.sudo import SUDO

from .conftest import Kit

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="the stand-in for sudo runs commands for root alone"
)

SUDO_LINES = {
    "A=1 B='x y' sh -c 'echo \"$A-$B\"'": "1-x y",
    "-E -n -- echo a": "a",
    "-nE A=1 -u root B=2 sh -c 'echo $A$B'": "12",
    "-uroot echo a": "a",
    "--user=root --preserve-env=A echo a": "a",
    "--user root -S -k -p '' echo a": "a",
    "-u nobody id -un": "nobody",
    "-u nobody A=1 sh -c 'echo $(id -un)$A'": "nobody1",
    "-u '#0' id -un": "root",
    "-H sh -c 'echo $HOME'": "/root",
    "-D / pwd": "/",
    "-s echo 'a  b' '$HOME'": "a  b $HOME",
    "-i pwd": "/root",
    "/usr/bin/env A=1 sh -c 'echo $A'": "1",
    "-v && sudo -k && sudo -n true && echo a": "a",
}


@pytest.mark.parametrize("line", SUDO_LINES)
def test_root_in_a_recipe_is_served_as_by_sudo_itself(tmp_path: Path, line: str) -> None:
    (tmp_path / "sudo").write_text(SUDO)
    (tmp_path / "sudo").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    done = subprocess.run(
        ["bash", "-c", f"sudo {line}"], cwd="/", env=environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == (SUDO_LINES[line], 0), done.stderr


def test_a_recipe_gives_sudo_assignments_and_options(kit: Kit) -> None:
    kit.recipe("r", run="sudo -E CM_A=1 CM_B='x y' sh -c 'echo $CM_A $CM_B' > out\n")
    kit.run("r")
    assert Path("out").read_text() == "1 x y\n"
