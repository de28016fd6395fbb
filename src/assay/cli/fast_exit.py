"""Ends the process of a CM or MLC verb without Python's own shutdown, which takes 6 to 17 ms for such a command.

If anything still has to run at the end of the process, the process ends the usual way. docs/adr/0016-start-up.md
says why this is done only here.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable


def run(main: Callable[[], int]) -> None:
    """Calls `main` and ends the process with its exit code."""
    before = _open_files()
    code = main()
    if before is not None and _nothing_is_left(before):
        os._exit(code)
    _write_open_files()
    sys.exit(code)


def _nothing_is_left(before: set[str]) -> bool:
    """Whether nothing is left to do: no registered exit function, no other thread, no open file that a hook may not
    have written."""
    registered: int = getattr(atexit, "_ncallbacks", lambda: 1)()
    threading = sys.modules.get("threading")
    if registered or (threading and threading.active_count() > 1) or _open_files() != before:
        return False
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


def _write_open_files() -> None:
    """Flushes the files that hooks left open. Python closes them in no fixed order and may lose their buffers."""
    for thing in gc.get_objects():
        if isinstance(thing, io.IOBase) and not thing.closed:
            with contextlib.suppress(OSError, ValueError):
                thing.flush()


def _open_files() -> set[str] | None:
    try:
        return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path costs more than the rest of this
    except OSError:
        return None
