"""The page of a run's answers: filters without a script, and texts that stay texts."""

from __future__ import annotations

import dataclasses
import re

import pytest

from assay.report import answers_page
from assay.report.answers import ShownAnswer
from tests.report.test_page import HOSTILE, Elements

ONE = ShownAnswer(0, 0, "a.0", "GSM8K", "1 + 1?", "It is 3", "2", "wrong", {"gsm8k": 0.0}, "reads 3")


def answers(count: int) -> list[ShownAnswer]:
    """Every third is wrong; two subsets, of which one has no verdicts."""
    made = []
    for place in range(count):
        subset, verdict = ("GSM8K", "wrong" if place % 3 == 0 else "right") if place % 2 else ("OpenOrca", "")
        made.append(dataclasses.replace(ONE, sample_index=place, subset=subset, verdict=verdict))
    return made


@pytest.mark.parametrize("word", HOSTILE)
def test_no_text_of_a_run_becomes_markup(word: str) -> None:
    def made(text: str) -> Elements:
        one = ShownAnswer(0, 0, text, text, text, text, text, text, {text: 1.0}, text)
        return Elements(answers_page.render(text, [one]))

    hostile, plain = made(word), made("plain")
    assert hostile.tags == plain.tags and hostile.attributes == plain.attributes


def test_verdicts_and_subsets_are_counted_and_can_be_chosen() -> None:
    page = answers_page.render("run", answers(12))
    for said in ("all (12)", "wrong (2)", "right (4)", "not judged (6)", "GSM8K (6)", "OpenOrca (6)"):
        assert said in page
    assert "<script" not in page and "display: none" in page
    # A rule for each choice, and each answer carries the two classes that the rules look for.
    assert len(re.findall(r":checked\) [^{]*\{ display: none", page)) == 5
    assert page.count('class="answer v') == 12


def test_wrong_answers_come_before_others_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_page, "MOST", 5)
    many = answers(30)
    shown = answers_page.chosen(many)
    wrong = [each.sample_index for each in many if each.verdict == "wrong"]
    assert [each.sample_index for each in shown] == sorted(wrong)[:5]
    assert "5 of 30 answers" in answers_page.render("run", many)


def test_a_text_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_page, "MOST_CHARS", 10)
    page = answers_page.render("run", [dataclasses.replace(ONE, answer="x" * 1010)])
    assert "xxxxxxxxxx… and 1,000 characters more" in page


def test_a_run_without_answers_has_a_page() -> None:
    assert "0 answers" in answers_page.render("run", [])
