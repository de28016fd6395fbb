"""What the terminal shows when a run has ended: RunResult in, a few lines out, none wider than the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from assay.config import Mode
from assay.ground.count import counted
from assay.mlperf.record.result import ModeResult, RunResult, ScoredMetric
from assay.report import words
from assay.report.replica_table import replica_lines

UNWRAPPED = 1_000_000
"""Columns where stdout is no terminal: what is told stays on a line, to be searched."""
LABEL = 11
"""Columns before the text of a line such as `  note     …`."""


def render(result: RunResult, width: int = UNWRAPPED) -> str:
    lines = [
        *_wrapped("", f"{result.workload}, round {result.round}: {words.standing(result)}", width),
        *labelled("used", words.used(result), width),
        *labelled("dataset", f"{result.dataset.samples} of {result.dataset.rows} samples", width),
    ]
    if (other := result.accuracy_dataset) is not None:
        lines += labelled("accuracy", f"{other.samples} of {other.rows} samples of another dataset", width)
    for run in result.runs:
        lines += _mode(result, run, width)
    if replicas := list(replica_lines(result)):
        lines += ["  replicas", *(f"    {line}" for line in replicas)]
    for note in words.notes(result):
        lines += labelled("note", note, width)
    return "\n".join(lines)


def labelled(label: str, text: str, width: int) -> list[str]:
    """`  label    text`, wrapped between words with the text below itself."""
    return _wrapped(f"  {label:<{LABEL - 3}} ", text, width)


def _wrapped(start: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,  # a path or a command stays whole, to be copied
        break_on_hyphens=False,
    ) or [start.rstrip()]


def _mode(result: RunResult, run: ModeResult, width: int) -> Iterator[str]:
    count = counted(run.samples, "sample")
    yield f"  {run.scenario} {run.mode}: {count} in {words.number(run.seconds)} s"
    if run.mode is Mode.PERFORMANCE:
        yield f"    {words.figure(run.figure('tokens_per_s'))}, {words.figure(run.figure('samples_per_s'))}"
        for label, text in words.latencies(run):
            yield f"    {label}: {text}"
        if run.energy is not None and run.energy.joules is not None:
            yield from _wrapped("    energy: ", words.energy(run.energy), width)
        if late := words.told_late(run):
            yield from _wrapped("    first tokens: ", late, width)
        yield from _wrapped("    ", words.validity(result, run), width)
        if advice := words.advice(run):
            yield from _wrapped("    ", f"try: {advice}", width)
    elif run.faults:
        yield from _wrapped("    ", words.validity(result, run), width)
    yield from _scores(run.scores, result.scored_dataset.is_whole_set, width)


def _scores(scores: Sequence[ScoredMetric], judged: bool, width: int) -> Iterator[str]:
    """A line for each score where all of them fit, else two; what was not measured is told below, with its reason."""
    rows = [_row(score, judged) for score in scores if score.value is not None]
    wide = [max(map(len, column)) for column in zip(*rows)]
    fits = 4 + sum(wide) + 2 * len(wide) <= width
    for title, value, about, target, verdict in rows:
        if fits:
            cells = [f"{cell:<{w}}" for cell, w in zip((title, value, about, target), wide)]
            yield f"    {'  '.join(cells)}  {verdict}"
        else:
            yield f"    {title:<{wide[0]}}  {value:<{wide[1]}}  {verdict}"
            yield f"      {target}; {about}"
    for score in scores:
        if score.value is None:
            yield from _wrapped(f"    {words.title(score.metric)}: ", _why_not(score, judged), width)


def _row(score: ScoredMetric, judged: bool) -> tuple[str, str, str, str, str]:
    return (
        words.title(score.metric),
        f"{words.number(score.value or 0.0)} {score.unit}",
        words.about(score, words.short),
        words.target(score),
        words.verdict(score, judged),
    )


def _why_not(score: ScoredMetric, judged: bool) -> str:
    return f"{words.verdict(score, judged)}: {score.reason}" if score.reason else words.NOT_MEASURED
