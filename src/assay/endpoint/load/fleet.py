"""The processes of a load, as the one that wants the levels sees them: each runs its share of a level."""

from __future__ import annotations

import dataclasses
import selectors
import socket
import subprocess
import time
from dataclasses import dataclass, field
from types import TracebackType

import msgspec

from assay.endpoint.clients import process
from assay.endpoint.clients.crossing import FrameKind, FrameReader, frame
from assay.endpoint.load.drive import NOTHING, LevelProgress, LoadShare, Told
from assay.endpoint.load.level import LoadKind, LoadLevel
from assay.endpoint.load.process import LevelShare, LoadSetting
from assay.endpoint.load.timing import LoadedRequest
from assay.ground.errors import EnvironmentProblem, RunFailed

_READ = 2**18
_MODULE = "assay.endpoint.load.process"
LEAD_NS = 50_000_000
"""From the order of a level to its start, so that all begin together."""


@dataclass
class _LoadProcess:
    popen: subprocess.Popen[bytes]
    socket: socket.socket
    frames: FrameReader = field(default_factory=FrameReader)
    seen: LevelProgress = NOTHING
    rows: list[LoadedRequest] | None = None


class LoadFleet:
    """`count` processes, which share the limit of requests in flight. To be closed."""

    def __init__(self, setting: LoadSetting, count: int) -> None:
        """Raises: EnvironmentProblem when a process cannot be started."""
        share = -(-setting.limits.in_flight // count)
        limits = dataclasses.replace(setting.limits, in_flight=share)
        self._setting, self.count = msgspec.structs.replace(setting, limits=limits), count
        self._salt = time.time_ns() & 0xFFFF
        self._processes: list[_LoadProcess] = []
        self._start()

    def __enter__(self) -> LoadFleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        return [each.popen.pid for each in self._processes]

    def run(self, level: LoadLevel, told: Told) -> list[LoadedRequest]:
        """The requests of a level, in the order in which they ended. Raises: RunFailed, KeyboardInterrupt."""
        start_ns = time.monotonic_ns() + LEAD_NS
        shares = shares_of(level, self.count)
        asked = [(each, share) for each, share in zip(self._processes, shares) if share is not None]
        try:
            for each, share in asked:
                each.rows, each.seen = None, NOTHING
                each.socket.sendall(frame(FrameKind.ORDERS, LevelShare(share, start_ns)))
            rows = self._gather([each for each, _ in asked], told)
        except (RunFailed, OSError) as error:
            self.close()  # the others are still at the level
            self._start()
            raise (
                error if isinstance(error, RunFailed) else RunFailed(f"a process of the load ended: {error}")
            ) from None
        rows.sort(key=lambda row: row.end_ns)
        return [dataclasses.replace(row, query=place) for place, row in enumerate(rows)]

    def close(self) -> None:
        for each in self._processes:
            each.socket.close()
        for each in self._processes:
            process.end(each.popen)
        self._processes = []

    def _start(self) -> None:
        self._salt = (self._salt + 1) & 0xFFFF  # their numbers begin again
        try:
            for place in range(self.count):
                made = _LoadProcess(*process.start(_MODULE))
                self._processes.append(made)
                share = LoadShare(place, self.count, f"{self._salt:04x}")
                setting = msgspec.structs.replace(self._setting, share=share)
                made.socket.sendall(frame(FrameKind.SETTING, setting))
            for each in self._processes:
                while not self._heard(each):
                    pass
        except (OSError, RunFailed) as error:
            self.close()
            said, hint = (
                (error.message, "mend --url")
                if isinstance(error, RunFailed)
                else (str(error), "fewer --clients")
            )
            raise EnvironmentProblem(f"no process can be started: {said}", hint) from error

    def _gather(self, asked: list[_LoadProcess], told: Told) -> list[LoadedRequest]:
        with selectors.DefaultSelector() as selector:
            for each in asked:
                selector.register(each.socket, selectors.EVENT_READ, each)
            while any(each.rows is None for each in asked):
                for key, _ in selector.select():
                    if self._heard(key.data):
                        told(_together([each.seen for each in asked]))
        return [row for each in asked for row in each.rows or ()]

    def _heard(self, each: _LoadProcess) -> bool:
        """Whether it told how far it is. Raises: RunFailed for one that has ended, or gives the level up."""
        data = each.socket.recv(_READ)
        if not data:
            raise RunFailed("a process of the load ended", "its last words are above")
        is_told = False
        for kind, value in each.frames.feed(data):
            if kind is FrameKind.BROKEN:
                said = msgspec.msgpack.decode(value, type=str)
                raise RunFailed(said, "the server's own log; fewer at a time")
            if kind is FrameKind.CAME:
                each.rows = msgspec.msgpack.decode(value, type=list[LoadedRequest])
            else:
                each.seen, is_told = msgspec.msgpack.decode(value, type=LevelProgress), True
        return is_told


def shares_of(level: LoadLevel, count: int) -> list[LoadLevel | None]:
    """What each process runs of a level: open requests are dealt out, a rate is given whole. Pure."""
    if level.kind is LoadKind.RATE:
        return [level] * count
    each, more = divmod(int(level.value), count)
    streams = [each + (place < more) for place in range(count)]
    return [dataclasses.replace(level, value=float(open_)) if open_ else None for open_ in streams]


def _together(seen: list[LevelProgress]) -> LevelProgress:
    return LevelProgress(
        max(each.seconds for each in seen), sum(each.ended for each in seen), sum(each.open for each in seen)
    )
