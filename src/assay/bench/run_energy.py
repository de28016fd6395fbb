"""What a run took in energy: the machine's counters over the time from its first query to its last answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.machine import energy
from assay.machine.energy import EnergyMeter
from assay.mlperf.record.result import EnergyPart, EnergyUsed
from assay.mlperf.run.request_times import RequestTimes
from assay.mlperf.sut.kind import SutKind

ELSEWHERE = "the system under test may be another machine: the counters of this one tell nothing of it"


@contextmanager
def metered(kind: SutKind) -> Iterator[EnergyMeter]:
    """A meter for the time of the block."""
    if kind.is_elsewhere:
        yield EnergyMeter([], ELSEWHERE)
        return
    with energy.metered() as meter:
        yield meter


def used(meter: EnergyMeter, times: RequestTimes) -> EnergyUsed:
    """Asked when the meter is closed."""
    found = meter.measured(int(times.issued_ns.min()), int(times.end_ns.max()))
    tokens = int(times.tokens.sum())
    per_token = None if found.joules is None or not tokens else found.joules / tokens
    parts = tuple(EnergyPart(part.name, part.covers, part.joules, part.why_not) for part in found.parts)
    return EnergyUsed(found.joules, per_token, found.seconds, found.covers, parts, found.why_not)
