"""Container engines for tests: podman as it is, or with the settings of a nested machine; a Docker daemon of our own.

Neither is expected to run already: podman needs no daemon, and where none of Docker answers one is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
"""For a machine that is a container itself: no capability to raise limits, cgroups of both versions, no systemd."""
DAEMON_TRIES = 100
TRIAL_S = 60
"""An engine that takes longer for a container that prints a word is of no use to a test."""
TRIAL = """\
import sys
from pathlib import Path
from assay.machine.container import run as container
from assay.config import ContainerRequest
container.run(ContainerRequest(sys.argv[1]), container.Task(("-c", "print('trial')")), Path(sys.argv[2]), print)
"""


@contextmanager
def podman(folder: Path) -> Iterator[None]:
    """Podman runs containers inside of the block; skips the test with the reason where it cannot."""
    conf = folder / "containers.conf"
    conf.write_text(CONTAINERS_CONF, encoding="utf-8")
    said = ""
    for env in ({}, {"CONTAINERS_CONF": str(conf)}):
        said = _trial("podman", folder, env)
        if not said:
            with _environment(env):
                yield
            return
    pytest.skip(f"podman cannot run a container here: {said[-200:]}")


@contextmanager
def docker(folder: Path) -> Iterator[None]:
    """Docker runs containers inside of the block, by a daemon that is there or by one that ends with the block."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    with nullcontext({}) if _answers() else _daemon(folder) as env:
        if said := _trial("docker", folder, env):
            pytest.skip(f"docker cannot run a container here: {said[-200:]}")
        with _environment(env):
            yield


def _answers(*options: str) -> bool:
    return subprocess.run(["docker", *options, "info"], capture_output=True, check=False).returncode == 0


@contextmanager
def _daemon(folder: Path) -> Iterator[dict[str, str]]:
    """A daemon without a network of its own, so that it changes no rule of the machine's firewall."""
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("no Docker daemon answers, and none can be started: dockerd and root are needed")
    address = f"unix://{folder}/docker.sock"
    line = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "-H", address]
    line += [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait_for(process, address, folder / "dockerd.log")
        yield {"DOCKER_HOST": address}
    finally:
        process.terminate()
        process.wait(timeout=30)
        # The daemon mounts its data folder onto itself and leaves that; the folder could not be removed.
        subprocess.run(["umount", str(folder / "data")], capture_output=True, check=False)


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(DAEMON_TRIES):
        if _answers("-H", address):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    pytest.skip(f"dockerd does not start here: {said[-1][-200:] if said else 'no reason given'}")


def _trial(name: str, folder: Path, env: Mapping[str, str]) -> str:
    """Why `name` runs no container; empty when it does."""
    if shutil.which(name) is None:
        return f"{name} is not installed"
    try:
        done = subprocess.run(
            [sys.executable, "-c", TRIAL, name, str(folder / "trial.log")],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=TRIAL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"its container had not ended after {TRIAL_S} s"
    return "" if "trial" in done.stdout else done.stderr.strip() or "no reason given"


@contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        yield
