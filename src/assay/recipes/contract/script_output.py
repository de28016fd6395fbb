"""Passes on the output of a native script, and stores its end for a log.

The script gets a pipe instead of our stdout and stderr. Where ours is a terminal, it gets a terminal of its own,
because programs behave differently there. Its stdin is ours. Nothing is written to disk unless the script fails.
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
KEPT_BYTES = 4 << 20  # stored from the end of a script's output
LATE_BYTES = 1 << 20  # output of other processes after the script has ended; `cat` gets the rest
LOOK_MS, LATE_MS = 100, 20  # poll timeouts while the script runs, and after its end
FOREVER = float("inf")
LOGS_MAX = 20  # logs of failed scripts that a home keeps; a choice


class ScriptOutput:
    """The output of one script, from its start to its end."""

    def __init__(self) -> None:
        self.problem = ""  # why the output could not be passed on or stored
        self._tail = bytearray()
        self._left_out = 0
        self._targets: dict[int, int] = {}  # the descriptor that we read -> our stdout or stderr
        self._terminals: dict[int, Terminal] = {}  # by the descriptor that we read; only terminals
        self._ends: list[int] = []  # the descriptors that the script writes to
        self._poll = select.poll()
        self._before: Any = None  # the previous handler for changes of the terminal's size

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
        """The descriptors that the script gets as stdout and stderr. None = it uses ours directly."""
        out = self._end(STDOUT)
        if os.path.samestat(os.fstat(STDOUT), os.fstat(STDERR)):
            return out, out  # one descriptor for both, so that the order of the output stays
        return out, self._end(STDERR)

    def started(self) -> None:
        """Closes our copies of the script's descriptors after it has started. The output then ends when the last
        process closes its own."""
        while self._ends:
            os.close(self._ends.pop())

    def pass_on(self, pid: int, seconds: float = FOREVER) -> None:
        """Copies output until the process `pid` has ended or closed its descriptors, at most `seconds` long.

        It does not wait for other processes that have the descriptors open.
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
        """The last bytes of the output (at most KEPT_BYTES), with a line that says how many are left out before
        them."""
        left_out = self._left_out + max(len(self._tail) - KEPT_BYTES, 0)
        note = f"[the first {left_out} bytes are left out]\n" if left_out else ""
        return note.encode() + bytes(self._tail[-KEPT_BYTES:])

    def _end(self, target: int) -> int | None:
        try:
            source, end = self._terminal(target) if os.isatty(target) else os.pipe()
        except OSError as error:  # no more files or terminals: the script uses our output directly
            self.problem = f"keeping it failed: {error.strerror or error}"
            return None
        self._targets[source] = target
        self._ends.append(end)
        self._poll.register(source, select.POLLIN)
        return end

    def _terminal(self, target: int) -> tuple[int, int]:
        """(our descriptor, the script's descriptor) of a new terminal like the one at `target`."""
        import signal

        from assay.recipes.contract.terminal import Terminal

        source, end = os.openpty()
        self._terminals[source] = Terminal(target, source)
        if self._before is None:
            with contextlib.suppress(ValueError):  # not the main thread: changes of the size are ignored
                self._before = signal.signal(signal.SIGWINCH, self._resize) or signal.SIG_DFL
        return source, end

    def _resize(self, *_: object) -> None:
        for terminal in self._terminals.values():
            terminal.resize()

    def _follow(self) -> None:
        """Copies the script's terminal settings to ours. Watches our terminal for keys while the script waits for
        them."""
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
        except OSError:  # a terminal raises this when its other end is closed
            chunk = b""
        self._tail += chunk
        if len(self._tail) > 2 * KEPT_BYTES:
            self._left_out += len(self._tail) - KEPT_BYTES
            del self._tail[:-KEPT_BYTES]
        try:
            _write(self._targets[source], chunk, until)
        except OSError as error:  # our reader is gone or its disk is full: close the script's output too
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
        """Starts `cat` for processes that the script left running, so that they can go on printing to our output."""
        for source, target in list(self._targets.items()):
            streams = [
                (os.POSIX_SPAWN_DUP2, source, 0),
                (os.POSIX_SPAWN_DUP2, target, STDOUT),
                (os.POSIX_SPAWN_OPEN, STDERR, os.devnull, os.O_WRONLY, 0),
            ]
            try:
                os.posix_spawnp("cat", ["cat"], os.environ, file_actions=streams, setsid=True)
            except OSError as error:  # no cat, or no more processes: the script's own result stands
                self.problem = f"what still runs has no reader, starting cat failed: {error.strerror}"
            self._close(source)


def has_ended(pid: int) -> bool:
    """Whether a child has ended. `Popen.poll` is not used: Ctrl-C at the wrong moment leaves its lock held for good."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # it ended, and was waited for
        return True


def _write(target: int, chunk: bytes, until: float) -> None:
    """Writes a chunk. Raises: TimeoutError when there is a time limit and nobody reads the output before it."""
    rest = memoryview(chunk)
    most = len(rest) if until == FOREVER else select.PIPE_BUF  # bytes that a ready pipe takes at once
    while rest:
        if until < FOREVER and not select.select([], [target], [], max(0, until - time.monotonic()))[1]:
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads it")
        try:
            rest = rest[os.write(target, rest[:most]) :]
        except BlockingIOError:  # our parent made the descriptor non-blocking
            select.select([], [target], [])


def write_log(folder: Path, name: str, content: bytes) -> Path:
    """Writes the log of a failure, and removes all but the newest LOGS_MAX logs.

    Raises: EnvironmentProblem when the folder cannot be written to.
    """
    from assay.ground.files import staged

    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{os.urandom(3).hex()}.log"
    with staged(path) as part:
        part.chmod(0o600)  # the output may contain secrets
        part.write_bytes(content)
    for old in sorted(folder.glob("*.log"))[:-LOGS_MAX]:
        old.unlink(missing_ok=True)
    return path
