"""The SUT process: loads one SUT, then answers whoever connects, one client after the other.

Clients are the LoadGen child of each run and the parent's own probe. All calls into the SUT are made by the
main thread, in the order in which they arrived; two more threads only read, so that LoadGen never waits for a
busy SUT.

Started by `host` through `child_main`.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import cast

from assay.mlperf.sut.channel import Channel, Frame, Kind, socket_name
from assay.mlperf.sut.interface import Answer, FirstToken, HearsOfRuns, Query, Renewable, Sut, SutModule
from assay.mlperf.sut.message import Ask, Begin, Build, Close, Failure, Line, Renew, UsedReport, WorstSoFar

FAILED = 4
"""Exit code; the parent reads the reason from the control connection."""


class ClientSink:
    """Hands the SUT's work to the client that is connected now. A client that left gets nothing more."""

    def __init__(self, control: Connection) -> None:
        self._control = control
        self._telling = threading.Lock()
        self._changing = threading.Lock()
        self.client: Channel | None = None

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        client = self.client
        if client is not None and len(tokens):
            try:
                client.first_tokens(tokens)
            except (BrokenPipeError, ConnectionResetError):
                self.left(client)

    def done(self, answers: Sequence[Answer]) -> None:
        client = self.client
        if client is not None and len(answers):
            try:
                client.done(answers)
            except (BrokenPipeError, ConnectionResetError):
                self.left(client)

    def joined(self, client: Channel) -> None:
        with self._changing:
            self.client = client

    def left(self, client: Channel) -> None:
        """`client` gets nothing more; the one that came after it, if one did, still does."""
        with self._changing:
            if self.client is client:
                self.client = None

    def progress(self, message: str) -> None:
        self.tell(Line(message))

    def worst_endpoint(self, words: str) -> None:
        self.tell(WorstSoFar(words))

    def tell(self, message: object) -> None:
        with self._telling:
            self._control.send(message)


Event = Frame | Ask | Begin | Renew | Close


class Reader:
    """Two threads that turn what arrives on the control connection and from clients into one queue."""

    def __init__(self, control: Connection, listener: socket.socket, sink: ClientSink) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._control, self._listener, self._sink = control, listener, sink

    def start(self) -> None:
        for target in (self._read_control, self._read_clients):
            threading.Thread(target=target, daemon=True).start()

    def _read_control(self) -> None:
        with suppress(EOFError, OSError):  # the parent has gone, and `lifeline` ends this process
            while True:
                self.events.put(self._control.recv())

    def _read_clients(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            client = Channel(connection)
            self._sink.joined(client)
            try:
                while (frame := client.receive()) is not None:
                    self.events.put(frame)
            except OSError:
                traceback.print_exc()
            self._sink.left(client)
            client.close()


def serve(sut: Sut, module: SutModule, events: SimpleQueue[Event], sink: ClientSink) -> None:
    """Give the SUT everything that has arrived, in order, until told to close."""
    event: Event | None = None
    while True:
        event = event or events.get()
        if isinstance(event, Close):
            sut.close()
            return
        if isinstance(event, Ask):
            sink.tell(UsedReport(sut.used()))
            event = None
        elif isinstance(event, Begin):
            if isinstance(sut, HearsOfRuns):
                sut.begin(event.mode)
            event = None
        elif isinstance(event, Renew):
            sut = _renewed(sut, module, event, sink)
            sink.tell(UsedReport(sut.used()))
            event = None
        elif event.kind is Kind.FLUSH:
            sut.flush()
            event = None
        else:
            queries, event = _arrived(event, events)
            sut.issue(queries)


def _renewed(sut: Sut, module: SutModule, wanted: Renew, sink: ClientSink) -> Sut:
    """The SUT that answers the new data set."""
    if isinstance(sut, Renewable):
        sut.renew(wanted.spec, wanted.samples)
        return sut
    sut.close()
    return module.build(wanted.spec, wanted.samples, sink)


def _arrived(first: Frame, events: SimpleQueue[Event]) -> tuple[list[Query], Event | None]:
    """All queries that are waiting, and the event that ended them if one did: a slow SUT gets large
    batches."""
    queries = first.queries()
    while True:
        try:
            event = events.get_nowait()
        except Empty:
            return queries, None
        if not isinstance(event, Frame) or event.kind is not Kind.ISSUE:
            return queries, event
        queries += event.queries()


def main(control: Connection, address: str) -> int:
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")  # idle OpenMP threads must not take LoadGen's processor time
    sink = ClientSink(control)
    build: Build = control.recv()

    def fail(error: BaseException, what: str) -> None:
        traceback.print_exception(error)
        sys.stderr.flush()
        sink.tell(Failure.of(error, what))
        os._exit(FAILED)  # the SUT's own threads may never end

    threading.excepthook = lambda hook: fail(
        hook.exc_value or RuntimeError("unknown"), f"a thread of the {build.spec.kind} SUT failed"
    )
    try:
        module = cast(SutModule, importlib.import_module(build.module))
        sut = module.build(build.spec, build.samples, sink)
        report = UsedReport(sut.used())
    except Exception as error:
        fail(error, f"the {build.spec.kind} SUT could not be loaded")
        return FAILED
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with socket_name(address) as name:
            listener.bind(name)
        listener.listen()
        reader = Reader(control, listener, sink)
        reader.start()
        sink.tell(report)
        try:
            serve(sut, module, reader.events, sink)
        except Exception as error:
            fail(error, f"the {build.spec.kind} SUT failed")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # closed; the listener is not: a reader thread waits there
