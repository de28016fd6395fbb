"""When bytes arrived: by the system's stamp where there is one, which no busy event loop makes later.

Linux stamps each segment as it comes in and hands the stamp of the last one out with the bytes (SO_TIMESTAMPNS,
socket(7)). Of several segments that are read at once, merged in the queue or not, that is the last one's, also when
the first part of them is read alone (seen with Linux 6.18 on loopback). So the time of an event that was read with
later ones is too late by what lies between them, and never later than the reading.
"""

from __future__ import annotations

import time
from collections.abc import Callable

NO_STAMP = 0
STEP_NS = 1_000_000
"""Stamps are of CLOCK_REALTIME. When that moves by so much against CLOCK_MONOTONIC between two arrivals, it was set."""


class ArrivalClock:
    """One for all connections of a loop. Its times are of CLOCK_MONOTONIC, ns."""

    def __init__(
        self, realtime: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._realtime, self._monotonic = realtime, monotonic
        self._offset_ns = monotonic() - realtime()
        self._set_ns = 0
        """When the last step of the realtime clock was seen: stamps from before it are of another clock."""

    def arrived(self, stamp_ns: int, sent_ns: int, last_ns: int) -> tuple[int, bool]:
        """When the bytes arrived that were read just now, and whether their stamp says so. A stamp is not believed that
        lies before `sent_ns`, when the request was sent, after now, or before a step of the clock: then the time is
        that of the reading. It is never before `last_ns`, when the bytes before them on the connection arrived."""
        # Realtime first: a wait between the two makes a time later, and never later than now. It also makes the rest of
        # a segment, which has the stamp of its first part, seem earlier than that.
        for _ in range(2):  # a long wait between the two looks like a step, and a step is there again
            realtime = self._realtime()
            now = self._monotonic()
            offset = now - realtime
            if abs(offset - self._offset_ns) <= STEP_NS:
                break
        else:
            self._set_ns = now
        self._offset_ns = offset
        at = stamp_ns + offset
        is_believed = stamp_ns != NO_STAMP and max(sent_ns, self._set_ns) <= at <= now
        return (max(at, last_ns), True) if is_believed else (now, False)
