"""The rounds as data: figures that decide whether a submission is valid."""

from __future__ import annotations

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf.rounds import round as rounds

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


def test_the_rounds_are_listed_for_a_number_that_none_has_and_a_slip_is_named() -> None:
    for name in ("v7.0", "v5.2", "r4.2"):
        with pytest.raises(ConfigError) as caught:
            rounds.load(name)
        assert caught.value.hint == "one of: v4.0, v4.1, v5.0, v5.1, v6.0, v6.1"
    with pytest.raises(ConfigError) as caught:
        rounds.load("v6..0")
    assert caught.value.hint == "did you mean v6.0?"


def test_mixtral_is_in_the_four_rounds_that_held_it() -> None:
    assert rounds.rounds_of(MIXTRAL) == ("v4.1", "v5.0", "v5.1", "v6.0")


@pytest.mark.parametrize(("name", "reason"), [("v4.0", "entered"), ("v6.1", "dropped")])
def test_mixtral_is_refused_outside_its_rounds_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        rounds.load(name).workload(MIXTRAL)
    assert "v4.1, v5.0, v5.1, v6.0" in caught.value.hint


def test_a_workload_of_other_rounds_is_refused_with_those() -> None:
    with pytest.raises(ConfigError, match="holds no rules for gpt-oss-120b") as caught:
        rounds.load("v5.1").workload("gpt-oss-120b")
    assert caught.value.hint == "rounds that hold gpt-oss-120b: v6.0, v6.1"


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


@pytest.mark.parametrize(
    ("name", "workload", "result_key", "unit"),
    [
        (
            "v4.0",
            "gptj-99",
            {
                "Offline": "result_samples_per_second",
                "Server": "result_scheduled_samples_per_sec",
                "SingleStream": "early_stopping_latency_ss",
            },
            {"Offline": "Samples/s", "Server": "Samples/s", "SingleStream": "Latency (ms)"},
        ),
        (
            "v5.0",
            "gptj-99.9",
            {
                "Offline": "result_inferred_tokens_per_second",
                "Server": "result_inferred_completed_tokens_per_second",
                "SingleStream": "early_stopping_latency_ss",
            },
            {"Offline": "Tokens/s", "Server": "Tokens/s", "SingleStream": "Latency (ms)"},
        ),
        (
            "v4.0",
            "llama2-70b-99.9",
            {"Offline": "result_tokens_per_second", "Server": "result_completed_samples_per_sec"},
            {"Offline": "Tokens/s", "Server": "Samples/s"},
        ),
        (
            "v6.1",
            "llama3.1-8b-edge",
            {"Offline": "result_tokens_per_second", "SingleStream": "result_90.00_percentile_latency_ns"},
            {"Offline": "Tokens/s", "SingleStream": "Latency (ms)"},
        ),
        (
            "v6.0",
            "gpt-oss-120b",
            {
                "Offline": "result_tokens_per_second",
                "Server": "result_completed_tokens_per_second",
                "Interactive": "result_completed_tokens_per_second",
            },
            {"Offline": "Tokens/s", "Server": "Tokens/s", "Interactive": "Tokens/s"},
        ),
    ],
)
def test_the_result_of_each_scenario_has_its_own_key_and_unit(
    name: str, workload: str, result_key: dict[str, str], unit: dict[str, str]
) -> None:
    rules = rounds.load(name).workload(workload)
    assert rules.result_key == result_key
    assert {scenario: rules.unit_of(scenario) for scenario in result_key} == unit


@pytest.mark.parametrize(
    ("name", "workload", "tests"),
    [
        ("v5.0", "llama3.1-405b", ("TEST06",)),
        ("v5.0", "gptj-99", ()),
        ("v5.0", "gptj-99.9", ()),
        ("v5.0", "llama2-70b-interactive-99", ("TEST06",)),
        ("v5.1", "llama3.1-8b", ("TEST06",)),
        ("v5.1", "llama3.1-8b-edge", ()),
        ("v6.1", "deepseek-r1", ("TEST06",)),
        ("v6.1", "gpt-oss-120b", ("TEST07", "TEST09")),
    ],
)
def test_compliance_tests_are_those_that_the_checker_of_the_round_asks_for(
    name: str, workload: str, tests: tuple[str, ...]
) -> None:
    assert rounds.load(name).workload(workload).compliance == tests


def test_equal_issue_is_per_scenario_in_v40_and_everywhere_since() -> None:
    llama, gptj = (rounds.load("v4.0").workload(key) for key in ("llama2-70b-99", "gptj-99"))
    assert [llama.issues_equally(s) for s in ("Offline", "Server")] == [False, True]
    assert [gptj.issues_equally(s) for s in ("Offline", "Server", "SingleStream")] == [False, True, True]
    later = [rounds.load(name) for name in rounds.official_names() if name != "v4.0"]
    assert all(rules.equal_issue is True for round_ in later for rules in round_.workloads.values())


def test_every_workload_but_gptj_has_its_token_latencies_measured() -> None:
    for name in rounds.official_names():
        for key, rules in rounds.load(name).workloads.items():
            assert rules.token_latencies is not key.startswith("gptj"), (name, key)


@pytest.mark.parametrize(
    ("name", "workload", "suite", "scenarios"),
    [
        ("v5.1", "deepseek-r1", "datacenter", {"Offline", "Server"}),
        ("v5.1", "deepseek-r1", "datacenter,edge", {"Offline", "Server", "SingleStream"}),
        ("v6.0", "deepseek-r1", "edge,datacenter", {"Offline"}),
        ("v4.1", "mixtral-8x7b", "edge,datacenter", {"Offline", "Server", "SingleStream"}),
        ("v5.0", "mixtral-8x7b", "datacenter,edge", {"Offline", "Server"}),
        ("v4.0", "gptj-99", "datacenter,edge", {"Offline", "Server", "SingleStream"}),
        ("v6.0", "llama3.1-8b-edge", "datacenter,edge", {"Offline", "SingleStream"}),
    ],
)
def test_a_system_of_both_suites_owes_what_its_round_says(
    name: str, workload: str, suite: str, scenarios: set[str]
) -> None:
    rules = rounds.load(name).workload(workload)
    assert set(rules.required_of(suite)) == scenarios
    assert scenarios <= set(rules.result_key)


def test_every_workload_names_its_dataset_file_the_length_of_its_answers_and_where_they_end() -> None:
    facts = {
        key: (rules.dataset_file, rules.min_new_tokens, rules.max_new_tokens, rules.eos_id)
        for name in rounds.official_names()
        for key, rules in rounds.load(name).workloads.items()
    }
    open_orca = ("open_orca_gpt4_tokenized_llama.sampled_24576.pkl", 1, 1024, 2)
    assert facts == {
        "gptj-99": ("cnn_eval.json", 30, 128, 50256),
        "gptj-99.9": ("cnn_eval.json", 30, 128, 50256),
        "llama2-70b-99": open_orca,
        "llama2-70b-99.9": open_orca,
        "llama2-70b-interactive-99": open_orca,
        "llama2-70b-interactive-99.9": open_orca,
        "mixtral-8x7b": ("09292024_mixtral_15k_mintoken2_v1.pkl", 2, 1024, 2),
        "llama3.1-405b": ("mlperf_llama3.1_405b_dataset_8313_processed_fp16_eval.pkl", 2, 20000, 128009),
        "llama3.1-8b": ("cnn_eval.json", 1, 128, 128009),
        "llama3.1-8b-edge": ("sample_cnn_eval_5000.json", 1, 128, 128009),
        "deepseek-r1": ("mlperf_deepseek_r1_dataset_4388_fp8_eval.pkl", 1, 20000, 1),
        "gpt-oss-120b": ("perf_eval_ref.parquet", 1, 10240, None),
    }


def test_gpt_oss_has_another_set_and_longer_answers_for_accuracy() -> None:
    rules = rounds.load("v6.1").workload("gpt-oss-120b")
    assert (rules.accuracy_dataset_file, rules.accuracy_samples) == ("acc_eval_inputs.parquet", 4395)
    assert rules.accuracy_max_new_tokens == 32768


@pytest.mark.parametrize(
    ("name", "workload", "word"),
    [
        ("v5.0", "llama3.1-405b", "TEST06"),
        ("v5.0", "gptj-99", "TEST06"),
        ("v6.1", "gpt-oss-120b", "20 ms"),
        ("v6.0", "gpt-oss-120b", "10000"),
        ("v6.1", "deepseek-r1", "81.9132"),
        ("v5.1", "deepseek-r1", "32768"),
        ("v6.0", "deepseek-r1", "Server and Offline"),
        ("v5.1", "llama3.1-8b", "GPT-J"),
        ("v6.0", "llama3.1-405b", "2000"),
        ("v4.0", "llama2-70b-99", "mlperf.conf"),
    ],
)
def test_where_official_sources_differ_the_round_says_which_one_it_follows(
    name: str, workload: str, word: str
) -> None:
    notes = rounds.load(name).workload(workload).notes
    assert any(word in note and "followed here" in note for note in notes)


def test_rounds_are_ordered_by_their_numbers_not_as_texts() -> None:
    names = ["v10.0", "v4.1", "v6.10", "v6.2"]
    assert sorted(names, key=rounds.by_number) == ["v4.1", "v6.2", "v6.10", "v10.0"]
    assert list(rounds.official_names()) == sorted(rounds.official_names(), key=rounds.by_number)


def test_loadgen_4_alone_reads_no_audit_config() -> None:
    assert rounds.Wheel("5.0.20", {}, 25).reads_audit_config
    assert not rounds.Wheel("4.1.30", {}, 10600).reads_audit_config
