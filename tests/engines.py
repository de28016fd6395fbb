"""A container engine for tests: podman as it is, or with the settings that a nested machine needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
TRIAL = """\
import sys
from pathlib import Path
from assay import container
from assay.doors.delivery import ContainerRequest
container.run(ContainerRequest(sys.argv[1]), container.Task(("-c", "print('trial')")), Path(sys.argv[2]), print)
"""


def usable(name: str, folder: Path) -> dict[str, str]:
    """Variables under which `name` really runs a container; skips the test with the reason otherwise."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    conf = folder / "containers.conf"
    conf.write_text(CONTAINERS_CONF, encoding="utf-8")
    said = ""
    for env in ({}, {"CONTAINERS_CONF": str(conf)}) if name == "podman" else ({},):
        said = _try(name, folder / "trial.log", env)
        if not said:
            return env
    pytest.skip(f"{name} cannot run a container here: {said[-200:]}")


def _try(name: str, log: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TRIAL, name, str(log)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return "" if "trial" in done.stdout else done.stderr.strip() or "no reason given"
