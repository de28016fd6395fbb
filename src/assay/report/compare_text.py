"""A comparison as Markdown, for a terminal and a pull request alike, and as plain values for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from assay.config import plain
from assay.ground.printable import one_line
from assay.mlperf.scoring.interval import LEAST
from assay.report import words
from assay.report.compare import Comparison, Difference, PairedScore
from assay.report.compare_speed import LONE_FLOOR, SOUGHT, Basis, RateRatio
from assay.report.compare_stats import MOST_PAIRS
from assay.report.gate import GateOutcome

RATIO_HEADS = ("figure", "A", "B", "B / A", "95 %", "conclusion")
SCORE_HEADS = ("metric", "n", "A", "B", "B - A, 95 %", "lost / gained", "p", "conclusion")
DIFFERENCE_HEADS = ("what", "A", "B")
NO_DIFFERENCES = "None of settings, system and versions."
GATE_HEADS = ("fail if", "found", "outcome")
MOST_SAMPLES = 10
"""Samples that are named where answers changed; JSON names all."""


def markdown(found: Comparison, gates: Sequence[GateOutcome]) -> str:
    return "\n".join(_lines(found, gates))


def _lines(found: Comparison, gates: Sequence[GateOutcome]) -> Iterator[str]:
    yield from ("# Comparison", "", f"- A: {_cell(found.a.name)}", f"- B: {_cell(found.b.name)}", "")
    if found.warnings:
        yield from ("**These runs are not comparable without more thought:**", "")
        yield from (f"- {_cell(warning)}" for warning in found.warnings)
        yield ""
    yield from ("## Differences", "")
    rows = [difference_cells(each) for each in found.differences]
    yield from _table(DIFFERENCE_HEADS, rows) if rows else [NO_DIFFERENCES]
    if found.ratios:
        yield from ("", "## Performance", "")
        yield from _table(RATIO_HEADS, [ratio_cells(each) for each in found.ratios])
        yield from ("", spread_of(found.ratios))
    if found.scores:
        yield from ("", "## Accuracy, by pairs of samples", "")
        yield from _table(SCORE_HEADS, [score_cells(each) for each in found.scores])
        yield from changed(found.scores)
    if gates:
        yield from ("", "## Gates", "")
        yield from _table(GATE_HEADS, [gate_cells(each) for each in gates])


def spread_of(ratios: Sequence[RateRatio]) -> str:
    """What the intervals cover, and what it would take to show a small change."""
    first = ratios[0]
    if first.basis is Basis.BLOCKS:
        return (
            "One run a side and no earlier runs of the same: intervals cover what varies within the runs, and nothing "
            f"is concluded below a factor of {LONE_FLOOR:g}. --and-a and --and-b add repeats, --history names a folder "
            "of earlier runs."
        )
    needed = f"about {first.pairs}" if first.pairs else f"more than {MOST_PAIRS}"
    advice = f"A change of {SOUGHT:.0%} needs {needed} pairs of runs like these."
    if first.earlier:
        return (
            f"One run a side: intervals are as wide as {first.earlier.runs} earlier runs of the same differ "
            f"({words.title(first.metric)}: {first.earlier.spread:.1%} from run to run), or wider. {advice}"
        )
    a, b = first.runs
    in_pairs = f", in pairs. {advice}" if a == b else "."
    return f"Means of {a} and {b} runs; intervals cover what varies from run to run{in_pairs}"


def difference_cells(each: Difference) -> tuple[str, ...]:
    return each.name, each.a or "(none)", each.b or "(none)"


def ratio_cells(each: RateRatio) -> tuple[str, ...]:
    ratio = "" if each.ratio is None else f"{each.ratio:.4f}"
    interval = "{:.4f} to {:.4f}".format(*each.interval) if each.interval else each.reason
    return (
        _name(each),
        f"{words.number(each.a)} {each.unit}",
        words.number(each.b),
        ratio,
        interval,
        each.conclusion,
    )


def score_cells(each: PairedScore) -> tuple[str, ...]:
    changed = "" if each.p is None else f"{len(each.lost)} / {len(each.gained)}"
    p = "" if each.p is None else f"{each.p:.3g}"
    about = "too few" if each.n < LEAST else "all equal"
    about = "{:.4g} to {:.4g}".format(*each.interval) if each.interval else f"{about}: no interval"
    spread = f"{each.b - each.a:+.4g} ({about})"
    means = f"{words.number(each.a)} {each.unit}".rstrip(), words.number(each.b)
    return _name(each), str(each.n), *means, spread, changed, p, each.conclusion


def gate_cells(each: GateOutcome) -> tuple[str, ...]:
    return each.gate.text, each.said, "FAILED" if each.failed else "passed"


def changed(scores: Sequence[PairedScore]) -> Iterator[str]:
    """Which answers changed, and what may be concluded."""
    for each in scores:
        if each.lost or each.gained:
            yield from ("", _reading(each))
        for word, samples in (("lost", each.lost), ("gained", each.gained)):
            if samples:
                more = f" and {len(samples) - MOST_SAMPLES} more" if len(samples) > MOST_SAMPLES else ""
                named = ", ".join(map(str, samples[:MOST_SAMPLES]))
                yield from ("", f"{_name(each)} {word}: samples {named}{more}")


def _reading(each: PairedScore) -> str:
    lost, gained = len(each.lost), len(each.gained)
    said = (
        f"{_name(each)}: of {each.n} answers {lost} became wrong and {gained} became right. "
        f"Chance alone splits as unevenly {words.number(100 * (each.p or 0))} times of 100"
    )
    if each.would_show is None:
        return f"{said}: {each.conclusion}."
    side = "lower" if lost >= gained else "higher"
    return (
        f"{said}, so quality need not have changed; {each.would_show} against {min(lost, gained)} would show that B is "
        f"{side}. To fail on any lost answer: --fail-if '{each.metric}_lost > 0'"
    )


def _name(each: RateRatio | PairedScore) -> str:
    return f"{each.scenario} {words.title(each.metric)}"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    """Foreign text inside Markdown: one line, no end of a cell, no HTML, no link and no picture."""
    safe = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", one_line(text))
    return re.sub(r"[|\[\]]", r"\\\g<0>", safe)


def as_json(found: Comparison, gates: Sequence[GateOutcome]) -> dict[str, Any]:
    return {
        "a": found.a.name,
        "b": found.b.name,
        "warnings": list(found.warnings),
        "differences": [asdict(each) for each in found.differences],
        "performance": [
            {**plain(each), "ratio": each.ratio, "conclusion": each.conclusion} for each in found.ratios
        ],
        "accuracy": [
            {**plain(each), "conclusion": each.conclusion, "would_show": each.would_show}
            for each in found.scores
        ],
        "gates": [{"gate": one.gate.text, "failed": one.failed, "said": one.said} for one in gates],
    }
