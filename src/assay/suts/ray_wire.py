"""The wire between the dispatcher and a replica: one connection of TCP, on which the frames of `channel` pass.

Ray places actors, ships what they need and notices their death; it does not carry queries and answers, since a call of
Ray costs both ends about half a millisecond of processor time, and a frame a tenth of that. Each end proves that it
knows the secret of the run before anything else is read. Knows nothing of Ray.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
import struct
import threading
from contextlib import suppress

from assay.ground.errors import RunFailed
from assay.mlperf.sut.channel import Channel, socket_name

SECRET_BYTES = 32
SHAKE_S = 10.0
"""Longest wait for a connection, and for each word of its proof."""
SEND_S = 10.0
"""A replica that takes nothing for so long is given up: whoever sends holds up all others."""
PIECE_BYTES = 1 << 20
DISPATCHER, REPLICA = b"dispatcher", b"replica"


def secret() -> bytes:
    """A new one, for one run."""
    return secrets.token_bytes(SECRET_BYTES)


class Entrance:
    """Where the dispatcher reaches a replica: what comes in goes on to its SUT process, and back."""

    def __init__(self, address: str, secret: bytes, sut: str) -> None:
        """`address`: of this node in the cluster; `sut`: the socket of the SUT process. Raises: OSError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._secret, self._sut = secret, sut
        threading.Thread(target=self._accept, name="entrance", daemon=True).start()

    def close(self) -> None:
        """Nobody is let in any more; a connection that is open ends with its SUT."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        """Each caller has a thread, so that a silent one keeps nobody out."""
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._let_in, args=(caller,), daemon=True).start()

    def _let_in(self, caller: socket.socket) -> None:
        """The dispatcher; whoever does not know the secret is turned away."""
        if not _is_proven(caller, self._secret, REPLICA, DISPATCHER):
            caller.close()
            return
        self.close()
        inner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with socket_name(self._sut) as name:
                inner.connect(name)
        except OSError:  # it has ended: `Replica.hear` tells why
            caller.close()
            inner.close()
            return
        for source, target in ((caller, inner), (inner, caller)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def connect(address: str, port: int, secret: bytes) -> Channel:
    """The dispatcher's end. Raises: RunFailed when nobody is there who knows the secret."""
    where = f"{address}:{port}"
    try:
        made = socket.create_connection((address, port), SHAKE_S)
    except OSError as error:
        raise RunFailed(
            f"a replica cannot be reached at {where}: {error.strerror or error}",
            "the nodes of a cluster must reach each other at any port, as Ray itself asks",
        ) from error
    if not _is_proven(made, secret, DISPATCHER, REPLICA):
        made.close()
        raise RunFailed(f"who answers at {where} is not the replica", "see what else uses its ports")
    seconds = struct.pack("ll", int(SEND_S), 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
    return Channel(made)


def _is_proven(made: socket.socket, secret: bytes, mine: bytes, theirs: bytes) -> bool:
    """Each end sends a random word and gets it back, hashed with the secret and the other's name. True: it is known."""
    made.settimeout(SHAKE_S)
    word = secrets.token_bytes(SECRET_BYTES)
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sendall(word)
        made.sendall(_hashed(secret, mine, _exactly(made)))
        is_known = hmac.compare_digest(_exactly(made), _hashed(secret, theirs, word))
    except OSError:
        return False
    made.settimeout(None)
    return is_known


def _hashed(secret: bytes, name: bytes, word: bytes) -> bytes:
    return hmac.new(secret, name + word, hashlib.sha256).digest()


def _exactly(made: socket.socket) -> bytes:
    """The next word. Raises: OSError when it does not come."""
    found = b""
    while len(found) < SECRET_BYTES:
        if not (more := made.recv(SECRET_BYTES - len(found))):
            raise ConnectionError("the connection was closed")
        found += more
    return found


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Everything of one goes to the other, until either ends; then both do."""
    piece = memoryview(bytearray(PIECE_BYTES))
    with suppress(OSError):
        while size := source.recv_into(piece):
            target.sendall(piece[:size])
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
