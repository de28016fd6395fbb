"""`assay rules`: a round's figures as they stand in its file."""

from __future__ import annotations

import json

import pytest

from assay.cli import main
from assay.cli import rules as verb
from assay.mlperf.rounds import round as rounds


def printed(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(["rules", *args]) == 0
    return capsys.readouterr().out


def test_every_target_of_a_workload_is_printed_with_its_limits_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, "mixtral-8x7b", "--round", "v5.1")
    for metric, gate in {
        "rouge1": ">= 45.142911",
        "gsm8k": ">= 72.9234",
        "mbxp": ">= 59.5584",
        "tokens_per_sample": ">= 130.356 and <= 160.49",
    }.items():
        line = next(line for line in text.splitlines() if line.split()[:1] == [metric])
        assert f" {gate} " in line
        assert "checker" in line


def test_seeds_and_limits_are_those_of_the_round(capsys: pytest.CaptureFixture[str]) -> None:
    round_ = rounds.load("v5.1")
    text = printed(capsys, "mixtral-8x7b", "--round", "v5.1")
    assert (
        f"qsl {round_.seeds.qsl}, sample_index {round_.seeds.sample_index}, schedule {round_.seeds.schedule}"
        in text
    )
    assert "p99 TTFT below 2000 ms, p99 TPOT below 200 ms" in text
    assert "15000 in the set, 15000 held ready, Offline at least 15000" in text
    assert "at least 600 s" in text


def test_what_is_allowed_and_forbidden_is_said_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "mixtral-8x7b")
    assert all(line in text for line in (*verb.ALLOWED, *verb.FORBIDDEN))
    assert f"({verb.RULES_SOURCE})" in text


def test_without_a_workload_all_of_the_round_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--round", "v5.1")
    assert all(f"  {key} " in text for key in rounds.load("v5.1").workloads)
    assert "not judged by Assay: " in text


def test_json_holds_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "mixtral-8x7b", "--round", "v5.1", "--json"))["round"]
    assert found["name"] == "v5.1"
    assert found["workloads"]["mixtral-8x7b"]["targets"]["rouge1"]["low"] == 45.142911
    everything = json.loads(printed(capsys, "--round", "v5.1", "--json"))["round"]
    assert everything["workloads"] == list(rounds.load("v5.1").workloads)


def test_a_workload_in_no_round_shows_its_own_rules_of_each_style(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "mixtral-nano")
    test, other = text[text.index("mixtral-nano --style test") :].split("mixtral-nano --style fast or valid")
    assert "300 in the set" in test and "paired test" not in test
    assert "1500 in the set" in other and "at most 1 % of a metric lost" in other
    assert "closed needs" not in text and text.count("  allowed\n") == 1
    found = json.loads(printed(capsys, "mixtral-nano", "--json"))["round"]["workloads"]
    assert [rules["dataset_samples"] for rules in found.values()] == [300, 1500]


@pytest.mark.parametrize("args", [["mixtral-8x7c"], ["mixtral-8x7b", "--round", "v9.9"]])
def test_what_no_round_knows_is_refused(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", *args]) == 2
    assert "try: " in capsys.readouterr().err
