"""The client processes as the process sees them that measures: orders out, what has come in, and who has died."""

from __future__ import annotations

import selectors
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from assay.endpoint.arrivals import arrival_buffer
from assay.endpoint.clients import process
from assay.endpoint.clients.crossing import (
    CAME,
    PULSE,
    Came,
    ClientSetting,
    EndedStream,
    FrameKind,
    FrameReader,
    Order,
    Pulse,
    frame,
)
from assay.endpoint.clients.dealer import Dealer
from assay.endpoint.failure import FailureKind
from assay.ground.errors import EnvironmentProblem

_WORKER = "assay.endpoint.clients.worker"


class Hearer(Protocol):
    """Is told in the fleet's thread, and by `ask` of what fails at once. What it raises there is handed to `broke`."""

    def came(self, came: Came) -> None: ...

    def broke(self, error: BaseException) -> None: ...


@dataclass
class _ClientProcess:
    popen: subprocess.Popen[bytes]
    socket: socket.socket
    frames: FrameReader = field(default_factory=FrameReader)
    said: str = ""
    """Why it breaks off, by its own word."""
    pulses: list[Pulse] = field(default_factory=list)


class ClientFleet:
    """`count` processes that share the limit of requests in flight."""

    def __init__(self, setting: ClientSetting, count: int, hearer: Hearer) -> None:
        """Raises: EnvironmentProblem when a process cannot be started."""
        share = -(-setting.limits.in_flight // count)
        self._hearer = hearer
        self._dealer = Dealer(count, share)
        self._lock = threading.Lock()
        self._is_closing = False
        self._processes: list[_ClientProcess] = []
        self._buffer = arrival_buffer()
        limits = replace(setting.limits, in_flight=share)
        try:
            for at in range(count):
                urls = setting.urls[at % len(setting.urls) :] + setting.urls[: at % len(setting.urls)]
                made = _ClientProcess(*process.start(_WORKER))
                self._processes.append(made)
                made.socket.sendall(
                    frame(FrameKind.SETTING, ClientSetting(setting.api, urls, setting.token, limits))
                )
        except OSError as error:
            self._end_all()
            raise EnvironmentProblem(
                f"no client process can be started: {error}", "fewer --clients"
            ) from error
        self._thread = threading.Thread(target=self._listen, name="clients", daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        return len(self._processes)

    @property
    def pids(self) -> list[int]:
        return [each.popen.pid for each in self._processes]

    def pulses(self) -> list[list[Pulse]]:
        """Of each process, what it has told since it was last asked for, and the last one of before."""
        with self._lock:
            taken = [list(each.pulses) for each in self._processes]
            for each in self._processes:
                del each.pulses[:-1]
        return taken

    def ask(self, orders: Sequence[Order]) -> None:
        """Orders fail at once when no process is left."""
        with self._lock:
            is_alone = self._dealer.is_alone
            if not is_alone:
                self._send(self._dealer.deal(orders))
        if is_alone:
            self._fail([number for number, *_ in orders], "no client process is left")

    def hand_over(self, hands_over: bool) -> None:
        """Whether queries of a server that fails go to another."""
        with self._lock:
            for each in self._processes:
                self._write(each, frame(FrameKind.HANDS_OVER, hands_over))

    def close(self) -> None:
        """Ends all processes, whatever they do."""
        with self._lock:
            self._is_closing = True
        for each in self._processes:
            with suppress(OSError):
                each.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._end_all()

    def _end_all(self) -> None:
        for each in self._processes:
            each.socket.close()
        for each in self._processes:
            process.end(each.popen)

    def _send(self, dealt: dict[int, list[Order]]) -> None:
        for at, orders in dealt.items():
            self._write(self._processes[at], frame(FrameKind.ORDERS, orders))

    def _write(self, to: _ClientProcess, data: bytes) -> None:
        with suppress(OSError):  # it has died: `_listen` is told
            to.socket.sendall(data)

    # In the fleet's own thread.

    def _listen(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                for at, each in enumerate(self._processes):
                    selector.register(each.socket, selectors.EVENT_READ, at)
                while selector.get_map():
                    for key, _ in selector.select():
                        if not self._heard(key.data):
                            selector.unregister(key.fileobj)
        except BaseException as error:  # the thread's boundary
            self._hearer.broke(error)
            raise

    def _heard(self, at: int) -> bool:
        """Whether the process lives on."""
        told = self._processes[at]
        try:
            size = told.socket.recv_into(self._buffer)
        except ConnectionResetError:
            size = 0
        if not size:
            self._lost(at)
            return False
        for kind, value in told.frames.feed(self._buffer[:size]):
            if kind is FrameKind.CAME:
                self._came(at, CAME.decode(value))
            elif kind is FrameKind.PULSE:
                with self._lock:
                    told.pulses.append(PULSE.decode(value))
            else:
                told.said = msgspec.msgpack.decode(value, type=str)
        return True

    def _came(self, at: int, came: Came) -> None:
        self._hearer.came(came)
        if came.ended:
            with self._lock:
                self._dealer.ended(at, (each.number for each in came.ended))
                self._send(self._dealer.deal())

    def _lost(self, at: int) -> None:
        """A process has ended: what it carried has failed, and what waits goes to the others."""
        if self._is_closing:
            return
        gone = self._processes[at]
        with self._lock:  # `ask` may be writing to it
            gone.socket.close()
        status = process.end(gone.popen)
        how = gone.said or (f"killed by signal {-status}" if status < 0 else f"exit code {status}")
        detail = f"client process {at + 1} of {self.count} ended: {how}"
        with self._lock:
            numbers = self._dealer.lost(at)
            self._send(self._dealer.deal())
        self._fail(numbers, detail)

    def _fail(self, numbers: Sequence[int], detail: str) -> None:
        kind = FailureKind.CLIENT.name
        ended = [EndedStream(number, "", failure=kind, detail=detail) for number in numbers]
        self._hearer.came(Came([], [], ended))
