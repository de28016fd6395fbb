"""Whose process listens on a port."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from assay.suts import listener, serve_sut
from assay.suts.serve_sut import PortTaken
from tests.suts.test_serve_sut import Silent

LISTENS = """
import socket, sys
with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    print(taken.getsockname()[1], flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").is_file(), reason="the system does not say who listens"
)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_process_that_is_not_ours_is_told(is_ours: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_ours:  # one in a group of its own is ours where we began it
        monkeypatch.setattr(psutil.Process, "parents", lambda _: [])
    words = [sys.executable, "-c", LISTENS]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=not is_ours) as process:
        assert process.stdin is not None and process.stdout is not None
        port = int(process.stdout.readline())
        found = listener.foreign(port)
        sink = Silent()
        if not is_ours:
            with pytest.raises(
                PortTaken, match=f"process {process.pid}, which is none that was started here"
            ):
                serve_sut._refuse_foreign(port, is_named=True, sink=sink)
        serve_sut._refuse_foreign(port, is_named=is_ours, sink=sink)
        process.stdin.close()
    assert found == (None if is_ours else process.pid)
    assert listener.foreign(port) is None


def test_a_child_in_a_group_of_its_own_is_ours() -> None:
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", LISTENS]
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert listener.foreign(int(process.stdout.readline())) is None
        process.stdin.close()


def test_this_process_is_one_of_ours() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert listener.foreign(taken.getsockname()[1]) is None
