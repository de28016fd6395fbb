"""The search for the highest VALID rate, on simulated servers under LoadGen's own schedule."""

from __future__ import annotations

import dataclasses
import random

import pytest

from assay.bench.tune_search import (
    ABOVE,
    OFFICIAL_SHARE,
    RESOLUTION,
    Done,
    Probe,
    Tried,
    bracket,
    next_probe,
    stepped_down,
)
from assay.mlperf.rounds.round import Seeds
from tests.bench.simulated_server import Paced, Simulated

SEEDS = Seeds(1, 2, 3)
GUESS, DURATION_S = 10.0, 600.0


def tried(rate: float, passed: bool) -> Tried:
    return Tried(rate, passed, "", "", 1000, 2, 1000, 1000, 0, 0, 10.0, True, "")


def step_server(limit: float, guess: float, odd: frozenset[int] = frozenset()) -> tuple[Done, list[Tried]]:
    """A server that passes up to `limit`; the probes numbered in `odd` come out the wrong way."""
    history: list[Tried] = []
    while isinstance(step := next_probe(history, guess, DURATION_S), Probe):
        passed = (step.target_qps <= limit) is not (len(history) in odd)
        history.append(tried(step.target_qps, passed))
    return step, history


@pytest.mark.parametrize("seed", range(40))
def test_the_bracket_closes_on_the_limit_wherever_the_search_begins(seed: int) -> None:
    chosen = random.Random(seed)
    limit = 10 ** chosen.uniform(-3, 4)
    done, history = step_server(limit, limit * 10 ** chosen.uniform(-1, 1))
    assert done.low is not None
    assert done.high is not None
    assert done.low <= limit <= done.high
    assert done.high / done.low <= RESOLUTION * 1.001
    assert len(history) <= 20


@pytest.mark.parametrize("seed", range(40))
def test_a_search_ends_also_when_outcomes_contradict_each_other(seed: int) -> None:
    chosen = random.Random(seed)
    done, history = step_server(5.0, 3.0, frozenset(chosen.sample(range(12), 4)))
    assert len(history) <= 24
    low, high = bracket(history)
    assert (done.low, done.high) == (low, high)
    if low is not None and high is not None:
        assert low < high


def test_a_pass_above_a_failure_is_tried_again_once() -> None:
    history = [tried(10.0, False), tried(11.0, True)]
    assert next_probe(history, GUESS, DURATION_S) == Probe(10.0, "again: it failed, and a higher rate passed")
    assert bracket([*history, tried(10.0, True)]) == (11.0, None)
    again = next_probe([*history, tried(10.0, False)], GUESS, DURATION_S)
    assert isinstance(again, Probe)
    assert again.target_qps < 10.0


def test_a_server_that_passes_nothing_ends_the_search() -> None:
    done, history = step_server(0.0, 10.0)
    assert done.low is None
    assert len(history) == 24


def test_an_official_run_that_failed_is_stepped_down_by_its_violations() -> None:
    assert [stepped_down(100.0, late, 40) for late in (45, 70, 400)] == [99.0, 98.0, 95.0]


@pytest.mark.parametrize(("slots", "off"), [(1, 1.0), (8, 1.0), (8, 0.9), (64, 1.1)])
def test_nine_of_ten_seeds_are_valid_at_the_first_try_and_within_three_percent(
    slots: int, off: float
) -> None:
    first_tries = 0
    for seed in range(10):
        server = Simulated(slots, slots / 20.0, 2.0, 60.0, Seeds(1, 2, 1000 + seed))
        done, _ = server.search(ABOVE * off * server.first_guess())
        best = server.best()
        assert done.low is not None
        official = OFFICIAL_SHARE * done.low
        first_tries += server.is_valid(official)
        assert official <= best * 1.001
        assert official >= 0.97 * best
        assert server.probed_s <= 4 * server.duration_s
    assert first_tries >= 9


@pytest.mark.parametrize("slots", [1, 8, 64])
def test_systems_whose_runs_differ_by_one_percent_cost_four_official_runs_at_most(slots: int) -> None:
    first_tries = 0
    for seed in range(10):
        server = Simulated(slots, slots / 20.0, 2.0, 60.0, Seeds(1, 2, 1000 + seed), jitter=0.01)
        done, _ = server.search()
        assert done.low is not None
        assert 0.96 * server.best() <= OFFICIAL_SHARE * done.low
        assert server.probed_s <= 4 * server.duration_s
        first_tries += server.is_valid(OFFICIAL_SHARE * done.low)
    assert first_tries >= 9


def foretelling(rate: float, passed: bool, foreseen: float, seconds: float) -> Tried:
    return dataclasses.replace(tried(rate, passed), foreseen=foreseen, seconds=seconds)


def test_a_rate_that_passes_is_enough_when_a_pass_and_a_failure_foretell_no_more() -> None:
    history = [foretelling(11.0, False, 10.02, 100.0), foretelling(9.96, True, 10.05, 600.0)]
    done = next_probe(history, GUESS, DURATION_S)
    assert isinstance(done, Done) and (done.low, done.high) == (9.96, 11.0) and "10.05" in done.reason
    higher = [history[0], dataclasses.replace(history[1], foreseen=10.2)]
    assert isinstance(next_probe(higher, GUESS, DURATION_S), Probe)  # the pass foretells more
    assert isinstance(next_probe(history[1:], GUESS, DURATION_S), Probe)  # nothing has failed


def test_a_narrow_bracket_is_not_paid_for_with_more_than_four_official_runs() -> None:
    spent = [foretelling(10.2, False, 10.15, 1300.0), foretelling(10.0, True, 10.4, 610.0)]
    done = next_probe(spent, GUESS, DURATION_S)
    assert isinstance(done, Done) and (done.low, done.high) == (10.0, 10.2) and "official runs" in done.reason
    wide = [foretelling(12.0, False, 11.0, 1300.0), spent[1]]
    assert isinstance(next_probe(wide, GUESS, DURATION_S), Probe)


@pytest.mark.parametrize("base_s", [0.0, 0.5])
def test_an_overloaded_probe_foretells_the_best_rate(base_s: float) -> None:
    server = Simulated(8, 0.4, 2.0, 60.0, Seeds(1, 2, 7), base_s=base_s)
    tried = server.probe(Probe(1.1 * server.best(), ""), server.full_rate)
    assert tried.full_rate == pytest.approx(20, rel=0.01)
    assert tried.foreseen == pytest.approx(server.best(), rel=0.01)


def test_a_search_that_foresees_wrongly_still_ends_in_a_bracket() -> None:
    limit, history = 10.0, []
    while isinstance(step := next_probe(history, 12.0, DURATION_S), Probe):
        wrong = dataclasses.replace(tried(step.target_qps, step.target_qps <= limit), foreseen=14.0)
        history.append(wrong)
    assert step.low is not None and step.high is not None
    assert step.low <= limit <= step.high <= step.low * RESOLUTION
    assert len(history) <= 16


@pytest.mark.parametrize("guess", [0.25, 0.9, 1.1, 2.0])
def test_the_best_rate_is_found_where_the_time_per_token_decides(guess: float) -> None:
    server = Paced()
    best = server.best()
    step, _ = server.search(guess * best)
    assert step.low is not None and server.is_valid(OFFICIAL_SHARE * step.low)
    assert 0.97 * best <= OFFICIAL_SHARE * step.low <= best
    assert server.probed_s <= 4.0 * server.duration_s
