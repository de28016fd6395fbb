"""What every test gets: a store of its own, and no way to write into the home folder by accident.

And what some need of the machine: they name `loadgen` or `sandbox`, and are skipped where it is lacking.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from assay.ground import settings
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run import wheels
from assay.sandbox import sandbox as sandboxes

# A suite that was started in the background inherits an ignored Ctrl-C, and with it every process that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# On a busy machine an example may take any time, and that says nothing about the rule.
examples.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy machine")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for the whole session, so that a LoadGen wheel is fetched once.

    $ASSAY_TEST_STORE keeps it between sessions.
    """
    kept = os.environ.get("ASSAY_TEST_STORE")
    return Path(kept) if kept else tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def isolated(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ASSAY_HOME", str(store))
    for name in ("CM_REPOS", "MLC_REPOS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings.set_home(store)
    yield


@pytest.fixture(scope="session")
def loadgen(store: Path) -> None:
    """LoadGen is there or can be had; skips where it has no wheel for this Python and cannot be built."""
    settings.set_home(store)
    try:
        for name in ("v4.1", "v5.1", "v6.0"):
            wheels.refuse_unusable(rounds.load(name).wheels[0])
    except EnvironmentProblem as problem:
        lacking(f"no LoadGen here: {problem.message}")


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Generated programs can be run; skips where bubblewrap is there and it does not work, too."""
    try:
        with sandboxes.opened(1):
            pass
    except EnvironmentProblem as problem:
        lacking(problem.message)


def lacking(what: str) -> None:
    """Skips for want of LoadGen or of the sandbox; fails where $ASSAY_MUST_RUN says that this machine has both."""
    (pytest.fail if os.environ.get("ASSAY_MUST_RUN") else pytest.skip)(what)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with gsm8k/, mbxp/ and instruct/ as published; see README, Tests."""
    folder = os.environ.get("ASSAY_REAL_DATA")
    if not folder:
        pytest.skip("ASSAY_REAL_DATA names no folder with gsm8k/, mbxp/ and instruct/")
    return Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many KB; skips where that is not allowed."""
    place = tmp_path / "small"
    place.mkdir()

    def mount(size_kb: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("mounting a small file system needs root")
        return place

    yield mount
    subprocess.run(["umount", str(place)], check=False, capture_output=True)
