"""The parent reads the LoadGen child's counts: progress, figures so far, and a limit for silence."""

from __future__ import annotations

import time
from pathlib import Path

from assay.config import Mode
from assay.ground.errors import RunFailed
from assay.mlperf.run import target_rate
from assay.mlperf.run.loadgen_job import Count
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.sut.host import unanswered
from assay.mlperf.sut.progress import LiveFigures, OnProgress, Progress, Watchdog


class Counting:
    """Turns the LoadGen child's counts into progress, with the pace since the start."""

    def __init__(self, spec: RunSpec, places: int, on_progress: OnProgress, watchdog: Watchdog) -> None:
        """`places`: queries that the SUT answers at the same time; 0 = unknown."""
        self._spec, self._expected = spec, spec.expected_samples
        self._queue = target_rate.Queue(spec, places)
        self._on_progress, self.watchdog = on_progress, watchdog
        self._started = time.monotonic()
        self._count = Count(0, 0)
        self._worst = ""

    def saw(self, count: Count) -> None:
        self._count = count
        self.watchdog.saw(count.issued, count.done)
        seconds = self.tell()
        if told := self._queue.news(count.issued, count.done, seconds):
            self._on_progress(Progress(self._spec.title, message=told))

    def heard_of(self, worst_endpoint: str) -> None:
        """The SUT names the endpoint that does worst."""
        self._worst = worst_endpoint

    def tell(self) -> float:
        """Report where the run is; gives its seconds so far."""
        count, seconds = self._count, time.monotonic() - self._started
        total = max(self._expected, count.issued)
        pace = count.done / seconds if count.done and seconds > 0 else None
        eta = (total - count.done) / pace if pace else None
        live = figures_so_far(self._spec, count, seconds, self._worst)
        self._on_progress(Progress(self._spec.title, count.done, total, pace, eta, live=live))
        return seconds

    def refuse_silence(self, log: Path) -> None:
        """Raises: RunFailed when answers are overdue."""
        self.watchdog.saw(self._count.issued, self._count.done)
        if self.watchdog.is_overdue:
            left = self._count.issued - self._count.done
            raise RunFailed(unanswered(left, self.watchdog.limit_s), f"see {log}, or allow it more time")


def figures_so_far(spec: RunSpec, count: Count, seconds: float, worst_endpoint: str = "") -> LiveFigures:
    """The figures to show `seconds` after the start of a run."""
    is_judged = spec.mode is Mode.PERFORMANCE and not spec.compliance
    has_limits = is_judged and spec.scenario.is_paced and spec.latency is not None
    return LiveFigures(
        seconds=seconds,
        least_seconds=spec.min_duration_ms / 1000 if is_judged else 0.0,
        tokens_per_s=count.tokens / seconds if count.tokens and seconds > 0 else None,
        in_flight=count.issued - count.done,
        ttft_p99_ms=count.latency.ttft_p99_ms,
        tpot_p99_ms=count.latency.tpot_p99_ms,
        ttft_limit_ms=spec.latency.ttft_ms if has_limits and spec.latency else None,
        tpot_limit_ms=spec.latency.tpot_ms if has_limits and spec.latency else None,
        is_judged=is_judged,
        worst_endpoint=worst_endpoint,
    )
