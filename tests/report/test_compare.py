"""Two runs side by side: what is told of them, and when a difference is believed."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pyarrow as pa
import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import ConfigError
from assay.mlperf.record.result import Figure, RunResult, RunValidity, Status, SystemField
from assay.report import compare_stats, compare_text, gate
from assay.report.compare import Comparison, PairedScore, compare
from assay.report.compare_speed import mean_of
from assay.report.run_side import RunSide
from tests import fakes
from tests.report import rows

QUERIES = 300


def noisy(seed: int, slower: float = 1.0, count: int = QUERIES) -> pa.Table:
    """The same queries each time, one after the other, each about 1 ms a token with 20 % of noise."""
    table = rows.table(count)
    noise = np.random.default_rng(seed).lognormal(0.0, 0.2, count)
    end = np.cumsum(table["answer_tokens"].to_numpy() * 1e6 * noise * slower).astype(np.int64)
    return table.set_column(table.column_names.index("end_ns"), "end_ns", pa.array(end))


def judged(values: list[float]) -> pa.Table:
    """Rows of an accuracy run with a score of gsm8k for each sample."""
    return rows.table(len(values), mode=Mode.ACCURACY.value).append_column("score.gsm8k", pa.array(values))


def of(a: pa.Table | None, b: pa.Table | None, result: RunResult | None = None) -> Comparison:
    other = result or fakes.result()
    return compare(RunSide("a", fakes.result(), a), RunSide("b", other, b))


def conclusion(a: pa.Table, b: pa.Table) -> str:
    return next(each.conclusion for each in of(a, b).ratios if each.metric == "samples_per_s")


def measured(table: pa.Table) -> RunResult:
    """A result whose figures are those of its rows."""
    seconds = table["end_ns"].to_numpy().max() / 1e9
    figures = (Figure("samples_per_s", table.num_rows / seconds, "samples/s", table.num_rows, "log"),)
    return fakes.result(fakes.performance(figures=figures))


def spoken(a: pa.Table, b: pa.Table) -> str:
    found = compare(RunSide("a", measured(a), a), RunSide("b", measured(b), b))
    return found.ratios[0].conclusion


def test_two_runs_of_the_same_thing_are_no_difference_in_nineteen_of_twenty() -> None:
    said = [spoken(noisy(2 * seed), noisy(2 * seed + 1)) for seed in range(40)]
    assert said.count("no difference shown") >= 38


def test_a_slowdown_of_five_percent_by_one_run_a_side_wants_earlier_runs() -> None:
    count = 1500
    said = [spoken(noisy(2 * seed, count=count), noisy(2 * seed + 1, 1.05, count)) for seed in range(5)]
    assert set(said) == {"too little to conclude"}


def test_a_factor_of_twelve_is_believed_of_one_run_a_side() -> None:
    assert spoken(noisy(1), noisy(2, 12)) == "B is lower"


def rates(values: list[float]) -> RunSide:
    """So many runs with these samples/s."""
    made = [
        fakes.result(fakes.performance(figures=(Figure("samples_per_s", value, "samples/s", 9, "log"),)))
        for value in values
    ]
    return RunSide("x", made[0], None, tuple(made[1:]))


def repeated(chance: np.random.Generator, slower: float = 1.0) -> str:
    """Five pairs of runs on a machine whose speed drifts by 20 %, and whose runs differ by 1 % of themselves."""
    drift = chance.lognormal(0, 0.2, 5)
    a, b = (100 * drift * chance.lognormal(0, 0.01, 5) / each for each in (1.0, slower))
    return compare(rates(a.tolist()), rates(b.tolist())).ratios[0].conclusion


def test_repeats_in_pairs_tell_a_change_from_a_drift_of_the_machine() -> None:
    chance = np.random.default_rng(5)
    same = [repeated(chance) for _ in range(60)]
    assert same.count("no difference shown") >= 57
    slow = [repeated(chance, 1.05) for _ in range(60)]
    assert slow.count("B is lower") >= 54 and "B is higher" not in slow


@pytest.mark.parametrize(
    ("order", "step", "said"),
    [
        (
            "ABABABAB",
            0.97,
            "Offline: samples/s drift from run to run, which adds about -3.0% to B / A in the order A B",
        ),
        ("AAAABBBB", 0.97, "about -11.7% to B / A"),
        ("ABBAABBA", 0.97, ""),
        ("ABABABAB", 1.0, ""),
        ("AB", 0.5, ""),
    ],
)
def test_a_drift_that_the_order_of_the_runs_counts_for_one_side_is_told(
    order: str, step: float, said: str
) -> None:
    chance = np.random.default_rng(1)
    values = [100 * step**place * math.exp(chance.normal(0, 0.002)) for place in range(len(order))]
    sides = []
    for letter in "AB":
        own = [place for place, each in enumerate(order) if each == letter]
        side = rates([values[place] for place in own])
        made = [
            dataclasses.replace(each, started_at=f"2026-01-01T00:00:{place:02}+00:00")
            for each, place in zip((side.result, *side.repeats), own)
        ]
        sides.append(dataclasses.replace(side, result=made[0], repeats=tuple(made[1:])))
    warnings = [each for each in compare(*sides).warnings if "drift" in each]
    assert len(warnings) == bool(said) and all(said in each for each in warnings)


def test_runs_of_unknown_times_have_no_order_to_be_told() -> None:
    falling = [100 * 0.9**place * math.exp(0.002 * (place % 2)) for place in range(8)]
    sides = [rates(falling[:4]), rates(falling[4:])]
    told = []
    for begun in ("2026-01-01T00:00:00+00:00", ""):
        dated = [
            dataclasses.replace(
                side,
                result=dataclasses.replace(side.result, started_at=begun),
                repeats=tuple(
                    dataclasses.replace(e, started_at="2026-01-01T00:00:01+00:00") for e in side.repeats
                ),
            )
            for side in sides
        ]
        told.append(any("drift" in each for each in compare(*dated).warnings))
    assert told == [True, False]


def test_an_interval_of_repeats_is_student_s() -> None:
    low, high = compare_stats.repeat_interval([10.0, 20.0], [11.0, 22.0]) or (0, 0)
    assert (low, high) == (pytest.approx(1.1), pytest.approx(1.1))  # both pairs say the same
    low, high = compare_stats.repeat_interval([1.0, 1.0, 1.0], [1.0, float(np.exp(0.2))]) or (0, 0)
    # Welch: only B varies, with one degree of freedom; its mean logarithm is 0.1, known to 0.1.
    assert (np.log(low), np.log(high)) == (pytest.approx(0.1 - 1.2706), pytest.approx(0.1 + 1.2706))
    assert compare_stats.repeat_interval([1.0], [1.0, 2.0]) is None
    assert compare_stats.repeat_interval([0.0, 1.0], [1.0, 2.0]) is None


def test_repeats_are_told_as_means_of_runs_and_gates_judge_the_means() -> None:
    a, b = rates([100.0, 121.0]), rates([90.0, 90.0, 90.0])
    found = compare(a, b)
    (ratio,) = found.ratios
    assert (ratio.a, ratio.b, ratio.runs) == (pytest.approx(110), pytest.approx(90), (2, 3))
    assert "Means of 2 and 3 runs" in compare_text.markdown(found, ())
    outcome = gate.judge(gate.parse("samples_per_s < 0.85x"), mean_of(a), mean_of(b))[0]
    assert outcome.failed  # 0.82 of the mean, and 0.9 of the first run


def test_a_run_that_is_no_repeat_is_warned_of() -> None:
    other = dataclasses.replace(rates([1.0]).result, round="v4.1")
    side = dataclasses.replace(rates([1.0, 1.0]), repeats=(other,))
    assert any("no repeat of the first" in each for each in compare(side, rates([1.0, 1.0])).warnings)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (noisy(1, count=30), "fewer than 40 queries"),
        (noisy(1, slower=1e-3), "less than 1 s"),
        (None, "no requests.parquet"),
    ],
)
def test_too_little_to_conclude_is_said_with_its_reason(table: pa.Table | None, why: str) -> None:
    found = of(noisy(2), table).ratios[0]
    assert (
        found.conclusion == "too little to conclude"
        and why in found.reason
        and found.reason.startswith("B: ")
    )


def test_answers_that_end_together_are_too_little_to_conclude() -> None:
    table = noisy(1)
    ends = pa.array(np.full(QUERIES, 5 * 10**9))
    at_once = table.set_column(table.column_names.index("end_ns"), "end_ns", ends)
    assert conclusion(table, at_once) == "too little to conclude"


def test_three_lost_answers_of_a_hundred_are_named_with_their_chance() -> None:
    right = [100.0] * 100
    worse = [0.0 if i in (4, 50, 99) else 100.0 for i in range(100)]
    score = next(each for each in of(judged(right), judged(worse)).scores if each.metric == "gsm8k")
    assert (score.lost, score.gained, score.p, score.n) == ((4, 50, 99), (), 0.25, 100)
    text = compare_text.markdown(of(judged(right), judged(worse)), [])
    assert "3 / 0" in text and "lost: samples 4, 50, 99" in text and "within chance" in text
    assert (
        "of 100 answers 3 became wrong and 0 became right. Chance alone splits as unevenly 25 times of 100"
        in text
    )
    assert score.would_show == 6 and "6 against 0 would show that B is lower" in text
    assert compare_stats.mcnemar(6, 0) < 0.05 <= compare_stats.mcnemar(5, 0)


def test_a_score_has_its_unit() -> None:
    scored = fakes.result(fakes.accuracy(fakes.scored("gsm8k")))
    side = RunSide("a", scored, judged([100.0] * 9))
    text = compare_text.markdown(compare(side, side), [])
    assert "| Offline GSM8K accuracy | 9 | 100 % | 100 |" in text and "tokens | " in text


def test_ten_lost_answers_are_believed() -> None:
    worse = [0.0] * 10 + [100.0] * 90
    found = of(judged([100.0] * 100), judged(worse))
    score = next(each for each in found.scores if each.metric == "gsm8k")
    assert score.conclusion == "B is lower" and score.p is not None and score.p < 0.01
    assert score.would_show is None and "times of 100: B is lower." in compare_text.markdown(found, [])


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("gsm8k_lost > 0", True),
        ("Offline gsm8k_lost > 3", False),
        ("gsm8k_lost >= 3", True),
        ("gsm8k_gained > 0", True),
        ("gsm8k_gained > 1", False),
    ],
)
def test_a_gate_counts_answers_that_became_wrong_or_right(text: str, failed: bool) -> None:
    a, b = judged([100.0] * 99 + [0.0]), judged([0.0] * 3 + [100.0] * 97)
    (outcome,) = gate.judge(gate.parse(text), fakes.result(), fakes.result(), of(a, b).scores)
    assert outcome.failed is failed


def test_a_gate_has_no_multiple_of_lost_answers_and_none_of_a_value_that_judges_nobody() -> None:
    scores = of(judged([100.0] * 9), judged([0.0] * 9)).scores
    with pytest.raises(ConfigError, match="A has no gsm8k_lost"):
        gate.judge(gate.parse("gsm8k_lost > 2x"), fakes.result(), fakes.result(), scores)
    with pytest.raises(ConfigError, match="neither run has answer_tokens_lost"):
        gate.judge(gate.parse("answer_tokens_lost > 0"), fakes.result(), fakes.result(), scores)


def test_who_judges_an_answer_is_a_fact_of_the_metric_of_its_workload() -> None:
    side = RunSide("a", dataclasses.replace(fakes.result(), workload="nobody's"), judged([100.0] * 9))
    found = next(each for each in compare(side, side).scores if each.metric == "gsm8k")
    assert found.p is None and found.conclusion == "no difference shown"


def test_answers_to_other_samples_are_not_paired() -> None:
    other = dataclasses.replace(fakes.result().dataset, sha256="1" * 64)
    found = of(judged([100.0]), judged([0.0]), fakes.result(dataset=other))
    assert not found.scores and any("cannot be paired" in said for said in found.warnings)


@pytest.mark.parametrize(("lost", "gained", "p"), [(0, 0, 1.0), (3, 0, 0.25), (5, 5, 1.0), (8, 1, 0.0390625)])
def test_mcnemars_test_is_exact(lost: int, gained: int, p: float) -> None:
    assert compare_stats.mcnemar(lost, gained) == pytest.approx(p)


def test_differences_of_settings_and_system_are_told_and_the_same_is_not() -> None:
    changed = fakes.result(
        system={"operating_system": SystemField("Debian 13", "/etc/os-release")},
        asked=dataclasses.replace(fakes.result().asked, sut="engine", origin={"sut": "--sut"}),
    )
    names = {each.name: (each.a, each.b) for each in of(None, None, changed).differences}
    assert names["system.operating_system"] == ("Debian 12", "Debian 13") and "asked.sut" not in names
    assert not of(None, None).differences


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"round": "v6.0"}, "other rounds"),
        ({"workload": "mixtral-nano"}, "other workloads"),
        ({"is_fake": True}, "computes nothing"),
        ({"status": Status.INTERRUPTED, "reason": "stopped"}, "B is INTERRUPTED: stopped"),
        ({"runs": (fakes.performance(validity=RunValidity.INVALID),)}, "B, Offline: LoadGen says INVALID"),
        (
            {"runs": (fakes.performance(faults=("9 of 10 answers failed",)),)},
            "INVALID, whatever LoadGen says: 9 of",
        ),
        ({"runs": (fakes.performance(),)}, "only A has Offline accuracy"),
    ],
)
def test_runs_that_are_not_comparable_are_warned_of(changes: dict[str, object], word: str) -> None:
    found = of(None, None, dataclasses.replace(fakes.result(), **changes))  # type: ignore[arg-type]
    assert any(word in said for said in found.warnings)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("tokens_per_s < 0.97x", True),
        ("tokens_per_s < 0.9x", False),
        ("offline tokens_per_s<70", True),
        ("rouge1 >= 46", True),
        ("rouge1 > 46", False),
    ],
)
def test_a_gate_fails_where_its_condition_holds_for_b(text: str, failed: bool) -> None:
    slow = Figure("tokens_per_s", 69.0, "tokens/s", 10, "log")
    b = fakes.result(fakes.performance(figures=(slow,)), fakes.accuracy())
    (outcome,) = gate.judge(gate.parse(text), fakes.result(), b)
    assert outcome.failed is failed


def test_what_b_did_not_measure_fails_a_gate() -> None:
    (outcome,) = gate.judge(gate.parse("rouge1 < 1"), fakes.result(), fakes.result(fakes.performance()))
    assert outcome.failed and outcome.said == "Offline rouge1: not measured in B"


@pytest.mark.parametrize(
    "text", ["", "tokens_per_s", "tokens_per_s < fast", "tokens_per_s = 3", "< 3", "a < 0.9xx"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no condition"):
        gate.parse(text)


def test_a_gate_on_what_nobody_measured_is_refused_with_what_is_near() -> None:
    with pytest.raises(ConfigError, match="neither run has token_per_s") as error:
        gate.judge(gate.parse("token_per_s < 1"), fakes.result(), fakes.result())
    assert "tokens_per_s" in error.value.hint
    with pytest.raises(ConfigError, match="no scenario Ofline"):
        gate.parse("Ofline tokens_per_s < 1")
    with pytest.raises(ConfigError, match="neither run has"):
        gate.judge(
            gate.Gate("", Scenario.SERVER, "tokens_per_s", "<", 1.0, False), fakes.result(), fakes.result()
        )


def test_foreign_text_ends_no_cell_and_is_no_html_link_or_line_in_markdown() -> None:
    hostile = "a|b<script>\n# c ![d](http://e)"
    changed = fakes.result(system={"operating_system": SystemField(hostile, "x")})
    text = compare_text.markdown(of(None, None, changed), [])
    row = next(line for line in text.splitlines() if "operating_system" in line)
    assert r"a\|b&lt;script>\n# c !\[d\](http://e)" in row and "<script" not in text


def test_a_comparison_as_json_holds_its_conclusions() -> None:
    outcome = gate.judge(gate.parse("tokens_per_s < 0.97x"), fakes.result(), fakes.result())
    tree = json.loads(json.dumps(compare_text.as_json(of(noisy(1), noisy(2)), outcome)))
    assert (
        tree["performance"][0]["conclusion"] == "no difference shown" and tree["gates"][0]["failed"] is False
    )


@pytest.mark.parametrize(
    ("by", "n", "cell", "said"),
    [
        (0.0, 300, "+0 (all equal: no interval)", "no difference shown"),
        (5.0, 300, "+5 (all equal: no interval)", "B is higher"),
        (5.0, 5, "+5 (all equal: no interval)", "no difference shown"),
        (5.0, 4, "+5 (too few: no interval)", "no difference shown"),
    ],
)
def test_samples_that_all_differ_by_the_same_have_no_interval_and_are_judged_by_the_sign_test(
    by: float, n: int, cell: str, said: str
) -> None:
    found = PairedScore(Scenario.OFFLINE, "rouge1", "%", n, 40.0, 40.0 + by, None)
    assert (compare_text.score_cells(found)[4], found.conclusion) == (cell, said)


def test_a_run_beside_itself_has_no_interval_of_its_speed_and_no_difference() -> None:
    same = of(noisy(0), noisy(0)).ratios
    assert {(each.interval, each.reason, each.conclusion) for each in same} == {
        (None, "all equal: no interval", "no difference shown")
    }
