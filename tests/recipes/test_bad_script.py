"""Scripts and hooks that fail, are killed or answer nonsense: each is named, and what it started ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.recipes.contract.shell import status_words
from assay.recipes.errors import RecipeFault

from .conftest import Kit


def test_a_failed_script_is_named_with_the_folder_it_ran_in(kit: Kit) -> None:
    folder = kit.recipe("bad", run="exit 3\n")
    with pytest.raises(RecipeFault, match="exit 3") as caught:
        kit.run("bad")
    assert caught.value.step == f"{folder / 'run.sh'}, run in {Path.cwd()}"


def test_a_script_killed_by_a_signal_has_the_status_that_bash_gives(kit: Kit) -> None:
    assert status_words(-9) == status_words(137) == "exit 137: killed by SIGKILL (out of memory?)"
    assert status_words(3) == "exit 3" and status_words(255) == "exit 255"


def test_a_hook_whose_number_is_none_fails_with_1(kit: Kit) -> None:
    kit.recipe("odd", hooks="def preprocess(i):\n    return {'return': 'x'}\n")
    with pytest.raises(RecipeFault, match="returned 'x'") as caught:
        kit.run("odd")
    assert caught.value.code == 1


def test_a_signal_to_the_runner_alone_ends_what_the_script_started(kit: Kit) -> None:
    kit.recipe("slow", run="echo $$ > pid; sleep 60 & wait\n")
    line = ["run", "script", "--tags=slow", "--user_python"]
    environ = os.environ | {"CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"}
    process = subprocess.Popen([sys.executable, "-m", "assay", *line], env=environ, stderr=subprocess.DEVNULL)
    pid = Path("pid")
    deadline = time.monotonic() + 120
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    below = Path(f"/proc/{int(pid.read_text())}/task/{int(pid.read_text())}/children")
    # Not before it is `sleep`: bash loses a signal that meets a child between fork and exec.
    while not _named(children := below.read_text().split(), "sleep") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    deadline = time.monotonic() + 30
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert children and not [child for child in children if _lives(child)]


def _named(pids: list[str], name: str) -> bool:
    return bool(pids) and all(Path(f"/proc/{pid}/comm").read_text().strip() == name for pid in pids)


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


RAISED = {
    "raise SystemExit(0)": "called sys.exit(0)",
    "raise MemoryError('much')": "raised MemoryError: much",
    "raise GeneratorExit": "raised GeneratorExit: ",
    "raise type('Mute', (BaseException,), {'__str__': lambda self: 1 / 0})": "raised Mute",
    "i['env'][5] = ''": "a variable must have a text as its name, not 5",
    "i['state']['me'] = i['state']": "left what cannot be kept: the state: it ",
}


@pytest.mark.parametrize("line", RAISED)
def test_whatever_a_hook_raises_or_leaves_is_named_with_the_hook(kit: Kit, line: str) -> None:
    hooks = f"def preprocess(i):\n    {line}\n"
    folder = kit.recipe("odd", hooks=hooks, cache=True, new_env_keys=["CM_*"], new_state_keys=["me"])
    with pytest.raises(RecipeFault) as caught:
        kit.run("odd")
    assert f"preprocess in {folder / 'customize.py'}" in caught.value.message
    assert RAISED[line] in caught.value.message
    assert kit.entries() == []


@pytest.mark.parametrize("line", ["raise GeneratorExit", "1 / 0"])
def test_whatever_the_file_of_hooks_raises_is_named_with_the_file(kit: Kit, line: str) -> None:
    folder = kit.recipe("odd", hooks=f"{line}\n")
    with pytest.raises(RecipeFault, match=f"cannot import {folder / 'customize.py'}"):
        kit.run("odd")


def test_a_script_that_removes_its_folder_in_the_cache_is_named(kit: Kit) -> None:
    folder = kit.recipe("odd", run='rm -r "$PWD"\n', cache=True)
    with pytest.raises(RecipeFault, match=f"{folder / 'run.sh'} removed the folder that it ran in"):
        kit.run("odd")


def test_a_recipe_that_is_removed_while_it_is_in_use_does_not_pass_for_done(kit: Kit) -> None:
    folder = kit.recipe("whole", run="true\n", deps=[{"tags": "remover"}])
    kit.recipe("remover", run=f"rm -r {folder}\n")
    with pytest.raises(RecipeFault, match=f"{folder} was removed while it was in use"):
        kit.run("whole")
