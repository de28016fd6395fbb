"""Ends the process of a CM or MLC verb without Python's own teardown, which costs such a command 6 to 17 ms.

What somebody may count on at the end of a process is looked for first: where there is any, the process ends the
usual way. docs/adr/0016-start-up.md says why this is the only such means.
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
    """Call `main`, and end the process with its exit code."""
    before = _open_files()
    code = main()
    if before is not None and _nothing_is_left(before):
        os._exit(code)
    _write_open_files()
    sys.exit(code)


def _nothing_is_left(before: set[str]) -> bool:
    """No function to call at the end, no thread to wait for, no open file of a hook that may not be written yet."""
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
    """Write what hooks left in files they did not close: Python may drop it, as it ends them in no sure order."""
    for thing in gc.get_objects():
        if isinstance(thing, io.IOBase) and not thing.closed:
            with contextlib.suppress(OSError, ValueError):
                thing.flush()


def _open_files() -> set[str] | None:
    try:
        return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path costs more than the rest of this
    except OSError:
        return None
