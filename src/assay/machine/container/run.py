"""Runs one command in a container of podman or docker, with folders mounted. Returns its log and exit code.

It knows the command lines of both engines, but nothing about the command.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import ContainerRequest
from assay.ground.bind_mount import bind_mount
from assay.ground.errors import EnvironmentProblem
from assay.machine.container import image as container_image
from assay.machine.container.engine import ContainerEngine, cannot_start, execute, find_engine
from assay.machine.container.image import Execute, Image

LABEL = "assay.task"
IDLE = "import signal; signal.pause()"
"""The program of the first process in a container that stays after its task."""
NAME = re.compile(r"assay-[0-9a-f]{8}-(\d+)")
"""Name of a container for one task. The number is the pid of the process that waits for it."""
SHM = "1g"
"""Size of shared memory. The SUT and LoadGen exchange batches through it; the engines' default of 64 MB is too
small."""


@dataclass(frozen=True)
class Task:
    """A command and the parts of the host that it may see."""

    arguments: tuple[str, ...]
    """Arguments for the Python interpreter with Assay: `-m assay bench …`."""
    read: tuple[Path, ...] = ()
    """Files and folders mounted read-only, each at its own path."""
    write: tuple[Path, ...] = ()
    """Folders mounted for writing. Missing ones are made."""
    env: Mapping[str, str] = field(default_factory=dict)
    needs_gpu: bool = False


@dataclass(frozen=True)
class ContainerEnded:
    exit_code: int
    log: Path
    engine: str


def run(request: ContainerRequest, task: Task, log: Path, show: Callable[[str], None]) -> ContainerEnded:
    """Runs `task` in a container and waits for it. `log` gets all output; `show` gets each line at once.

    Raises: EnvironmentProblem when there is no engine, or the image or the container cannot be made.
    """
    engine = find_engine(request.engine)
    _sweep(engine)
    image = container_image.plan(request.base)
    tag = container_image.build(image, engine.name, execute, show)
    for folder in task.write:
        folder.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    if request.reuse or request.keep:
        return _in_lasting(engine, tag, image, request, task, log, show)
    start = start_command(engine, tag, image, request, task)
    if request.detached:
        return _detached(engine, start, log, show)
    return _attached(engine, start, log, show)


def start_command(
    engine: ContainerEngine,
    tag: str,
    image: Image,
    request: ContainerRequest,
    task: Task,
    *,
    idle: bool = False,
) -> list[str]:
    """The full command `podman run …`. `idle` starts a container that waits for `exec`."""
    line = [engine.name, "run", "--pull", "never", "--network", "none", "--shm-size", SHM, "--tmpfs", "/tmp"]
    line += ["--security-opt", "label=disable", "--label", f"{LABEL}={_fingerprint(tag, request, task)}"]
    line += engine.user_options(os.getuid(), os.getgid())
    if request.privileged:
        line.append("--privileged")
    # Its standard input is a pipe from this process. It ends when this process ends.
    line.append("--detach" if request.detached or idle else "--interactive")
    if task.needs_gpu:
        line += ["--gpus", "all"] if engine.name == "docker" else ["--device", "nvidia.com/gpu=all"]
    # Each path once: the engines refuse two mounts of one place.
    mounts = {**dict.fromkeys((*image.mounts, *task.read), ("readonly",)), **dict.fromkeys(task.write, ())}
    line += [word for path, options in mounts.items() for word in bind_mount(path, path, *options)]
    line += _env_options(task)
    arguments = ("-c", IDLE) if idle else task.arguments
    return [*line, "--entrypoint", image.python, tag, *arguments]


def _env_options(task: Task) -> list[str]:
    return [word for name, value in task.env.items() for word in ("--env", f"{name}={value}")]


def _fingerprint(tag: str, request: ContainerRequest, task: Task) -> str:
    """A digest of the settings that two tasks must share to use one container: image, mounts, privileges."""
    shared = [
        tag,
        request.privileged,
        task.needs_gpu,
        *map(str, sorted(task.read)),
        "",
        *map(str, sorted(task.write)),
    ]
    return hashlib.sha256(json.dumps(shared).encode()).hexdigest()[:16]


def _attached(
    engine: ContainerEngine, start: Sequence[str], log: Path, show: Callable[[str], None]
) -> ContainerEnded:
    name = _name(start)
    try:
        return _started(_stream([*start[:2], "--rm", "--name", name, *start[2:]], log, show), engine, log)
    finally:
        execute(engine.removal(name))


def _detached(
    engine: ContainerEngine, start: Sequence[str], log: Path, show: Callable[[str], None]
) -> ContainerEnded:
    container = _name(start)
    code, said = execute([*start[:2], "--name", container, *start[2:]])
    if code:
        execute(engine.removal(container))
        raise cannot_start(engine, said)
    show(f"container {container} of {engine.name} started in the background")
    try:
        _stream([engine.name, "logs", "--follow", container], log, show)
        code, said = execute([engine.name, "wait", container])
        if code:
            raise EnvironmentProblem(f"{engine.name} wait: {said.strip()}", f"see {log}")
        return ContainerEnded(int(said.strip().splitlines()[-1]), log, engine.name)
    finally:
        execute(engine.removal(container))


def _in_lasting(
    engine: ContainerEngine,
    tag: str,
    image: Image,
    request: ContainerRequest,
    task: Task,
    log: Path,
    show: Callable[[str], None],
) -> ContainerEnded:
    """Runs the task in an existing container, or in a new one that may stay for the next run."""
    label = f"label={LABEL}={_fingerprint(tag, request, task)}"
    _, running = execute([engine.name, "ps", "--quiet", "--filter", label])
    container = running.split()[0] if request.reuse and running.split() else ""
    was_there = bool(container)
    if was_there:
        show(f"going on in container {container[:12]} of {engine.name}")
    else:
        code, said = execute(start_command(engine, tag, image, request, task, idle=True))
        if code:
            raise cannot_start(engine, said)
        container = said.strip().splitlines()[-1]
    try:
        line = [
            engine.name,
            "exec",
            "--interactive",
            *_env_options(task),
            container,
            image.python,
            *task.arguments,
        ]
        return _started(_stream(line, log, show), engine, log)
    finally:
        if not (was_there or request.keep):
            execute(engine.removal(container))


def _started(code: int, engine: ContainerEngine, log: Path) -> ContainerEnded:
    # Source: podman-run(1), podman-exec(1), docker-run(1): 125 is a failure of the engine, 126 and 127 of its
    # runtime: the command could not be started.
    if code in (125, 126, 127):
        raise cannot_start(engine, log.read_text(encoding="utf-8", errors="replace"))
    return ContainerEnded(code, log, engine.name)


def try_out(name: str, run: Execute = execute) -> None:
    """Start a container that does nothing. Raises: EnvironmentProblem, and what `run` raises."""
    engine, image = find_engine(name, run), container_image.plan(None)
    tag = container_image.build(image, name, run, lambda _: None)
    start = start_command(engine, tag, image, ContainerRequest(name), Task(("-c", "")))
    code, said = run([*start[:2], "--rm", *start[2:]])
    if code:
        raise cannot_start(engine, said)


def _stream(command: Sequence[str], log: Path, show: Callable[[str], None]) -> int:
    """Runs a command. Writes every line to `log` and passes it to `show`. Returns the exit code."""
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,  # stays open until the end; the kernel closes it if we are killed
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            show(line.rstrip("\n"))
    return process.returncode


def _sweep(engine: ContainerEngine) -> None:
    """Removes ended containers of killed Assay processes. After such a kill the task in the container ends, but the
    container stays."""
    listed = [
        "ps",
        "--all",
        "--filter",
        f"label={LABEL}",
        "--filter",
        "status=exited",
        "--format",
        "{{.Names}}",
    ]
    _, said = execute([engine.name, *listed])
    for name in said.split():
        owner = NAME.fullmatch(name)
        if owner is not None and not Path(f"/proc/{owner[1]}").exists():
            execute(engine.removal(name))


def _name(start: Sequence[str]) -> str:
    """A different name for each start, so that the container can always be removed."""
    return f"assay-{hashlib.sha256(' '.join(start).encode()).hexdigest()[:8]}-{os.getpid()}"
