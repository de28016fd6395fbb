"""Levels of load and limits of good answers: how their texts are read, and what they ask for."""

from __future__ import annotations

import itertools

import pytest

from assay.endpoint.load.level import Goodput, LoadKind, LoadLevel, goodput, levels
from assay.ground.errors import ConfigError


def test_levels_are_in_ascending_order_and_closed_loops_come_first() -> None:
    found = levels("16, 1,4,4", "2,0.5")
    assert [each.label for each in found] == [
        "concurrency 1", "concurrency 4", "concurrency 16", "0.5 requests/s", "2 requests/s",
    ]  # fmt: skip
    assert levels(None, None) == levels("", ",") == ()


@pytest.mark.parametrize(
    ("concurrency", "rate"),
    [
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("x", None),
        ("1e9", None),
        (None, "nan"),
        (None, "inf"),
        ("1;2", None),
    ],
)
def test_what_is_no_level_is_refused_by_its_option(concurrency: str | None, rate: str | None) -> None:
    with pytest.raises(ConfigError, match="--concurrency" if concurrency else "--rate"):
        levels(concurrency, rate)


def test_the_times_of_a_rate_are_the_same_draws_scaled() -> None:
    slow = list(LoadLevel(LoadKind.RATE, 10).times_s(100, 7))
    fast = list(LoadLevel(LoadKind.RATE, 20).times_s(50, 7))
    assert slow == pytest.approx([2 * at for at in fast])
    assert len(slow) == pytest.approx(1000, rel=0.1) and slow[-1] < 100
    assert slow != list(LoadLevel(LoadKind.RATE, 10).times_s(100, 8))
    gaps = [after - before for before, after in itertools.pairwise(slow)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread == pytest.approx(mean, rel=0.15)  # of an exponential distribution both are the same


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("ttft:500ms,tpot:50ms", Goodput(500, 50)),
        ("ttft:0.5s", Goodput(500)),
        ("tpot:50", Goodput(None, 50)),
        ("e2e:2s , ttft:1s", Goodput(1000, None, 2000)),
    ],
)
def test_limits_of_good_answers_are_read_in_ms_and_s(text: str, limits: Goodput) -> None:
    assert goodput(text) == limits


@pytest.mark.parametrize(
    "text", ["ttft", "ttft:", "ttft:x", "itl:3", "ttft:-1", "ttft:0", "ttft:infs", "ttft:1,ttft:2"]
)
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--goodput"):
        goodput(text)


def test_a_refused_limit_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ConfigError, match="'ttfb'") as near:
        goodput("ttfb:5ms")
    assert near.value.hint == "did you mean ttft?"
    with pytest.raises(ConfigError, match="'5 min' is no time; ms where no unit stands"):
        goodput("ttft:5 min")
    with pytest.raises(ConfigError, match="ttft is there twice"):
        goodput("ttft:1,ttft:2")


def test_a_good_answer_keeps_every_limit_that_there_is() -> None:
    limits = Goodput(ttft_ms=100, tpot_ms=10)
    assert limits.words == "ttft 100 ms, tpot 10 ms"
    assert limits.holds(100, 10, 9999) and limits.holds(1, None, 1)
    assert not limits.holds(101, 1, 1) and not limits.holds(1, 11, 1)
    assert not Goodput(e2e_ms=5).holds(1, 1, 6)
