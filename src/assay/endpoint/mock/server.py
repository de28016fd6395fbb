"""Runs a mock server until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from assay.endpoint.arrivals import arrival_buffer
from assay.endpoint.mock.connection import MockConnection
from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.state import MockState

_BACKLOG = 4096


async def serve(
    script: MockScript, host: str, port: int, ready: Callable[[int], None], *, shares_port: bool = False
) -> None:
    """Serve until cancelled. `ready` is called with the port once connections are taken. `shares_port`: other mocks may
    listen there too, and the system deals the connections out. Raises OSError for a port that is taken."""
    state, buffer = MockState(script), arrival_buffer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: MockConnection(state, buffer), host, port, backlog=_BACKLOG, reuse_port=shares_port or None
    )
    async with server:
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()
