"""The runs of a folder as one self-contained page: how fast they were, in their order, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.mlperf.record.result import ModeResult, RunResult, RunValidity, Status
from assay.report import history, page, plot
from assay.report.history import PastRun
from assay.report.markup import Markup, element, table
from assay.report.plot import Curve, Plot, Spot


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
    """A plot for each workload, scenario and system with tokens/s, a curve for each precision in it: the n-th run of
    the folder stands at n. A run that is no result has a cross, and says why."""
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    crosses: dict[str, list[Spot]] = {}
    for number, made in ((number, each.result) for number, each in enumerate(past, 1) if each.result):
        precision = made.used.precision if made.used else ""
        name = "tokens/s" if precision in ("", "none", "unknown") else precision
        for run in made.runs:
            if found := run.figure(history.RATE):
                title = f"{made.workload} {run.scenario}, {history.system(made)}"
                points.setdefault(title, {}).setdefault(name, []).append((float(number), found.value))
                if why := no_result(made, run):
                    crosses.setdefault(title, []).append(Spot(float(number), found.value, why, False, True))
    return [
        Plot(
            title,
            "run",
            "tokens/s",
            tuple(Curve(*each) for each in curves.items()),
            spots=tuple(crosses.get(title, ())),
            counts_x=True,
        )
        for title, curves in points.items()
    ]


def no_result(made: RunResult, run: ModeResult) -> str:
    """INTERRUPTED, FAILED or RUNNING where the job did not end, INVALID where the run is; else empty."""
    if made.status is not Status.COMPLETE:
        return str(made.status)
    return str(RunValidity.INVALID) if run.is_invalid else ""
