"""The rounds as data: figures that decide whether a submission is valid."""

from __future__ import annotations

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf import round as rounds

MIXTRAL = "mixtral-8x7b"


def test_the_six_rounds_are_held_oldest_first() -> None:
    assert rounds.names() == ("v4.0", "v4.1", "v5.0", "v5.1", "v6.0", "v6.1")


@pytest.mark.parametrize("alias", ["4.1-dev", "v4.1-dev", "r4.1-dev", "4.1", "V4.1", "r4_1-dev"])
def test_an_alias_is_the_round_it_belongs_to(alias: str) -> None:
    assert rounds.load(alias).name == "v4.1"


@pytest.mark.parametrize("name", ["v7.0", "", "latest", "5", "v5.1.2", "../v5.1"])
def test_an_unknown_round_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown round"):
        rounds.load(name)


def test_mixtral_is_in_the_four_rounds_that_held_it() -> None:
    assert rounds.rounds_of(MIXTRAL) == ("v4.1", "v5.0", "v5.1", "v6.0")


@pytest.mark.parametrize(("name", "reason"), [("v4.0", "entered"), ("v6.1", "dropped")])
def test_mixtral_is_refused_outside_its_rounds_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        rounds.load(name).workload(MIXTRAL)
    assert "v4.1, v5.0, v5.1, v6.0" in caught.value.hint


def test_an_unknown_workload_gets_its_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        rounds.load("v5.1").workload("mixtral-8x7")
    assert caught.value.hint == "did you mean mixtral-8x7b?"


@pytest.mark.parametrize(
    ("name", "gates"),
    [
        ("v4.1", (45.036189, 23.050071, 30.057885, 131.31, 73.0422, 59.5188)),
        ("v5.0", (45.142911, 23.119074, 30.156192, 130.356, 72.9234, 59.5584)),
        ("v5.1", (45.142911, 23.119074, 30.156192, 130.356, 72.9234, 59.5584)),
        ("v6.0", (45.142911, 23.119074, 30.156192, 130.356, 72.9234, 59.5584)),
    ],
)
def test_mixtral_gates_are_those_of_the_round(name: str, gates: tuple[float, ...]) -> None:
    targets = rounds.load(name).workload(MIXTRAL).targets
    metrics = ("rouge1", "rouge2", "rougeL", "tokens_per_sample", "gsm8k", "mbxp")
    assert tuple(targets[m].low for m in metrics) == gates
    assert targets["tokens_per_sample"].high == 160.49
    assert all(targets[m].high is None for m in metrics if m != "tokens_per_sample")


def test_the_upper_token_limit_of_the_written_rules_stands_beside_the_checkers() -> None:
    assert rounds.load("v5.1").workload(MIXTRAL).rules_high == {"tokens_per_sample": 159.324}
    assert rounds.load("v4.1").workload(MIXTRAL).rules_high == {}


def test_the_least_answer_grew_to_two_tokens_with_v5() -> None:
    least = {n: rounds.load(n).workload(MIXTRAL).min_new_tokens for n in rounds.rounds_of(MIXTRAL)}
    assert least == {"v4.1": 1, "v5.0": 2, "v5.1": 2, "v6.0": 2}


@pytest.mark.parametrize("name", rounds.names())
def test_seeds_are_whole_64_bit_numbers_and_no_two_rounds_share_them(name: str) -> None:
    seeds = rounds.load(name).seeds
    assert all(0 < seed < 2**64 for seed in (seeds.qsl, seeds.sample_index, seeds.schedule))
    assert sum(rounds.load(other).seeds == seeds for other in rounds.names()) == 1


@pytest.mark.parametrize("name", rounds.names())
def test_every_gate_and_table_names_its_source(name: str) -> None:
    round_ = rounds.load(name)
    assert all(round_.sources.values())
    for workload in round_.workloads.values():
        assert workload.source
        assert workload.targets
        assert all(target.source for target in workload.targets.values())
        assert all(t.low is not None or t.high is not None for t in workload.targets.values())
        assert set(workload.latency) <= set(workload.result_key)


@pytest.mark.parametrize("name", ["v4.1", "v5.0", "v5.1", "v6.0", "v6.1"])
def test_a_round_pins_loadgen_wheels_by_hash(name: str) -> None:
    wheels = rounds.load(name).wheels
    assert wheels
    assert all(len(digest) == 64 for wheel in wheels for digest in wheel.sha256.values())


def test_the_layout_moves_into_results_with_v6() -> None:
    assert {n: rounds.load(n).layout for n in ("v4.1", "v5.1", "v6.0", "v6.1")} == {
        "v4.1": "old",
        "v5.1": "old",
        "v6.0": "new",
        "v6.1": "new",
    }


def test_an_edge_system_owes_the_edge_scenarios() -> None:
    edge = rounds.load("v5.1").workload("llama3.1-8b-edge")
    assert set(edge.required_of("edge")) == {"Offline", "SingleStream"}
    assert edge.required_of("datacenter") == ()
    assert rounds.load("v5.1").workload("llama2-70b-99").allowed_in("datacenter") == (
        "Offline",
        "Server",
        "Interactive",
    )
