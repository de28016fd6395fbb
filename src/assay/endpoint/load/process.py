"""A process of a load: it runs its share of each level that it is told, and hands the requests back.

to it     SETTING (once, first)   ORDERS (a level)
from it   PULSE (a LevelProgress: once it can begin, and then of a level)   CAME (the level's requests)
          BROKEN (why there are none)
"""

from __future__ import annotations

import signal
import socket

import msgspec

from assay.endpoint.address import parse
from assay.endpoint.apis import APIS
from assay.endpoint.clients.crossing import FrameKind, FrameReader, frame
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.load.drive import NOTHING, LoadDrive, LoadPlan, LoadPrompt, LoadShare
from assay.endpoint.load.level import LoadLevel
from assay.endpoint.rotation import Endpoint
from assay.ground.errors import RunFailed

_READ = 2**18


class LoadSetting(msgspec.Struct, frozen=True, array_like=True):
    """What a process of a load is made of."""

    api: str
    urls: tuple[str, ...]
    token: str | None
    prompts: list[LoadPrompt]
    duration_s: float
    seed: int
    limits: ClientLimits
    share: LoadShare = LoadShare()

    def __repr__(self) -> str:
        return f"LoadSetting({self.api}, {', '.join(self.urls)})"  # without the token


class LevelShare(msgspec.Struct, frozen=True, array_like=True):
    """A level as one process runs it: of a closed loop its own open requests, of a rate the whole rate."""

    level: LoadLevel
    start_ns: int


def drive_of(setting: LoadSetting) -> LoadDrive:
    """Raises: OSError for the name of a server that is not known."""
    api = APIS[setting.api]
    endpoints: list[Endpoint[LoadPrompt]] = [
        Endpoint.at(parse(url), api.path, setting.token) for url in setting.urls
    ]
    plan = LoadPlan(api, setting.prompts, setting.duration_s, setting.seed, setting.limits)
    return LoadDrive(plan, endpoints, setting.share)


def main(descriptor: int) -> None:
    """In its process, until the other end of `descriptor` closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gives the levels decides
    control, frames = socket.socket(fileno=descriptor), FrameReader()
    drive: LoadDrive | None = None
    while data := control.recv(_READ):
        for kind, value in frames.feed(data):
            if kind is FrameKind.SETTING:
                try:
                    drive = drive_of(msgspec.msgpack.decode(value, type=LoadSetting))
                except OSError as error:
                    said = f"the name of a server is not known: {error}"
                    control.sendall(frame(FrameKind.BROKEN, said))
                    return
                control.sendall(frame(FrameKind.PULSE, NOTHING))
            else:
                assert drive is not None
                control.sendall(_run(drive, msgspec.msgpack.decode(value, type=LevelShare), control))


def _run(drive: LoadDrive, asked: LevelShare, control: socket.socket) -> bytes:
    try:
        rows = drive.run(
            asked.level, lambda seen: control.sendall(frame(FrameKind.PULSE, seen)), asked.start_ns
        )
    except RunFailed as error:
        return frame(FrameKind.BROKEN, error.message)
    return frame(FrameKind.CAME, rows)
