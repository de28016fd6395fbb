"""Ends a process when the one that started it ends: it watches a connection whose other end its parent holds."""

from __future__ import annotations

import os
import select
import signal
import threading

PARENT_GONE = 5
"""Exit code. No process is left to read it."""


def tie(descriptor: int) -> None:
    """End this process and its process group, without a word, as soon as the other end of `descriptor` is closed.

    `descriptor`: a socket, or the reading end of a pipe. The kernel closes the other end however its holder dies.
    A thread waits, so that the process may be busy; it sleeps until then.
    """
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()


def _end_with(descriptor: int) -> None:
    waiting = select.poll()
    waiting.register(descriptor, 0)  # no data: a hang-up and an error are reported in any case
    waiting.poll()
    if os.getpgrp() == os.getpid():  # a group of its own: a compiler at work ends with it
        os.killpg(0, signal.SIGKILL)
    os._exit(PARENT_GONE)  # also where no signal ends it: as the first process of a container
