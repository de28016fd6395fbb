"""The replicas of a run side by side, for README.md, the terminal and the page: read from the free part of the record.

What has not the form that is looked for, as in a record of another version, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.mlperf.record.result import RunResult
from assay.report.columns import aligned
from assay.report.markup import Markup, element, table
from assay.report.words import number

HEADS = ("run", "replica", "node", "tokens/s", "answers", "most held", "lost", "loaded in", "clock")
Cells = tuple[str, ...]
MOST_LINES = 16
"""Replicas that the terminal shows."""


def rows(result: RunResult) -> list[Cells]:
    """As HEADS: one for each LoadGen run and replica, the runs numbered in their order; empty without replicas."""
    runs, nodes = result.details.get("runs"), _nodes(result)
    found = []
    for place, run in enumerate(runs if isinstance(runs, Sequence) else (), 1):
        for row in run if isinstance(run, Sequence) else ():
            if isinstance(row, Mapping) and "rank" in row:
                node = nodes.get(str(row.get("node")))
                found.append(_cells(place, row, node if isinstance(node, Mapping) else {}))
    return found


def replica_lines(result: RunResult) -> Iterator[str]:
    """For the terminal, columns under each other: the first of the last run, as README.md has all."""
    found = rows(result)
    last = [cells[1:] for cells in found if cells[0] == found[-1][0]]
    if last:
        yield from aligned([HEADS[1:], *last[:MOST_LINES]])
    if len(last) > MOST_LINES:
        yield f"and {len(last) - MOST_LINES} more: README.md"


def replica_markdown(result: RunResult) -> list[str]:
    found = rows(result)
    if not found:
        return []
    lines = [f"| {' | '.join(cells)} |" for cells in (HEADS, tuple("---" for _ in HEADS), *found)]
    return ["## Replicas", "", *lines, ""]


def replica_section(result: RunResult) -> Markup | None:
    """The table, and the system description of each node behind a fold."""
    found = rows(result)
    if not found:
        return None
    return element(
        "section",
        element("h2", "Replicas"),
        element(
            "p",
            "A row for each LoadGen run and replica: tokens/s from the first query to the last answer, the most "
            "queries held at once, how far the node's clock is from that of the head.",
        ),
        table(HEADS, list(found)),
        *(_node(str(name), told_of) for name, told_of in _nodes(result).items()),
    )


def _nodes(result: RunResult) -> Mapping[str, Any]:
    """What is told of each node, by name."""
    found = result.details.get("nodes")
    return found if isinstance(found, Mapping) else {}


def _node(name: str, told: object) -> Markup | str:
    system = told.get("system") if isinstance(told, Mapping) else None
    fields: list[tuple[object, ...]] = list(system.items()) if isinstance(system, Mapping) else []
    if not fields:
        return ""
    said = element("summary", f"system description of {name}")
    return element("details", said, table(("field", "value"), fields))


def _cells(place: int, row: Mapping[str, Any], node: Mapping[str, Any]) -> Cells:
    clock = node.get("clock")
    return (
        str(place),
        str(row["rank"]),
        str(row.get("node", "")).replace("|", "/"),
        _number(row.get("tokens_per_s")),
        _number(row.get("answers")),
        _number(row.get("most_open")),
        "yes" if row.get("gone") else "no",
        _number(row.get("load_s"), " s"),
        _clock(clock if isinstance(clock, Mapping) else {}),
    )


def _clock(clock: Mapping[str, Any]) -> str:
    ahead, within = clock.get("ahead_ms"), clock.get("within_ms")
    if not isinstance(ahead, (int, float)) or not isinstance(within, (int, float)):
        return "not known"
    return f"{ahead:+.1f} ms, within {within:.1f}"


def _number(value: object, unit: str = "") -> str:
    return f"{number(value)}{unit}" if isinstance(value, (int, float)) else "not known"
