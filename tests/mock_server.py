"""A mock server in a thread, for tests of clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from assay.endpoint import single
from assay.endpoint.mock.script import script_of
from assay.endpoint.mock.server import serve


@contextmanager
def mock(**script: Any) -> Iterator[single.ProbedServer]:
    """A mock server in a thread of its own."""
    ready: list[int] = []
    is_ready = threading.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        def tell(port: int) -> None:
            ready.append(port)
            is_ready.set()

        asyncio.set_event_loop(loop)
        task = loop.create_task(serve(script_of(script), "127.0.0.1", 0, tell))
        stop.append(task)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    stop: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=run)
    thread.start()
    assert is_ready.wait(10)
    try:
        yield single.probed_server(f"http://127.0.0.1:{ready[0]}", None, 10)
    finally:
        loop.call_soon_threadsafe(stop[0].cancel)
        thread.join(10)
        loop.close()
