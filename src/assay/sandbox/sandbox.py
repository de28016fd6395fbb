"""Runs untrusted programs without network, with only an empty /tmp to write to, with limits. All their processes are
killed at the end.

A program sees a read-only root with /usr and the folders that the caller names. It has its own process, network, IPC
and mount namespaces, uid 65534 (or one of the ids below it), no capabilities and a clean environment. (If an
ordinary user's `unshare` isolates, the uid is 0 without privileges.) `opened` takes bubblewrap, else unshare, else
raises. This module knows nothing of programming languages.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assay.ground import cores, scratch
from assay.ground.errors import EnvironmentProblem
from assay.sandbox import cgroup, seccomp
from assay.sandbox.isolation import NOBODY, Bubblewrap, Inside, Isolation, NoIsolation, Unshare
from assay.sandbox.supervise import supervise

PATH = "/usr/local/bin:/usr/bin:/bin"
INSTALL_HINT = (
    "apt-get install bubblewrap util-linux "
    "(or --unsafe-no-sandbox: the programs then run as you, with your files)"
)

UIDS = 1024
"""Number of user ids for programs that root starts: the last ones up to 65534, which belong to no user."""
START_S = 20.0
"""Seconds that setting up the isolation may take. They do not count as time of the program."""
# Outside the sandbox: be killed first when memory runs out, join the control groups ($1, a list), open the
# filter ($2) as descriptor 9.
_ENTER = (
    '{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null; for g in $1; do echo 0 > "$g" || exit 125; done;'
    ' f=$2; shift 2; exec "$@" 9< "$f"'
)
# Inside, as the first process: report that the isolation is set up, run the program without descriptor 9, and
# return its status.
_LAUNCH = 'exec 9<&-; printf . && "$@"; exit $?'
# The same, but first store the program in the file $1.
_LAUNCH_FILE = 'exec 9<&-; cat > "$1" && printf . && shift && "$@" </dev/null; exit $?'


@dataclass(frozen=True)
class ProgramLimits:
    """The limits of one program, which the kernel enforces. The defaults are choices; graders of programs set their own
    times."""

    wall_s: float = 20.0
    """Seconds for all processes together, without the time that other programs took. It is also the limit of CPU
    seconds of each process."""
    memory_bytes: int = 2 << 30
    """Limit of each process, and of all together if control groups can be made."""
    file_bytes: int = 64 << 20
    tmp_bytes: int = 512 << 20
    processes: int = 64
    output_bytes: int = 4096
    """Bytes of output that are kept. The rest is read and dropped."""


@dataclass(frozen=True)
class ProgramOutcome:
    """How a program ended."""

    status: int | None
    """Exit status; 128 + signal if it was killed; None if the sandbox failed before the program started."""
    timed_out: bool
    output: str
    """The beginning of its output, including standard error."""
    starved: bool = False
    """Whether it timed out because other processes kept it from the processors, which is proved."""
    told_secret: bool = True
    """Whether it printed the expected secret; True if there was none."""


@dataclass(frozen=True)
class Slot:
    """A place for one program at a time."""

    group: cgroup.Cgroup | None
    uids: Iterator[int]
    """User ids, a new one for each program. The process limit counts by uid, and it would count dying processes of
    the previous program."""


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that works on this machine. Made by `opened`."""

    isolation: Isolation
    limits: ProgramLimits
    filter_file: Path
    """File with the seccomp filter; an empty file if there is none."""
    slots: queue.SimpleQueue[Slot] = field(compare=False)

    def run(
        self,
        command: Sequence[str],
        file: str,
        content: bytes,
        readable: Mapping[str, Path] | None = None,
        env: Mapping[str, str] | None = None,
        limits: ProgramLimits | None = None,
        *,
        compile_s: float = 0.0,
        secret: bytes = b"",
        has_proc: bool = True,
    ) -> ProgramOutcome:
        """Writes `content` to the new `file` in an empty /tmp, runs `command` there, and ends all processes that it
        started.

        If `file` is empty, the content is passed on standard input. `readable` maps a name to a folder that the
        program may read as /opt/<name>. With `compile_s`, the command first compiles for at most so many seconds,
        and prints one byte before it runs the result. Thread-safe. Waits for a free slot.
        """
        limits = limits or self.limits
        stages = [START_S, *([compile_s] if compile_s else []), limits.wall_s]
        launch = ["/bin/sh", "-c", _LAUNCH_FILE if file else _LAUNCH, "sh", *([file] if file else [])]
        readable = readable or {}
        command = [self.isolation.named(word, readable) for word in command]
        named = {name: self.isolation.named(value, readable) for name, value in (env or {}).items()}
        clean = {"PATH": PATH, "HOME": "/tmp", "LANG": "C.UTF-8", **named}
        slot = self.slots.get()
        try:
            group = slot.group
            inside = Inside(
                next(slot.uids), clean, readable, limits.tmp_bytes, "" if has_proc else command[0]
            )
            argv = ["/bin/sh", "-c", _ENTER, "sh", " ".join(group.entrances) if group else ""]
            argv += [str(self.filter_file), *self.isolation.prefix(inside)]
            argv += [*_rlimits(limits, max(stages)), *launch, *command]
            with scratch.folder("assay-program-") as cwd:
                cpu_s = group.cpu_s if group else None
                ended = supervise(argv, content, str(cwd), stages, limits.output_bytes, secret, cpu_s)
            if group:
                group.settle()
        finally:
            self.slots.put(slot)
        return ProgramOutcome(
            None if ended.stage == 0 else ended.status,
            ended.timed_out,
            ended.output.decode("utf-8", "replace"),
            ended.starved,
            ended.told_secret,
        )

    def describe(self) -> dict[str, object]:
        """The isolation and the limits of the programs, for the record of a run."""
        slot = self.slots.get()
        self.slots.put(slot)
        return {
            "kind": self.isolation.name,
            "safe": not isinstance(self.isolation, NoIsolation),
            "seccomp": isinstance(self.isolation, Bubblewrap) and self.isolation.has_filter,
            "memory": "control group" if slot.group else "each process",
            "limits": asdict(self.limits),
        }


def _rlimits(limits: ProgramLimits, longest_s: float) -> list[str]:
    return [
        "prlimit",
        f"--nproc={limits.processes}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.file_bytes}",
        f"--cpu={int(longest_s) + 1}",
        "--nofile=256",
        "--core=0",
    ]


@contextlib.contextmanager
def opened(slots: int = 1, limits: ProgramLimits | None = None, unsafe: bool = False) -> Iterator[Sandbox]:
    """A sandbox for `slots` programs at the same time.

    Raises: EnvironmentProblem when no kind of isolation works here and `unsafe` is False.
    """
    limits = limits or ProgramLimits()
    places: queue.SimpleQueue[Slot] = queue.SimpleQueue()
    # The group also counts root's launcher and shells, so its limits are a little higher.
    groups = [cgroup.create(limits.memory_bytes + (64 << 20), limits.processes + 8) for _ in range(slots)]
    with scratch.folder("assay-sandbox-") as folder:
        filter_file = folder / "seccomp.bpf"
        program = seccomp.program()
        filter_file.write_bytes(program or b"")
        first = secrets.randbelow(UIDS)  # random, so that two runs at the same time use different ids
        for number, group in enumerate(groups):
            places.put(Slot(group, (NOBODY - n % UIDS for n in itertools.count(first + number, slots))))
        try:
            kinds: list[Isolation] = (
                [NoIsolation()] if unsafe else [Bubblewrap(program is not None), Unshare()]
            )
            yield _first_that_works([Sandbox(kind, limits, filter_file, places) for kind in kinds])
        finally:
            for group in groups:
                if group:
                    group.remove()


def _first_that_works(candidates: Sequence[Sandbox]) -> Sandbox:
    problems = []
    for sandbox in candidates:
        if missing := sandbox.isolation.missing():
            problems.append(f"{sandbox.isolation.name} needs {' and '.join(missing)}, not installed")
            continue
        outcome = sandbox.run(["/bin/sh", "-c", "exit 7"], "probe", b"")
        if outcome.status == 7:
            return sandbox
        problems.append(
            f"{sandbox.isolation.name} does not work here: {outcome.output.strip() or 'no answer'}"
        )
    raise EnvironmentProblem("no sandbox for model-written programs: " + "; ".join(problems), INSTALL_HINT)


def default_slots() -> int:
    """The number of cores that this process may use: one program for each."""
    return cores.usable()
