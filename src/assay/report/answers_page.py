"""The answers of a run as one self-contained page: question, answer, truth, verdict and why, with filters.

The filters are radio buttons and a style sheet, since a page runs no script (docs/adr/0014-pages.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from assay.ground.count import counted
from assay.report import page
from assay.report.answers import ShownAnswer, scores_of
from assay.report.markup import Markup, element

MOST = 1000
"""Answers of a page, so that it stays small; those that are wrong come before the others."""
MOST_CHOICES = 20
"""Buttons of a filter; answers of a rarer subset are seen with `all`."""
MOST_CHARS = 20_000
"""Of one text; the rest is counted."""
UNJUDGED, NO_SUBSET = "not judged", "no subset"


def render(title: str, answers: Sequence[ShownAnswer]) -> str:
    shown = chosen(answers)
    verdicts = _counts(answer.verdict or UNJUDGED for answer in answers)
    subsets = _counts(answer.subset or NO_SUBSET for answer in answers)
    choices = [_choice("verdict", verdicts, len(answers)), _choice("subset", subsets, len(answers))]
    rules = [_rules("verdict", len(verdicts)), _rules("subset", len(subsets))]
    said = counted(len(answers), "answer")
    if len(shown) < len(answers):
        said = f"{len(shown):,} of {said}, those that are wrong first: --subset and --wrong narrow them"
    head = element("section", element("h1", f"Answers of {title}"), element("p", said), *choices)
    places = (
        {name: place for place, name in enumerate(verdicts)},
        {name: place for place, name in enumerate(subsets)},
    )
    body = element("section", *(_answer(each, *places) for each in shown), class_="answers")
    return page.document(
        f"answers of {title}", element("style", Markup("".join(rules))), element("article", head, body)
    )


def chosen(answers: Sequence[ShownAnswer]) -> list[ShownAnswer]:
    """At most MOST, in their order; the wrong ones go before others."""
    order = sorted(range(len(answers)), key=lambda place: answers[place].verdict != "wrong")
    return [answers[place] for place in sorted(order[:MOST])]


def _counts(names: Iterable[str]) -> dict[str, int]:
    """Name -> how often it occurs, the most frequent first, at most MOST_CHOICES."""
    return dict(Counter(names).most_common(MOST_CHOICES))


def _choice(kind: str, counts: dict[str, int], total: int) -> Markup:
    """A group of radio buttons: all, then each name with its count."""
    names = [("all", total), *counts.items()]
    buttons = []
    for place, (name, count) in enumerate(names, -1):
        id_ = f"{kind}-{place}" if place >= 0 else f"{kind}-all"
        checked = "" if place < 0 else None
        button = element("input", type="radio", name=kind, id=id_, checked=checked)
        buttons.append(element("label", button, f" {name} ({count:,})"))
    return element("fieldset", element("legend", kind), *buttons)


def _rules(kind: str, count: int) -> str:
    """What is not of the chosen name is not shown."""
    letter = kind[0]
    return "".join(
        f"main:has(#{kind}-{place}:checked) .answer:not(.{letter}{place}) {{ display: none; }}\n"
        for place in range(count)
    )


def _answer(answer: ShownAnswer, verdicts: dict[str, int], subsets: dict[str, int]) -> Markup:
    verdict, subset = answer.verdict or UNJUDGED, answer.subset or NO_SUBSET
    places = verdicts.get(verdict, MOST), subsets.get(subset, MOST)  # the style sheet has no rule for MOST
    look = {"right": "good", "wrong": "bad"}.get(answer.verdict, "open")
    where = f"sample {answer.sample_index}, row {answer.row}, {subset}, {answer.id}"
    return element(
        "section",
        element("h2", element("span", verdict, class_=f"mark {look}"), f" {where}"),
        element("pre", _cut(answer.reason)) if "\n" in answer.reason else element("p", answer.reason),
        element("p", f"Scores: {scores_of(answer)}." if answer.scores else ""),
        element("details", element("summary", "question"), element("pre", _cut(answer.question))),
        _text("answer", answer.answer),
        _text("truth", answer.truth),
        class_=f"answer v{places[0]} s{places[1]}",
    )


def _text(name: str, text: str) -> Markup:
    return element("div", element("h3", name), element("pre", _cut(text) or "(empty)"))


def _cut(text: str) -> str:
    more = len(text) - MOST_CHARS
    return text if more <= 0 else f"{text[:MOST_CHARS]}… and {more:,} characters more"
