"""Score and Target: a measured figure with its uncertainty, and the limits that a round sets for it.

They are paired by metric name only; nothing here has a position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """Gate of one metric in one round; `low` and `high` are inclusive, None = no limit on that side."""

    metric: str
    unit: str
    low: float | None
    high: float | None
    reference: float | None
    """The reference model's own score, from which the gates were derived."""
    source: str

    def met_by(self, score: Score) -> bool | None:
        """True or False, or None when the score has no value. Refuses a score of another metric."""
        if score.metric != self.metric:
            raise ValueError(f"target of {self.metric} held against a score of {score.metric}")
        if score.value is None:
            return None
        return (self.low is None or score.value >= self.low) and (
            self.high is None or score.value <= self.high
        )


@dataclass(frozen=True)
class Score:
    """One metric over n samples. `value` is None when it was not measured or could not be graded."""

    metric: str
    """Checker's key: rouge1, rouge2, rougeL, gsm8k, mbxp, tokens_per_sample."""
    value: float | None
    unit: str
    n: int
    """Samples that the value is over."""
    interval: tuple[float, float] | None
    """95 % interval of the value (Wilson for shares, normal for means); None for too few or equal values."""
    ungraded: int = 0
    """Samples that could not be graded; while it is above 0 the value is None: ungraded is not wrong."""
    reason: str = ""
    """Why the value is None, and what to install; or why a value has no interval."""
    details: Mapping[str, object] = field(default_factory=dict)
    """For example passed / run / ungraded per MBXP language."""
    by_sample: Mapping[int, float] = field(default_factory=dict, repr=False, compare=False)
    """Sample index -> that sample's own value in `unit`; for holding two answers to one sample side by side."""
    why: Mapping[int, str] = field(default_factory=dict, repr=False, compare=False)
    """Sample index -> why it was judged so, where that is known; foreign text may be in it."""
