"""Accuracy logs cut to the form that submissions hold: both ends of the log, and the hash of the whole.

Source: truncate_accuracy_log.py (4096 characters at each end, `hash=` in accuracy.txt, 10 KiB at most).
"""

from __future__ import annotations

import re
from pathlib import Path

from assay.ground import files
from assay.mlperf.logs.width import ANY_GAP

END_BYTES = 4096
GAP = b"\n\n...\n\n"
_HASH = re.compile(r"\n?^hash=\w+$\n?", re.MULTILINE)


def cut(log: Path) -> bytes:
    """What the submission keeps of a log. One that the cut would not shorten stays whole.

    Example: 18,420,799 bytes become 4096 + 7 + 4096 = 8199; 5,000 bytes stay 5,000.
    """
    size = log.stat().st_size
    with log.open("rb") as file:
        if size <= 2 * END_BYTES + len(GAP):
            return file.read()
        start = file.read(END_BYTES)
        file.seek(size - END_BYTES)
        return start + GAP + file.read()


def is_cut(content: bytes) -> bool:
    """Was something cut out of an accuracy log, here or by the official script on any system?"""
    return ANY_GAP.search(content) is not None


def with_hash(accuracy_text: str, log: Path) -> str:
    """accuracy.txt with the hash of the whole log as its last line, in place of an older hash."""
    return f"{_HASH.sub('', accuracy_text).rstrip()}\n\nhash={files.sha256(log)}\n"
