"""The runs of a folder as one self-contained page: how fast they were, in their order, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.report import history, page, plot
from assay.report.history import PastRun
from assay.report.markup import Markup, element, table
from assay.report.plot import Curve, Plot


def render(past: Sequence[PastRun], root: Path) -> str:
    head = element("section", element("h1", "History"), page.pairs([("folder", root), ("runs", len(past))]))
    drawn = element("div", *map(plot.render, trends(past)), class_="plots")
    # A run of two scenarios has two rows of one number.
    rows: list[tuple[object, ...]] = [
        (number, *row) for number, each in enumerate(past, 1) for row in history.rows([each], root)
    ]
    body = element("section", element("h2", "Runs"), table(("run", *history.HEADS), rows))
    parts: list[Markup] = [head, element("section", element("h2", "Trend"), drawn), body]
    return page.document("history", element("article", *parts))


def trends(past: Sequence[PastRun]) -> list[Plot]:
    """A plot for each workload and scenario with tokens/s: the n-th run of the folder stands at n."""
    points: dict[str, list[tuple[float, float]]] = {}
    for number, each in enumerate(past, 1):
        workload, runs = (each.result.workload, each.result.runs) if each.result else ("", ())
        for run in runs:
            if found := run.figure(history.RATE):
                points.setdefault(f"{workload} {run.scenario}", []).append((float(number), found.value))
    return [
        Plot(name, "run", "tokens/s", (Curve("tokens/s", at),), counts_x=True) for name, at in points.items()
    ]
