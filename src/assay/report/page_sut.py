"""What the system under test tells of itself, for the page of a run: the free part of its record, `used.details`.

That part may be of another version or another tool: what has not the form that is looked for is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.mlperf.record.result import EnergyUsed, RunResult
from assay.report import words
from assay.report.markup import Markup, element, joined, table
from assay.report.replica_table import replica_section
from assay.report.words import number

Row = tuple[object, ...]
MOST_EXPERTS = 16
"""Experts that a table has columns for; with more, each layer is told in three figures."""


def own_findings(result: RunResult) -> list[Row]:
    """What it found against its own settings: finding, where, what, rule, fix."""
    names = ("path", "message", "source", "fix")
    found = result.details.get("findings")
    return [
        (
            f"{row.get('code', '')} {row.get('severity', '')}: {row.get('found', '')}",
            *(row.get(n, "") for n in names),
        )
        for row in (found if isinstance(found, list) else ())
        if isinstance(row, dict)
    ]


def sections(result: RunResult) -> list[Markup]:
    """Its replicas, where its time went, and which experts saw its tokens; none where it does not tell."""
    told = replica_section(result), times(result), experts(result)
    return [made for made in told if made is not None]


def times(result: RunResult) -> Markup | None:
    """Seconds by part, and the rates of a part beside the best that this machine was measured to do."""
    told = result.details
    seconds = _numbers(told.get("seconds"))
    whole = sum(seconds.values())
    if not whole:
        return None
    limits = told.get("limits")
    limits = limits if isinstance(limits, Mapping) else {}
    most_gflop = _numbers(limits.get("gflop_per_s")).get(result.used.precision if result.used else "")
    most_gb = _numbers(limits).get("read_gb_per_s")
    gflop, gb = _numbers(told.get("gflop_per_s")), _numbers(told.get("weights_gb_per_s"))
    rows: list[Row] = [
        (
            name,
            f"{number(spent)} s",
            f"{100 * spent / whole:.1f} %",
            _rate(gflop.get(name), most_gflop, "GFLOP/s"),
            _rate(gb.get(name), most_gb, "GB/s"),
        )
        for name, spent in seconds.items()
    ]
    doctor = element("code", "assay doctor --roofline")
    said = (
        ("Percentages are of the fastest products and reads of this machine, as ", doctor, " measured them.")
        if limits
        else (doctor, " measures the fastest products and reads of this machine, to hold rates against.")
    )
    return element(
        "section",
        element("h2", "Where the time went"),
        element(
            "p", "Since loading, over all runs, by the clock: what a part computes and what it waits for."
        ),
        table(("part", "time", "share", "arithmetic", "weights read"), rows),
        element("p", *said),
    )


def experts(result: RunResult) -> Markup | None:
    """Tokens of each expert as a multiple of its layer's mean: 1 is balance."""
    found = result.details.get("tokens_per_expert")
    counted = [_counts(row) for row in found] if isinstance(found, list) else []
    layers = [row for row in counted if len(row) > 1 and any(row)]
    if not layers:
        return None
    width = max(map(len, layers))
    is_wide = width > MOST_EXPERTS
    heads = ("layer", "tokens", "busiest", "idlest", *(() if is_wide else map(str, range(width))))
    rows: list[Row] = []
    for layer, row in enumerate(layers):
        mean = sum(row) / len(row)
        shares = [count / mean for count in row]
        each = [] if is_wide else [element("span", f"{share:.2f}", class_=_shade(share)) for share in shares]
        rows.append((layer, f"{sum(row):,}", f"{max(shares):.2f} x", f"{min(shares):.2f} x", *each))
    worst = max(max(row) * len(row) / sum(row) for row in layers)
    return element(
        "section",
        element("h2", "Tokens per expert"),
        element(
            "p",
            f"Each as a multiple of its layer's mean; the busiest of all has {worst:.2f} times its share. "
            "A step waits for the busiest expert where experts lie on several devices.",
        ),
        table(heads, rows),
    )


def energy(used: EnergyUsed) -> Markup:
    """What a run took, and each counter of it."""
    said = element("p", "Energy: ", words.energy(used), ".")
    if not used.parts:
        return said
    rows: list[Row] = [
        (part.name, part.covers, part.why_not if part.joules is None else f"{number(part.joules)} J")
        for part in used.parts
    ]
    heads = ("counter", "covers", "figure")
    return joined(said, element("details", element("summary", "its counters"), table(heads, rows)))


def _shade(share: float) -> str | None:
    return "bad" if share > 2 else "warm" if share > 1.25 else "cool" if share < 0.75 else None


def _rate(value: float | None, most: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{number(value)} {unit}" + (f", {100 * value / most:.0f} % of {number(most)}" if most else "")


def _numbers(told: object) -> dict[str, float]:
    found = told.items() if isinstance(told, Mapping) else ()
    return {
        str(name): float(value)
        for name, value in found
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")
    }


def _counts(row: object) -> list[int]:
    found = row if isinstance(row, list) else []
    return [each for each in found if type(each) is int and each >= 0]
