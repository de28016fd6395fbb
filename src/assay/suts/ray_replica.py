"""One replica, in an actor on its node: the other SUT in a process of its own, exactly as it runs without Ray.

Each kind of call has a thread of its own, so that queries come in while answers go out. Imports no Ray: an actor is
made of this class where the cluster is.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ground import cores, scratch
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Channel, Frame, Kind
from assay.mlperf.sut.host import SutHost
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Build, Failure
from assay.mlperf.sut.progress import Progress
from assay.suts import ray_node
from assay.suts.ray_node import NodeFacts

MOST_FRAMES = 16
"""What is told at once at most: more would keep the first of it waiting."""


class Heard(NamedTuple):
    """What a replica has to tell. Numbers are the dispatcher's."""

    turn: int
    """Counts what this replica told, from 0."""
    first_numbers: NDArray[np.int64]
    first_tokens: NDArray[np.int32]
    numbers: NDArray[np.int64]
    """Of queries that are answered."""
    counts: NDArray[np.int32]
    """Tokens of each answer."""
    tokens: NDArray[np.int32]
    """Of all answers, one after the other."""
    lines: tuple[str, ...] = ()
    worst_endpoint: str = ""
    failure: Failure | None = None


class Setup(NamedTuple):
    """What a replica is made of, beside the samples."""

    module: str
    spec: SutSpec
    first_core: int
    """Of the cores that its node lets it use, counted from 0."""
    cores: int
    """How many it is bound to, where the node has so many."""


class Replica:
    """`load` once; then `issue`, `flush` and `hear` until `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._host: SutHost | None = None
        self._channel: Channel | None = None
        self._lines: deque[str] = deque()
        self._asking = threading.Lock()
        self._has_lines = threading.Event()
        self._turn = 0
        self._at_end = ExitStack()

    def pid(self) -> int:
        """Of the process of the SUT."""
        return self._host.child.pid if self._host else os.getpid()

    def memory_bytes(self) -> int:
        """Of the process of the SUT and what it started; pages that others share too are counted."""
        import psutil

        root = psutil.Process(self.pid())
        return sum(each.memory_info().rss for each in [root, *root.children(recursive=True)])

    def facts(self, folders: Sequence[Path], packages: Sequence[str]) -> NodeFacts:
        """Of the node that it is on."""
        return ray_node.facts(folders, packages)

    def clock(self) -> int:
        """Its time of day, ns."""
        return time.time_ns()

    def load(self, setup: Setup, samples: Sequence[Sample]) -> Used | Failure:
        """What was loaded, or why nothing was."""
        _bind(setup.first_core, setup.cores)
        folder = self._at_end.enter_context(scratch.folder("assay-replica-"))
        build = Build(setup.module, setup.spec, samples)
        try:
            self._host = SutHost(build, folder / "sut.log", self._said, None)
            self._channel = Channel.connect(self._host.address)
        except Exception as error:  # the boundary: told as a sentence, as an actor's own errors are pickled
            return Failure.of(error, f"{self._name} could not be loaded")
        return self._host.used

    def issue(self, numbers: NDArray[np.int64], indices: NDArray[np.int32]) -> None:
        with suppress(OSError):  # it has ended: `hear` tells why
            if self._channel is not None:
                self._channel.issue(numbers.astype(np.uint64), indices)

    def flush(self) -> None:
        with suppress(OSError):
            if self._channel is not None:
                self._channel.flush()

    def hear(self, wait_s: float) -> Heard:
        """What there is to tell, after `wait_s` at the latest."""
        frames: list[Frame] = []
        failure = None
        host, channel = self._host, self._channel
        if host is None or channel is None:
            self._has_lines.wait(wait_s)
            self._has_lines.clear()
        else:
            try:
                frames = self._listen(host, channel, wait_s)
            except Exception as error:  # as in `load`
                failure = Failure.of(error, f"{self._name} failed")
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        self._turn += 1
        worst = host.worst_endpoint if host else ""
        return Heard(self._turn - 1, *_joined(frames), tuple(lines), worst, failure)

    def used(self) -> Used | Failure:
        """What is in use now."""
        assert self._host is not None
        try:
            with self._asking:
                return self._host.refresh()
        except Exception as error:  # as in `load`
            return Failure.of(error, f"{self._name} failed")

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._host is not None:
            self._host.close()
        self._at_end.close()

    def _said(self, progress: Progress) -> None:
        if progress.message:
            self._lines.append(progress.message)
            self._has_lines.set()

    def _listen(self, host: SutHost, channel: Channel, wait_s: float) -> list[Frame]:
        frames: list[Frame] = []
        with selectors.DefaultSelector() as selector:
            selector.register(channel, selectors.EVENT_READ)
            selector.register(host.control, selectors.EVENT_READ)
            while len(frames) < MOST_FRAMES:
                ready = {key.fileobj for key, _ in selector.select(0.0 if frames else wait_s)}
                if channel in ready:
                    frames.append(_received(channel, host))
                elif host.control in ready and self._asking.acquire(blocking=False):
                    try:
                        host.hear()
                    finally:
                        self._asking.release()
                    break
                else:
                    break
        return frames


def _received(channel: Channel, host: SutHost) -> Frame:
    """Raises: why its SUT ended."""
    try:
        frame = channel.receive()
    except ConnectionError:
        frame = None
    if frame is None:
        raise host.failure()
    return frame


def _bind(first: int, count: int) -> None:
    """Run on these of the usable cores alone, so that the SUT takes no more threads than its share."""
    usable = cores.usable_ids()
    chosen = usable[first : first + count]
    if len(chosen) == count:
        os.sched_setaffinity(0, chosen)
        os.putenv("OMP_NUM_THREADS", str(len(chosen)))


def _joined(
    frames: Sequence[Frame],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Frames of a kind as one. Copies: what a call gives back must not hang on a socket's buffer."""
    firsts = [frame for frame in frames if frame.kind is Kind.FIRST]
    answers = [frame for frame in frames if frame.kind is Kind.DONE]
    return (
        np.concatenate([np.empty(0, np.int64), *(frame.ids.astype(np.int64) for frame in firsts)]),
        np.concatenate([np.empty(0, np.int32), *(frame.values for frame in firsts)]),
        np.concatenate([np.empty(0, np.int64), *(frame.ids.astype(np.int64) for frame in answers)]),
        np.concatenate([np.empty(0, np.int32), *(frame.values for frame in answers)]),
        np.concatenate([np.empty(0, np.int32), *(frame.tokens for frame in answers)]),
    )
