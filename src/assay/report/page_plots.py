"""The plots of a page: the rows of one LoadGen run in, plots out, each made by a function of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from assay.config import Mode
from assay.ground.count import counted
from assay.mlperf.record.result import ModeResult
from assay.mlperf.run import requests
from assay.report import series
from assay.report.plot import Curve, Limit, Plot
from assay.report.series import NS_PER_S, Rows
from assay.report.words import number

TITLES = {"latency": "Latency", "ttft": "Time to first token", "tpot": "Time per output token"}
JUDGED_PERCENT = 99.0
"""The percentile that rounds limit."""


def of_run(run: ModeResult, table: pa.Table) -> list[Plot]:
    """All plots of a run; `table` is the whole requests.parquet. Empty where it has no row of this run."""
    own = requests.of_run(table, run.scenario, run.mode)
    if not own.num_rows:
        return []
    rows = Rows(own)
    if run.mode is Mode.ACCURACY:
        return [lengths(rows)]
    return [*distributions(run, rows), *latencies_over_time(run, rows), throughput(rows), flight(rows)]


def distributions(run: ModeResult, rows: Rows) -> Iterator[Plot]:
    said = "" if rows.is_planned else " Counted from when a query was issued: its plan is not known."
    for kind, values in rows.latencies_ms().items():
        limit = run.limits_ms.get(f"{kind}_p99")
        lines = (Curve(TITLES[kind].lower(), series.distribution(values)),)
        limits = [] if limit is None else [Limit(f"limit of p99, {number(limit)} ms", limit, True)]
        if limit is not None:
            limits.append(Limit("99 %", JUDGED_PERCENT, False))
        known = int((~np.isnan(values)).sum())
        yield Plot(
            f"{TITLES[kind]}, distribution",
            "ms",
            "% of queries",
            lines,
            tuple(limits),
            f"n = {known}.{said if kind != 'tpot' else ''}",
        )


def latencies_over_time(run: ModeResult, rows: Rows) -> Iterator[Plot]:
    at = rows.end_s
    for kind, values in rows.latencies_ms().items():
        if kind == "latency":
            continue
        limit = run.limits_ms.get(f"{kind}_p99")
        limits = () if limit is None else (Limit(f"limit of p99, {number(limit)} ms", limit, False),)
        lines = tuple(
            Curve(name, series.over_time(at, values, percent))
            for name, percent in (("p50", 50.0), ("p99", JUDGED_PERCENT))
        )
        yield Plot(
            f"{TITLES[kind]} over time", "s since the start", "ms", lines, limits, "By when the answer ended."
        )


def throughput(rows: Rows) -> Plot:
    points = series.rate(rows.end_s, rows.column("answer_tokens"))
    said = "An answer's tokens are counted when the whole answer was handed over."
    return Plot(
        "Throughput over time", "s since the start", "tokens/s", (Curve("tokens/s", points),), (), said
    )


def flight(rows: Rows) -> Plot:
    points = series.in_flight(rows.column("issued_ns") / NS_PER_S, rows.end_s)
    return Plot("Queries in flight", "s since the start", "queries", (Curve("issued, not answered", points),))


def lengths(rows: Rows) -> Plot:
    tokens, subsets = rows.column("answer_tokens"), rows.subsets
    edges = np.linspace(0, max(float(tokens.max()), 1.0), min(series.BINS, max(4, len(tokens) // 10)) + 1)
    lines = tuple(
        Curve(f"{name or 'all'}", series.histogram(tokens[subsets == name], edges))
        for name in np.unique(subsets)
    )
    said = f"{counted(len(tokens), 'answer')}, mean {number(float(tokens.mean()))} tokens."
    return Plot("Answer lengths", "tokens of an answer", "% of answers", lines, (), said)
