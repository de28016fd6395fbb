"""One replica, in an actor on its node: the other SUT in a process of its own, exactly as it runs without Ray.

Queries and answers do not pass through its methods: they go by `ray_wire`. Each kind of call has a thread of its own,
so that it can be heard of while it loads. Imports no Ray: an actor is made of this class where the cluster is.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import NamedTuple

from assay.ground import cores, scratch
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.host import SutHost
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Build, Failure
from assay.mlperf.sut.progress import Progress
from assay.suts import ray_node
from assay.suts.ray_node import NodeFacts
from assay.suts.ray_wire import Entrance


class Heard(NamedTuple):
    """What a replica has to tell, beside its answers."""

    lines: tuple[str, ...] = ()
    worst_endpoint: str = ""
    failure: Failure | None = None


class Loaded(NamedTuple):
    """What a replica says once its SUT is there."""

    used: Used
    port: int
    """Of its node, where its wire begins."""
    seconds: float
    """From the call to the loaded SUT."""


class Setup(NamedTuple):
    """What a replica is made of, beside the samples."""

    module: str
    spec: SutSpec
    first_core: int
    """Of the cores that its node lets it use, counted from 0."""
    cores: int
    """How many it is bound to, where the node has so many."""
    address: str
    """Of its node, as the cluster knows it."""
    secret: bytes
    """Of this run: `ray_wire`."""


class Replica:
    """`load` once; then `hear` until `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._host: SutHost | None = None
        self._entrance: Entrance | None = None
        self._lines: deque[str] = deque()
        self._asking = threading.Lock()
        self._has_lines = threading.Event()
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

    def load(self, setup: Setup, samples: Sequence[Sample]) -> Loaded | Failure:
        """What was loaded, or why nothing was."""
        began = time.monotonic()
        folder = self._at_end.enter_context(scratch.folder("assay-replica-"))
        build = Build(setup.module, setup.spec, samples)
        try:
            with _bound(setup.first_core, setup.cores):
                self._host = host = SutHost(build, folder / "sut.log", self._said, None)
            self._entrance = Entrance(setup.address, setup.secret, host.address)
        except Exception as error:  # the boundary: told as a sentence, as an actor's own errors are pickled
            return Failure.of(error, f"{self._name} could not be loaded")
        return Loaded(host.used, self._entrance.port, time.monotonic() - began)

    def hear(self, wait_s: float) -> Heard:
        """What there is to tell, after `wait_s` at the latest."""
        failure = None
        host = self._host
        if host is None:
            self._has_lines.wait(wait_s)
            self._has_lines.clear()
        else:
            try:
                self._listen(host, wait_s)
            except Exception as error:  # as in `load`
                failure = Failure.of(error, f"{self._name} failed")
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        return Heard(tuple(lines), host.worst_endpoint if host else "", failure)

    def used(self) -> Used | Failure:
        """What is in use now."""
        assert self._host is not None
        try:
            with self._asking:
                return self._host.refresh()
        except Exception as error:  # as in `load`
            return Failure.of(error, f"{self._name} failed")

    def close(self) -> None:
        if self._entrance is not None:
            self._entrance.close()
        if self._host is not None:
            self._host.close()
        self._at_end.close()

    def _said(self, progress: Progress) -> None:
        if progress.message:
            self._lines.append(progress.message)
            self._has_lines.set()

    def _listen(self, host: SutHost, wait_s: float) -> None:
        """Raises: why its SUT ended."""
        if wait([host.control], wait_s) and self._asking.acquire(timeout=wait_s):
            try:
                host.hear()
            finally:
                self._asking.release()


@contextmanager
def _bound(first: int, count: int) -> Iterator[None]:
    """What this thread starts runs on these of the usable cores alone, so that a SUT takes no more threads than its
    share."""
    usable = cores.usable_ids()
    chosen = usable[first : first + count]
    if len(chosen) != count:
        yield
        return
    os.sched_setaffinity(0, chosen)
    os.putenv("OMP_NUM_THREADS", str(count))
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)
