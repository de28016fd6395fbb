"""Two processes on one home, and processes that are killed: what is in the cache is whole."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.recipes.home import store as store_module
from assay.recipes.home.index import Index
from assay.recipes.home.staged import RUNNING, is_running
from assay.recipes.home.store import Store

from .conftest import Kit

RECIPE = (
    "sleep {pause}\nhead -c 200000 /dev/zero > big\nsleep {pause}\necho CM_BIG=$PWD/big > tmp-run-env.out\n"
)


def start(kit: Kit, tags: str, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    environ = {**os.environ, "CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"}
    words = ["run", "script", f"--tags={tags}", "--user_python", "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-m", "assay", *words],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def assert_whole(kit: Kit) -> None:
    """Every entry can be used: its state reads and what it names is there."""
    for entry in kit.entries():
        json.loads((entry / "_cm.json").read_text())
        state = json.loads((entry / "cm-cached-state.json").read_text())
        assert Path(state["new_env"]["CM_BIG"]).stat().st_size == 200000


def test_two_processes_make_one_entry_and_both_use_it(kit: Kit, tmp_path: Path) -> None:
    log = tmp_path / "log"
    kit.recipe(
        "make", cache=True, run=f"echo x >> {log}\n" + RECIPE.format(pause=0.3), new_env_keys=["CM_BIG"]
    )
    runs = [start(kit, "make", tmp_path / f"w{number}") for number in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    assert len(log.read_text().splitlines()) == 1
    assert len(kit.entries()) == 1
    assert_whole(kit)


def test_two_processes_with_different_recipes_lose_nothing(kit: Kit, tmp_path: Path) -> None:
    for number in range(3):
        kit.recipe(f"make{number}", cache=True, run=RECIPE.format(pause=0.1), new_env_keys=["CM_BIG"])
    runs = [start(kit, f"make{number}", tmp_path / f"w{number}") for number in range(3)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0]
    assert len(kit.entries()) == 3


def test_a_folder_is_not_taken_for_abandoned_before_its_lock_is_held(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, lock = Store(Index(kit.home)), fcntl.flock
    seen: list[list[Path]] = []

    def late(handle: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        seen.append(store.orphans())
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    staged = store.stage()
    assert seen == [[]] and store.orphans() == []
    staged.close()


def test_an_entry_that_is_finished_while_another_process_looks_is_not_abandoned(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(Index(kit.home))
    staged = store.stage()

    def finish_first(folder: Path) -> bool:
        marker = (folder / RUNNING).open("r+")  # the other has it open when we remove it
        staged.commit({"tags": ["x"]}, {"new_env": {}, "new_state": {}})
        with marker:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False

    assert is_running(staged.folder)
    monkeypatch.setattr(store_module, "is_running", finish_first)
    assert store.orphans() == []


def kill_at(kit: Kit, tmp_path: Path, seconds: float) -> None:
    run = start(kit, "make", tmp_path / "w")
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def test_a_killed_run_is_made_again_by_the_next(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("make", cache=True, run=RECIPE.format(pause=5), new_env_keys=["CM_BIG"])
    run = start(kit, "make", tmp_path / "w")
    deadline = time.monotonic() + 30
    while not list(kit.home.cache.glob("*/tmp-run.sh")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert kit.entries() == []
    (kit.repository / "script" / "make" / "run.sh").write_text(RECIPE.format(pause=0))
    assert start(kit, "make", tmp_path / "w").wait(timeout=60) == 0
    assert len(kit.entries()) == len(list(kit.home.cache.glob("*"))) == 1
    assert_whole(kit)


@pytest.mark.slow
def test_killed_at_fifty_random_moments_no_broken_entry_is_ever_used(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("make", cache=True, run=RECIPE.format(pause=0.05), new_env_keys=["CM_BIG"])
    moments = random.Random(20240601)
    for _ in range(50):
        kill_at(kit, tmp_path, moments.uniform(0.02, 0.6))
        assert_whole(kit)
        if kit.entries() and moments.random() < 0.5:
            kit.perform(["rm", "cache", "-f"])
    assert start(kit, "make", tmp_path / "w").wait(timeout=60) == 0
    assert len(kit.entries()) == 1
    assert_whole(kit)
