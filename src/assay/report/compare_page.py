"""A comparison as one self-contained page: the verdict, what differs, speed, accuracy and gates."""

from __future__ import annotations

from collections.abc import Sequence

from assay.ground.count import counted
from assay.report import compare_text, page
from assay.report.compare import Comparison
from assay.report.gate import GateOutcome
from assay.report.markup import Markup, element, table


def render(found: Comparison, gates: Sequence[GateOutcome]) -> str:
    return page.document(f"{found.a.name} and {found.b.name}", element("article", *_sections(found, gates)))


def _sections(found: Comparison, gates: Sequence[GateOutcome]) -> list[Markup]:
    names = page.pairs([("A", found.a.name), ("B", found.b.name)])
    made = [element("section", element("h1", "Comparison"), *_verdict(found, gates), names)]
    rows: list[tuple[object, ...]] = [compare_text.difference_cells(each) for each in found.differences]
    none = element("p", compare_text.NO_DIFFERENCES)
    made.append(_section("Differences", table(compare_text.DIFFERENCE_HEADS, rows) if rows else none))
    if found.ratios:
        note = compare_text.spread_of(found.ratios)
        rows = [compare_text.ratio_cells(each) for each in found.ratios]
        made.append(_section("Performance", table(compare_text.RATIO_HEADS, rows), element("p", note)))
    if found.scores:
        rows = [compare_text.score_cells(each) for each in found.scores]
        changed = [element("p", line) for line in compare_text.changed(found.scores) if line]
        made.append(
            _section("Accuracy, by pairs of samples", table(compare_text.SCORE_HEADS, rows), *changed)
        )
    if gates:
        rows = [compare_text.gate_cells(each) for each in gates]
        made.append(_section("Gates", table(compare_text.GATE_HEADS, rows)))
    return made


def _verdict(found: Comparison, gates: Sequence[GateOutcome]) -> list[Markup]:
    """How many gates failed, where there are some; then why the runs may not be compared."""
    failed = sum(each.failed for each in gates)
    mark = "\N{HEAVY BALLOT X}" if failed else "\N{HEAVY CHECK MARK}"
    said = [
        element("p", f"{mark} {failed} of {counted(len(gates), 'gate')} failed", class_="verdict bad")
        if failed
        else element("p", f"{mark} {counted(len(gates), 'gate')} passed", class_="verdict good")
    ]
    warnings = [element("li", warning) for warning in found.warnings]
    why = [element("p", "These runs are not comparable without more thought:"), element("ul", *warnings)]
    return (said if gates else []) + (why if warnings else [])


def _section(title: str, *content: Markup) -> Markup:
    return element("section", element("h2", title), *content)
