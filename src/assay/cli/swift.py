"""Ends a CM or MLC verb as soon as it is done.

Such a command is often over in hundredths of a second, of which Python would take one or two to collect what need
not be collected and to put itself away. What somebody may count on at the end of a process is looked for
first: where there is any, the process ends the usual way.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable
from types import ModuleType

from assay.recipes.typing_stub import Any

# Net new objects before Python looks for cycles: more than a small command makes, less than 50 MB.
OBJECTS = 100_000


def run(main: Callable[[], int]) -> None:
    """Call `main`, and end the process with its exit code."""
    gc.set_threshold(OBJECTS)
    import_pathlib_alone()
    before = _open_files()
    code = main()
    if before is not None and _nothing_is_left(before):
        os._exit(code)
    _write_open_files()
    sys.exit(code)


def import_pathlib_alone() -> None:
    """Import pathlib without urllib, which Python before 3.13 imports with it for `Path.as_uri` alone: 2 ms."""
    if "pathlib" in sys.modules or "urllib.parse" in sys.modules:
        return

    def quote_from_bytes(*arguments: Any, **named: Any) -> str:
        from urllib.parse import quote_from_bytes as quote

        return quote(*arguments, **named)

    stand_in = ModuleType("urllib.parse")
    stand_in.__dict__["quote_from_bytes"] = quote_from_bytes
    sys.modules["urllib.parse"] = stand_in
    try:
        import pathlib  # noqa: F401
    finally:
        del sys.modules["urllib.parse"]


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
