"""How fast LoadGen is asked to send queries, samples/s: after a probe, after a run, and what to try next. Pure."""

from __future__ import annotations

import math

from assay.config import Mode, Scenario
from assay.mlperf.record.result import ModeResult, RunValidity
from assay.mlperf.rounds.early_stopping import least_queries
from assay.mlperf.run.run_spec import RunSpec

OFFLINE_MARGIN = 1.2
"""An Offline query is sized by target x duration, and too small a one ends before the duration is over. A choice: a
run may be 20 % faster than the probe told, and takes 20 % longer where it is not."""
SERVER_SHARE = 0.7
"""Arrival rate of a Server run as a share of what is reached at full load: below it, so that no queue builds up. A
choice that most systems can keep; `assay tune` finds the highest."""
QUERIES_MARGIN = 1.1
"""Queries come at random times: a duration that is just enough on average is too short in half of all runs. A choice:
of 459 queries 10 % are twice the standard deviation."""


def below_or_above(scenario: Scenario, reached: float) -> float:
    """The target for a system that reached so many samples/s at full load; four significant digits."""
    share = SERVER_SHARE if scenario.is_paced else OFFLINE_MARGIN
    return float(f"{reached * share:.4g}")


def better(run: ModeResult) -> float | None:
    """A target with which this run would not be INVALID; None where it is not, or another target is no help."""
    reached = run.figure("samples_per_s")
    if run.faults:
        return None
    if run.mode is not Mode.PERFORMANCE or run.validity is not RunValidity.INVALID or reached is None:
        return None
    asked = run.setting("target_qps") or reached.value
    if run.scenario is Scenario.OFFLINE:
        wanted = below_or_above(Scenario.OFFLINE, reached.value)
        is_short = run.seconds * 1000 < (run.setting("min_duration_ms") or 0)
        return wanted if is_short and wanted > asked else None
    if not run.scenario.is_paced:
        return None
    is_late = any((late := run.figure(name)) and late.value > ms for name, ms in run.limits_ms.items())
    return below_or_above(Scenario.SERVER, min(reached.value, asked)) if is_late else None


def longer(run: ModeResult) -> int | None:
    """Seconds of a Server run that give early stopping its queries, at the rate asked for or at `better`'s.

    None where the run is VALID, or where it is not for want of queries that it is INVALID and would be again.
    """
    is_judged = run.scenario.is_paced and run.mode is Mode.PERFORMANCE
    if run.faults or not is_judged or run.validity is not RunValidity.INVALID:
        return None
    other, least = better(run), least_queries(over=0)
    rate = other or run.setting("target_qps")
    if not rate or (other is None and run.samples >= least):
        return None
    seconds = math.ceil(QUERIES_MARGIN * least / rate)
    return seconds if seconds > (run.setting("min_duration_ms") or 0) / 1000 else None


class Queue:
    """Notices that a Server run asks for more than the SUT can do, long before LoadGen's word."""

    def __init__(self, spec: RunSpec, places: int) -> None:
        """`places`: queries that the SUT answers at the same time; 0 = unknown, and nothing is noticed."""
        is_judged = spec.scenario.is_paced and spec.mode is Mode.PERFORMANCE
        self._limit_s = spec.latency.ttft_ms / 1000 if spec.latency and places and is_judged else None
        self._places = places

    def news(self, issued: int, done: int, seconds: float) -> str:
        """What to tell, once, as soon as a new query has to wait longer for its place than its first token may take.

        `seconds`: since the first query. Nothing is told before every place has been used twice, on average: the first
        answers come late at any rate.
        """
        if self._limit_s is None or done < 2 * self._places:
            return ""
        pace, waiting = done / seconds, issued - done - self._places
        if waiting / pace <= self._limit_s:
            return ""
        told = (
            f"overloaded: {waiting} queries wait for their turn, {waiting / pace:.1f} s at {pace:.3g} samples/s, and "
            f"the first token may take {self._limit_s:g} s; LoadGen will say INVALID if this stays so. "
            f"try: --target-qps {below_or_above(Scenario.SERVER, pace):g}"
        )
        self._limit_s = None
        return told
