"""Ends a process when the one that started it ends: it watches a connection whose other end its parent holds."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from assay.ground import files

HOLDER_SECONDS = 1.0
"""Between two looks whether a folder is still held."""
PARENT_GONE = 5
"""Exit code. No process is left to read it."""


def tie(descriptor: int) -> None:
    """End this process and its process group, without a word, as soon as the other end of `descriptor` is closed.

    `descriptor`: a socket, or the reading end of a pipe. The kernel closes the other end however its holder dies.
    A thread waits, so that the process may be busy; it sleeps until then.
    """
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()


def tie_to_holder(folder: Path, every_s: float = HOLDER_SECONDS) -> None:
    """As `tie`, to the process that holds `folder` (`files.held`), looked at again and again: across the wall of a
    container no pipe need lead. Does nothing where nobody holds it, as on a file system without locks."""
    if files.is_held(folder):
        threading.Thread(target=_end_without_holder, args=(folder, every_s), daemon=True).start()


def _end_without_holder(folder: Path, every_s: float) -> None:
    with suppress(OSError):  # the folder is gone: so is the work
        while files.is_held(folder):
            time.sleep(every_s)
    _end()


def _end_with(descriptor: int) -> None:
    waiting = select.poll()
    waiting.register(descriptor, 0)  # no data: a hang-up and an error are reported in any case
    waiting.poll()
    _end()


def _end() -> None:
    if os.getpgrp() == os.getpid():  # a group of its own: a compiler at work ends with it
        os.killpg(0, signal.SIGKILL)
    os._exit(PARENT_GONE)  # also where no signal ends it: as the first process of a container
