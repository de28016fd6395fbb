"""The parent's side of the SUT process: start it, hear from it, ask it, end it."""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from assay.config import Mode
from assay.ground import scratch, settings
from assay.ground.errors import RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Channel, Kind
from assay.mlperf.sut.child import Child
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Ask, Begin, Build, Close, Failure, Line, Renew, UsedReport, WorstSoFar
from assay.mlperf.sut.progress import OnProgress, Progress, Watchdog

CLOSE_SECONDS = 10.0
"""Seconds that a SUT may take to release its resources."""


def start_child(name: str, module: str, log: Path, arguments: Sequence[str] = ()) -> tuple[Child, Connection]:
    """A child that runs `module.main` and ends when this process does, and our end of its control connection."""
    ours, theirs = socket.socketpair()
    words = [str(theirs.fileno()), module, *arguments]
    try:
        child = Child(name, "assay.mlperf.sut.child_main", words, log, keep_fds=[theirs.fileno()])
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    control = Connection(ours.detach())
    with suppress(BrokenPipeError, ConnectionResetError):  # it has died: the next message tells
        control.send((sys.path, settings.current()))
    return child, control


class SutHost:
    """One SUT process, from loading to closing."""

    def __init__(
        self, build: Build, log: Path, on_progress: OnProgress, load_timeout_s: float | None
    ) -> None:
        self._on_progress = on_progress
        self._phase = "loading"
        self.worst_endpoint = ""
        """The SUT's last word on its endpoints in this phase: the worst of several."""
        self._at_end = ExitStack()
        self.address = str(self._at_end.enter_context(scratch.folder("assay-sut-")) / "sut")
        try:
            self.child, self.control = start_child(
                "the SUT process", "assay.mlperf.sut.process", log, [self.address]
            )
        except BaseException:
            self._at_end.close()
            raise
        try:
            self.control.send(build)
            self.used = self._report(load_timeout_s)
        except (BrokenPipeError, ConnectionResetError):
            error = self.failure()
            self.end()
            raise error from None
        except BaseException:
            self.end()
            raise

    def refresh(self) -> Used:
        """Ask the SUT once more what is in use; its details may have grown. Raises: its failure, or its death."""
        return self._asked(Ask())

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> Used:
        """Have another data set answered by what is loaded. Raises: the SUT's failure, or its death."""
        return self._asked(Renew(spec, samples))

    def begin(self, mode: Mode) -> None:
        """Tell the SUT what the next run is for."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died: whoever hears it is told
            self.control.send(Begin(mode))

    def hear(self) -> bool:
        """Pass on messages of the SUT; True when there were some. Raises: its failure, or its death."""
        heard = False
        while self.control.poll():
            heard = True
            message = self._receive()
            if isinstance(message, Line):
                self._on_progress(Progress(self._phase, message=message.text))
            elif isinstance(message, WorstSoFar):
                self.worst_endpoint = message.words
            else:
                raise RunFailed(f"the SUT process sent an unexpected {type(message).__name__}", "see its log")
        return heard

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Lines from the SUT are reported under this name."""
        self._phase, self.worst_endpoint = name, ""
        try:
            yield
        finally:
            self._phase = ""

    def probe(self, count: int, samples: int, timeout_s: float | None) -> float:
        """Samples/s over `count` queries handed straight to the SUT, all at once. Raises: `failure`, RunFailed."""
        try:
            return self._probe(count, samples, timeout_s)
        except ConnectionError:  # it ended while it was asked
            raise self.failure() from None

    def _probe(self, count: int, samples: int, timeout_s: float | None) -> float:
        watchdog = Watchdog(timeout_s)
        channel = Channel.connect(self.address)
        with selectors.DefaultSelector() as selector:
            selector.register(channel, selectors.EVENT_READ)
            selector.register(self.control, selectors.EVENT_READ)
            start, done = time.perf_counter(), 0
            channel.issue(range(count), [i % samples for i in range(count)])
            channel.flush()
            while done < count:
                ready = {key.fileobj for key, _ in selector.select(1.0)}
                if self.control in ready and self.hear():
                    watchdog.heard()
                if channel in ready:
                    frame = channel.receive()
                    if frame is None:
                        raise self.failure()
                    # Answers of a client that broke off may still come: their ids are LoadGen's addresses.
                    done += int((frame.ids < count).sum()) if frame.kind is Kind.DONE else 0
                watchdog.saw(count, done)
                if watchdog.is_overdue:
                    raise RunFailed(unanswered(count - done, watchdog.limit_s), f"see {self.child.log}")
        seconds = time.perf_counter() - start
        channel.close()
        return count / seconds

    def drain(self, timeout_s: float | None) -> None:
        """Wait until the SUT has nothing left of a client that broke off. Raises: `failure`, RunFailed."""
        self.probe(1, 1, timeout_s)

    def failure(self) -> Exception:
        """Why the SUT process ended early: its own message, else its exit status."""
        try:
            while self.control.poll(0.2):
                message = self.control.recv()
                if isinstance(message, Failure):
                    return message.to_error(self.child.log)
        except (EOFError, OSError):
            pass
        return RunFailed(self.child.death(), f"see {self.child.log}")

    def begin_close(self) -> None:
        """The SUT releases its resources and ends; nobody waits for it here."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended already
            self.control.send(Close())

    def close(self) -> None:
        """Let the SUT release its resources; then end its process in any case."""
        try:
            self.begin_close()
            self.child.wait(CLOSE_SECONDS)
        finally:
            self.end()

    def end(self) -> None:
        self.child.end()
        self.control.close()
        self._at_end.close()

    def _asked(self, message: Ask | Renew) -> Used:
        try:
            self.control.send(message)
        except (BrokenPipeError, ConnectionResetError):  # it died after its last run
            raise self.failure() from None
        self.used = self._report(None)
        return self.used

    def _report(self, timeout_s: float | None) -> Used:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            if deadline is not None and time.monotonic() > deadline:
                raise RunFailed(f"the SUT was not loaded within {timeout_s:g} s", f"see {self.child.log}")
            if not self.control.poll(1.0):
                continue
            message = self._receive()
            if isinstance(message, UsedReport):
                return message.used
            if isinstance(message, Line):
                self._on_progress(Progress(self._phase, message=message.text))

    def _receive(self) -> object:
        try:
            message: object = self.control.recv()
        except (EOFError, OSError):
            raise self.failure() from None
        if isinstance(message, Failure):
            raise message.to_error(self.child.log)
        return message


def unanswered(count: int, limit_s: float) -> str:
    """The sentence about answers that are overdue."""
    return f"{count:,} queries were not answered: nothing came from the SUT for {limit_s:,.0f} s"
