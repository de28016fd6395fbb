"""What a native script prints: it goes where it would have gone, and its end is kept for a log.

The script has a pipe in place of our stdout and stderr, or a terminal of its own where ours is one, so that it still
finds a terminal there. Its stdin is ours. Nothing is written to disk before it fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.recipes.contract.terminal import Terminal

STDOUT, STDERR = 1, 2
CHUNK_BYTES = 1 << 16
KEPT_BYTES = 4 << 20  # of the end of what a script printed
LATE_BYTES = 1 << 20  # taken of what others still print when the script has ended; the rest goes to `cat`
LOOK_MS, LATE_MS = 100, 20  # how long nothing comes before we look whether it has ended, and after it has
FOREVER = float("inf")
LOGS_MAX = 20


class ScriptOutput:
    """The output of one script, from its start to its end."""

    def __init__(self) -> None:
        self.problem = ""  # why it could not be passed on or kept
        self._tail = bytearray()
        self._left_out = 0
        self._targets: dict[int, int] = {}  # where we read -> our stdout or stderr
        self._terminals: dict[int, Terminal] = {}  # those that are terminals
        self._ends: list[int] = []  # where the script writes
        self._poll = select.poll()
        self._before: Any = None  # who was told of our terminal's new size

    def __enter__(self) -> ScriptOutput:
        return self

    def __exit__(self, *_: object) -> None:
        self.started()
        for source in list(self._targets):
            self._close(source)
        if self._before is not None:
            import signal

            signal.signal(signal.SIGWINCH, self._before)

    def ends(self) -> tuple[int | None, int | None]:
        """What the script gets as stdout and stderr; None where it has our own."""
        out = self._end(STDOUT)
        if os.path.samestat(os.fstat(STDOUT), os.fstat(STDERR)):
            return out, out  # as one, so that the order of what comes through both stays
        return out, self._end(STDERR)

    def started(self) -> None:
        """The script has its ends: ours are closed, so that the last one to have them ends the output."""
        while self._ends:
            os.close(self._ends.pop())

    def pass_on(self, pid: int, seconds: float = FOREVER) -> None:
        """Copy until the process has ended or closed its ends, or for so many seconds.

        Who else holds its ends is not waited for.
        """
        until, late = time.monotonic() + seconds, LATE_BYTES
        while self._targets and time.monotonic() < until:
            ended = has_ended(pid)
            self._follow()
            ready = [descriptor for descriptor, _event in self._poll.poll(LATE_MS if ended else LOOK_MS)]
            for source in self._targets.keys() & ready:
                size = self._copy(source, until)
                late -= size if ended else 0
            for terminal in self._terminals.values():
                if terminal.ours in ready:
                    terminal.pass_keys()
            if ended and (not ready or late <= 0):
                self._hand_over()

    def kept(self) -> bytes:
        """The end of what came, with a line that says how much before it is missing."""
        left_out = self._left_out + max(len(self._tail) - KEPT_BYTES, 0)
        note = f"[the first {left_out} bytes are left out]\n" if left_out else ""
        return note.encode() + bytes(self._tail[-KEPT_BYTES:])

    def _end(self, target: int) -> int | None:
        try:
            source, end = self._terminal(target) if os.isatty(target) else os.pipe()
        except OSError as error:  # no more files or terminals: the script prints as well without us
            self.problem = f"keeping it failed: {error.strerror or error}"
            return None
        self._targets[source] = target
        self._ends.append(end)
        self._poll.register(source, select.POLLIN)
        return end

    def _terminal(self, target: int) -> tuple[int, int]:
        """Our end and the script's end of a new terminal that is like the one at `target`."""
        import signal

        from assay.recipes.contract.terminal import Terminal

        source, end = os.openpty()
        self._terminals[source] = Terminal(target, source)
        if self._before is None:
            with contextlib.suppress(ValueError):  # not the main thread: the size stays as it is
                self._before = signal.signal(signal.SIGWINCH, self._resize) or signal.SIG_DFL
        return source, end

    def _resize(self, *_: object) -> None:
        for terminal in self._terminals.values():
            terminal.resize()

    def _follow(self) -> None:
        """Do at our terminal as the script does at its own; where it waits for keys, look for them."""
        for terminal in self._terminals.values():
            wanted = terminal.wants_keys
            terminal.follow()
            if terminal.wants_keys and not wanted:
                self._poll.register(terminal.ours, select.POLLIN)
            elif wanted and not terminal.wants_keys:
                self._poll.unregister(terminal.ours)

    def _copy(self, source: int, until: float) -> int:
        try:
            chunk = os.read(source, CHUNK_BYTES)
        except OSError:  # how a terminal says that nobody has its other end any more
            chunk = b""
        self._tail += chunk
        if len(self._tail) > 2 * KEPT_BYTES:
            self._left_out += len(self._tail) - KEPT_BYTES
            del self._tail[:-KEPT_BYTES]
        try:
            _write(self._targets[source], chunk, until)
        except OSError as error:  # our reader has left, or its disk is full: now the script's reader has left
            self.problem = f"passing it on failed: {error.strerror}"
            chunk = b""
        if not chunk:
            self._close(source)
        return len(chunk)

    def _close(self, source: int) -> None:
        self._poll.unregister(source)
        del self._targets[source]
        if terminal := self._terminals.pop(source, None):
            terminal.close()
            if terminal.wants_keys:
                self._poll.unregister(terminal.ours)
        os.close(source)

    def _hand_over(self) -> None:
        """What the script left running goes on printing to where ours goes, for as long as it likes."""
        for source, target in list(self._targets.items()):
            streams = [
                (os.POSIX_SPAWN_DUP2, source, 0),
                (os.POSIX_SPAWN_DUP2, target, STDOUT),
                (os.POSIX_SPAWN_OPEN, STDERR, os.devnull, os.O_WRONLY, 0),
            ]
            try:
                os.posix_spawnp("cat", ["cat"], os.environ, file_actions=streams, setsid=True)
            except OSError as error:  # no cat, or no more processes: the script itself has ended as it has
                self.problem = f"what still runs has no reader, starting cat failed: {error.strerror}"
            self._close(source)


def has_ended(pid: int) -> bool:
    """Has a child ended? `Popen.poll` is not asked: Ctrl-C at a bad moment leaves it locked for good."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # and was waited for
        return True


def _write(target: int, chunk: bytes, until: float) -> None:
    """Raises: TimeoutError when there is an end, and our reader takes nothing until then."""
    rest = memoryview(chunk)
    most = len(rest) if until == FOREVER else select.PIPE_BUF  # so much goes without waiting where any goes
    while rest:
        if until < FOREVER and not select.select([], [target], [], max(0, until - time.monotonic()))[1]:
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads it")
        try:
            rest = rest[os.write(target, rest[:most]) :]
        except BlockingIOError:  # whoever started us made it so
            select.select([], [target], [])


def write_log(folder: Path, name: str, content: bytes) -> Path:
    """Write the log of a failure, and remove all but the newest.

    Raises: EnvironmentProblem when the folder cannot be written.
    """
    from assay.ground.files import staged

    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{os.urandom(3).hex()}.log"
    with staged(path) as part:
        part.chmod(0o600)  # scripts print what they like
        part.write_bytes(content)
    for old in sorted(folder.glob("*.log"))[:-LOGS_MAX]:
        old.unlink(missing_ok=True)
    return path
