"""Who uses a folder that is marked as in use (`files.held`)."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

LOCKS = Path("/proc/locks")


def words(folder: Path) -> str:
    """`process 4711, which began at 2026-11-29T21:00:00+00:00`; `a process` where the system does not say which."""
    import psutil

    for pid in _holders(folder):
        try:
            began = datetime.fromtimestamp(psutil.Process(pid).create_time(), timezone.utc)
        except psutil.Error:
            continue
        return f"process {pid}, which began at {began.isoformat(timespec='seconds')}"
    return "a process"


def _holders(folder: Path) -> list[int]:
    """Processes that hold a lock on that folder. Linux alone has the list: see proc(5)."""
    try:
        inode, lines = folder.stat().st_ino, LOCKS.read_text().splitlines()
    except OSError:
        return []
    rows = [line.split() for line in lines if "FLOCK" in line and "->" not in line]
    return [int(row[4]) for row in rows if row[5].endswith(f":{inode}") and _has_open(int(row[4]), folder)]


def _has_open(pid: int, folder: Path) -> bool:
    """Another file system may have a file of the same number."""
    try:
        return any(handle.samefile(folder) for handle in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
