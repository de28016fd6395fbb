"""A client process, from its start to its end. It ends when the process that started it does, however that ends."""

from __future__ import annotations

import socket
import subprocess
import sys

from assay.ground import lifeline

_BOOT = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from assay.endpoint.clients import process; process.main(int(sys.argv[1]))"
)
"""`sys.path` as it is here: a caller may have changed it."""
_END_SECONDS = 5.0


def start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A client process in this process's group, with its output, and our end of its connection. Raises: OSError."""
    ours, theirs = socket.socketpair()
    try:
        words = [sys.executable, "-c", _BOOT, str(theirs.fileno()), *sys.path]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def end(process: subprocess.Popen[bytes]) -> int:
    """Its exit status, once it has ended by itself or was killed. Its connection is closed before."""
    try:
        return process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def main(descriptor: int) -> None:
    """In the client process. `descriptor`: its end of the connection."""
    lifeline.tie(descriptor)  # before anything slow: the other process may be gone already
    import asyncio
    import gc

    from assay.endpoint.clients.worker import ClientWorker

    async def live() -> None:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda: ClientWorker(over), sock=socket.socket(fileno=descriptor))
        await over

    gc.freeze()
    asyncio.run(live())
