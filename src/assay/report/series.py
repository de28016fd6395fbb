"""What the plots of a run show, as numbers: the rows of one LoadGen run in, points out.

The columns and their units: docs/requests.md. Latencies are counted from when LoadGen planned the query, and from when
it was issued where the plan is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.ground.errors import ArtifactError
from assay.mlperf.run import requests

NS_PER_MS, NS_PER_S = 1e6, 1e9
MOST_POINTS = 200
"""Points of a distribution: more cannot be told apart in a plot."""
BINS = 60
"""Spans of time that a run is cut into, and most bars of a histogram."""
Floats = NDArray[np.float64]
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Rows:
    """The rows of one LoadGen run as arrays; NaN where a time is null."""

    table: pa.Table

    def column(self, name: str) -> Floats:
        """Raises: ArtifactError where the table lacks it."""
        if name not in self.table.column_names:
            raise ArtifactError(f"the table of requests has no column {name}", "run the benchmark again")
        return np.asarray(self.table[name].to_numpy(zero_copy_only=False), np.float64)

    @cached_property
    def planned_ns(self) -> Floats:
        planned, issued = self.column("scheduled_ns"), self.column("issued_ns")
        return np.where(np.isnan(planned), issued, planned)

    @property
    def is_planned(self) -> bool:
        """Whether the plan of every query is known."""
        return not np.isnan(self.column("scheduled_ns")).any()

    @property
    def end_s(self) -> Floats:
        return self.column("end_ns") / NS_PER_S

    @property
    def subsets(self) -> NDArray[np.str_]:
        return np.asarray(self.table["subset"].cast(pa.string()).to_pylist(), np.str_)

    def latencies_ms(self) -> Mapping[str, Floats]:
        """`latency`, `ttft`, `tpot` in ms, a value for each query, NaN where there is none; without kinds that no
        query has."""
        first, end = self.column("first_token_ns"), self.column("end_ns")
        tpot = requests.tpot_ns(self.table)
        found = {"latency": end - self.planned_ns, "ttft": first - self.planned_ns, "tpot": tpot}
        return {kind: each / NS_PER_MS for kind, each in found.items() if not np.isnan(each).all()}


def distribution(values: Floats) -> Points:
    """(value, percent of the values that are not above it), at most MOST_POINTS, both ends among them."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return []
    places = np.unique(np.linspace(0, len(known) - 1, min(len(known), MOST_POINTS)).astype(int))
    return [(float(known[i]), 100 * (i + 1) / len(known)) for i in places]


def percentile(values: Floats, percent: float) -> float:
    """The sorted value at place floor(n * percent / 100), as LoadGen takes it. values: one or more, none NaN."""
    place = min(int(len(values) * percent / 100), len(values) - 1)
    return float(np.partition(values, place)[place])


def over_time(at_s: Floats, values: Floats, percent: float) -> Points:
    """(middle of a span in s, that percentile of its values), of every span that has some."""
    known = ~np.isnan(values)
    at_s, values = at_s[known], values[known]
    if not len(values):
        return []
    edges = spans(at_s)
    place = np.clip(np.digitize(at_s, edges) - 1, 0, len(edges) - 2)
    return [
        (float((edges[i] + edges[i + 1]) / 2), percentile(values[place == i], percent))
        for i in np.unique(place)
    ]


def rate(at_s: Floats, amounts: Floats) -> Points:
    """(middle of a span in s, sum of its amounts for each second)."""
    edges = spans(at_s)
    sums, _ = np.histogram(at_s, edges, weights=amounts)
    return [
        (float((low + high) / 2), float(total / (high - low)))
        for low, high, total in zip(edges, edges[1:], sums)
    ]


def in_flight(issued_s: Floats, end_s: Floats) -> Points:
    """(time in s, queries that were issued by then and had not ended)."""
    edges = spans(end_s)
    began = np.searchsorted(np.sort(issued_s), edges, side="right")
    ended = np.searchsorted(np.sort(end_s), edges, side="right")
    return [(float(at), float(count)) for at, count in zip(edges, began - ended)]


def spans(at_s: Floats) -> Floats:
    """Edges of equal spans from 0 to the last time: fewer than BINS where there are few values."""
    count = max(1, min(BINS, len(at_s) // 4))
    return np.linspace(0, max(float(at_s.max()), 1e-9), count + 1)


def histogram(values: Floats, edges: Floats) -> Points:
    """The outline of the bars: percent of the values in each span of `edges`."""
    counts, _ = np.histogram(values, edges)
    shares = 100 * counts / max(len(values), 1)
    outline = [(float(edges[0]), 0.0)]
    for low, high, share in zip(edges, edges[1:], shares):
        outline += [(float(low), float(share)), (float(high), float(share))]
    return [*outline, (float(edges[-1]), 0.0)]
