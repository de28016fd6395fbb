"""The engines of containers, podman and docker: which one works here, and what it says when it cannot start one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from assay.ground.errors import EnvironmentProblem
from assay.machine.container.image import Execute

ENGINES = ("podman", "docker")
"""In the order in which they are tried."""
ULIMITS = 'default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]'
"""Below what most machines allow; podman's own are above what a nested machine may give."""


@dataclass(frozen=True)
class ContainerEngine:
    """A container engine that works, and how it maps user ids."""

    name: str
    is_rootless: bool

    def user_options(self, uid: int, gid: int) -> list[str]:
        """Options to run as the calling user, so that this user owns the written files."""
        if not self.is_rootless:
            return ["--user", f"{uid}:{gid}"]
        if self.name == "podman":
            return ["--userns", "keep-id", "--user", f"{uid}:{gid}"]
        return []  # rootless docker: root inside is the calling user

    def removal(self, container: str) -> list[str]:
        """The command that kills and removes a container, without podman's wait of ten seconds."""
        return [self.name, "rm", "--force", *(["--time", "0"] if self.name == "podman" else []), container]


def execute(command: Sequence[str]) -> tuple[int, str]:
    """Runs a command to its end. Returns (exit code, standard output; on failure followed by standard error).

    A successful engine may still print warnings on standard error. They are not part of the output.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def find_engine(wanted: str | None = None, run: Execute = execute) -> ContainerEngine:
    """The requested engine, else the first that works. Raises: EnvironmentProblem when none does. It never falls
    back to a run without a container."""
    reasons = []
    for name in (wanted,) if wanted else ENGINES:
        if shutil.which(name) is None:
            reasons.append(f"{name} is not installed")
            continue
        code, said = run([name, "info", "--format", "{{json .}}"])
        if code == 0:
            return ContainerEngine(name, _is_rootless(name, said))
        reasons.append(f"{name} does not answer ({(said.strip().splitlines() or ['no reason given'])[-1]})")
    raise EnvironmentProblem(
        "a container was asked for, and no engine can run one: " + "; ".join(reasons),
        "install and start podman (or docker), or run without a container",
    )


def _is_rootless(name: str, info: str) -> bool:
    try:
        found = json.loads(info)
    except ValueError:
        return os.geteuid() != 0
    if name == "podman" or "host" in found:
        return bool(found.get("host", {}).get("security", {}).get("rootless", os.geteuid() != 0))
    return any("rootless" in str(option) for option in found.get("SecurityOptions") or [])


def cannot_start(engine: ContainerEngine, said: str) -> EnvironmentProblem:
    """The error for a container that does not start. `said`: the engine's output."""
    lines = said.strip().splitlines()[-4:]
    # The engine repeats its runtime's message inside its own.
    reason = "\n".join(line for line in lines if not any(line in other for other in lines if other != line))
    hint = (
        "the engine's own message says why; another runtime may do (runc for crun, in containers.conf), and a "
        "privileged container needs more than an ordinary one"
    )
    if "rlimit" in reason:
        hint = (
            f"a file with the lines `[containers]` and `{ULIMITS}`; its path in CONTAINERS_CONF, or the file as "
            f"{'/etc' if os.geteuid() == 0 else '~/.config'}/containers/containers.conf"
        )
    return EnvironmentProblem(f"{engine.name} could not start the container: {reason}", hint)
