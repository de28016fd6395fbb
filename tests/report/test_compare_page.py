"""A comparison as a page: everything that the Markdown says, and nothing of a run as markup."""

from __future__ import annotations

import dataclasses

import pytest

from assay.report import compare, compare_page, gate
from assay.report.run_side import RunSide
from tests import fakes
from tests.report import rows

HOSTILE = "<script>alert(1)</script>"


def comparison(name: str = "B", slower: float = 1.5) -> compare.Comparison:
    a = RunSide("A", fakes.result(fakes.performance()), rows.table(300))
    changed = dataclasses.replace(fakes.result(fakes.performance()), round="v4.1", workload=name)
    return compare.compare(a, RunSide(name, changed, rows.table(300, slower=slower)))


def test_warnings_and_differences_stand_before_figures() -> None:
    text = compare_page.render(comparison(), ())
    places = [
        text.index(word) for word in ("other rounds", "Differences", "Performance", "Tokens per second")
    ]
    assert places == sorted(places)


def test_what_both_runs_share_is_no_difference() -> None:
    side = RunSide("A", fakes.result(fakes.performance()), rows.table(300))
    text = compare_page.render(compare.compare(side, side), ())
    assert "None of settings, system and versions." in text
    assert "not comparable" not in text


@pytest.mark.parametrize(
    ("condition", "said", "look"),
    [
        ("tokens_per_s < 0.97x", "1 gate passed", "good"),
        ("tokens_per_s < 2x", "1 of 1 gate failed", "bad"),
    ],
)
def test_the_gates_are_the_verdict(condition: str, said: str, look: str) -> None:
    found = comparison()
    outcomes = list(gate.judge(gate.parse(condition), found.a.result, found.b.result))
    text = compare_page.render(found, outcomes)
    assert said in text and f'class="verdict {look}"' in text


def test_without_gates_there_is_no_verdict() -> None:
    assert 'class="verdict' not in compare_page.render(comparison(), ())


def test_nothing_of_a_run_becomes_markup() -> None:
    text = compare_page.render(comparison(HOSTILE), ())
    assert "<script" not in text and "&lt;script&gt;" in text


def test_changed_answers_are_named() -> None:
    results = fakes.result(fakes.accuracy(fakes.scored("gsm8k")))
    tables = []
    for wrong in (set(), {3, 7}):
        table = rows.table(100, mode="accuracy")
        values = [0.0 if i in wrong else 1.0 for i in range(100)]
        tables.append(table.append_column("score.gsm8k", [values]))
    sides = [RunSide(name, results, table) for name, table in zip("AB", tables)]
    assert "lost: samples 3, 7" in compare_page.render(compare.compare(*sides), ())
