from __future__ import annotations

import pytest

from assay.mlperf.rounds.target import Score, Target


def target(low: float | None, high: float | None) -> Target:
    return Target("tokens_per_sample", "tokens/sample", low, high, 145.9, "a round")


def score(value: float | None, metric: str = "tokens_per_sample") -> Score:
    return Score(metric, value, "tokens/sample", 10, None)


@pytest.mark.parametrize(
    ("low", "high", "value", "met"),
    [
        (131.31, 160.49, 131.31, True),  # both limits are inclusive
        (131.31, 160.49, 160.49, True),
        (131.31, 160.49, 131.309, False),
        (131.31, 160.49, 160.491, False),
        (131.31, None, 999.0, True),
        (None, 160.49, 0.0, True),
        (None, 160.49, 161.0, False),
        (None, None, 5.0, True),
        (131.31, 160.49, None, None),
    ],
)
def test_a_target_is_met_from_its_lower_to_its_upper_limit(
    low: float | None, high: float | None, value: float | None, met: bool | None
) -> None:
    assert target(low, high).met_by(score(value)) is met


def test_a_score_is_never_held_against_the_target_of_another_metric() -> None:
    with pytest.raises(ValueError, match="target of tokens_per_sample held against a score of rouge1"):
        target(1.0, None).met_by(score(2.0, "rouge1"))
