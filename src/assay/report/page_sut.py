"""What the system under test tells of itself, for the page of a run: the free part of its record, `used.details`.

That part may be of another version or another tool: what has not the form that is looked for is left out.
"""

from __future__ import annotations

from typing import Any

from assay.mlperf.record.result import RunResult

Row = tuple[object, ...]


def own_findings(result: RunResult) -> list[Row]:
    """What it found against its own settings: finding, where, what, rule, fix."""
    names = ("path", "message", "source", "fix")
    return [
        (
            f"{row.get('code', '')} {row.get('severity', '')}: {row.get('found', '')}",
            *(row.get(n, "") for n in names),
        )
        for row in _details(result).get("findings", ())
        if isinstance(row, dict)
    ]


def _details(result: RunResult) -> dict[str, Any]:
    return result.used.details if result.used else {}
