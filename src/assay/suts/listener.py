"""Whose process listens on a port of this machine, as far as /proc tells: see proc(5). Linux alone has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

LISTENS = "0A"
"""State of a socket that listens, in /proc/net/tcp. Source: Linux, include/net/tcp_states.h."""


def foreign(port: int) -> int | None:
    """The process that listens on the port and is neither of this process's group nor begun by it; None where one of
    ours listens, and where nothing says whose the socket is."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    holders = [pid for pid in _processes() if wanted & set(_links(pid))] if wanted else []
    return None if any(map(_is_ours, holders)) else next(iter(holders), None)


def _inodes(port: int) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        for row in map(str.split, rows):
            if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port:
                yield row[9]


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _links(pid: int) -> list[str]:
    """What the process has open; nothing for one that has ended, or is another user's."""
    try:
        return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def _is_ours(pid: int) -> bool:
    import psutil

    try:
        is_of_group = os.getpgid(pid) == os.getpgrp()
        return is_of_group or any(each.pid == os.getpid() for each in psutil.Process(pid).parents())
    except (OSError, psutil.Error):
        return False
