"""Line plots as SVG elements of a page, coloured by its style sheet (docs/adr/0014-pages.md says why no library)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.report import spot_names
from assay.report.markup import Markup, element, joined

WIDTH, HEIGHT = 440, 250
"""Units of the drawing: so small that 13 of them can be read where the plot is 360 pixels wide."""
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 12, 44
END, FLOOR = WIDTH - RIGHT, HEIGHT - BOTTOM
"""Where the axes end: x at the right, y at the bottom."""
ARM = 4
"""Half of a cross, in each direction."""
POINTED = 4
"""How near to a point one must be to read its numbers."""
COLOURS = 6
"""Colours of curves that the style sheet names: c0 to c5."""
TICKS = 5
"""About so many marks on an axis."""
FARTHEST = 4
"""A limit this many times beyond the largest value is told, not drawn."""


@dataclass(frozen=True)
class Curve:
    """One curve: points (x, y), finite, in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Limit:
    """A straight line that a curve is held against."""

    label: str
    value: float
    is_vertical: bool


@dataclass(frozen=True)
class Spot:
    """A point with a name beside it; one that is marked has the colour of the first curve, one that is crossed out is a
    cross and no dot."""

    x: float
    y: float
    label: str
    is_marked: bool
    is_crossed: bool = False


@dataclass(frozen=True)
class Plot:
    """What is drawn. Both axes begin at 0, but a logarithmic one."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Curve, ...]
    limits: tuple[Limit, ...] = ()
    caption: str = ""
    spots: tuple[Spot, ...] = ()
    counts_x: bool = False
    """The x axis counts things: its marks are whole numbers from 1 on, away from its ends."""
    is_log: bool = False
    """The y axis is logarithmic; every y is above 0."""


def ticks(most: float, least_step: float = 0.0) -> list[float]:
    """Round numbers from 0 to the first that is not below `most` (> 0), a step of 1, 2 or 5 times a power of ten."""
    raw = most / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = max(least_step, next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999))
    return [step * i for i in range(math.ceil(most / step * 0.999999) + 1)]


def decades(least: float, most: float) -> list[float]:
    """Powers of ten around both values, at least two."""
    first = math.floor(math.log10(least))
    return [10.0**power for power in range(first, max(first + 1, math.ceil(math.log10(most))) + 1)]


def mark(value: float) -> str:
    """A number beside an axis: `0.002`, `150`, `20k`, `3M`."""
    for least, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if value >= least:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class Axes:
    """The marks of both axes, and so the place of every value in the drawing."""

    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    edge: float = 0.0
    """Value at the left end of the x axis; where things are counted, half before the first."""
    is_log: bool = False
    """The y axis goes from its first mark to its last, each ten times the one before."""

    def x(self, value: float) -> float:
        """Units of the drawing, from its left."""
        return round(LEFT + (value - self.edge) / self.x_ticks[-1] * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Units of the drawing, from its top."""
        least, most = self.y_ticks[0], self.y_ticks[-1]
        share = math.log(value / least) / math.log(most / least) if self.is_log else value / most
        return round(FLOOR - share * (FLOOR - TOP), 1)

    def holds(self, limit: Limit) -> bool:
        return limit.value <= (self.x_ticks if limit.is_vertical else self.y_ticks)[-1]


def render(plot: Plot) -> Markup:
    """A figure: drawing, legend and caption. Where there is nothing to draw, it says so."""
    points = [point for line in plot.lines for point in line.points]
    points += [(spot.x, spot.y) for spot in plot.spots]
    if not points:
        return element("figure", element("h3", plot.title), element("p", f"Nothing to draw. {plot.caption}"))
    axes = _axes_of(plot, points)
    limits = [limit for limit in plot.limits if axes.holds(limit)]
    svg = element(
        "svg",
        *_marks(axes, plot.x_label),
        *(_limit(axes, limit) for limit in limits),
        *_curves(axes, plot),
        *_spots(axes, plot),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{plot.title}: {plot.y_label} over {plot.x_label}",
    )
    title = element("h3", plot.title, " ", element("small", plot.y_label))
    return element("figure", title, svg, element("figcaption", _legend(plot, limits), plot.caption))


def _axes_of(plot: Plot, points: Sequence[tuple[float, float]]) -> Axes:
    """Axes as long as what is drawn needs them."""
    most_x = _most([x for x, _ in points], [limit.value for limit in plot.limits if limit.is_vertical])
    most_y = _most([y for _, y in points], [limit.value for limit in plot.limits if not limit.is_vertical])
    if plot.counts_x:
        return Axes(ticks(most_x, least_step=1.0)[1:], ticks(most_y), edge=0.5)
    if plot.is_log:
        return Axes(ticks(most_x), decades(min(y for _, y in points), most_y), is_log=True)
    return Axes(ticks(most_x), ticks(most_y))


def _marks(axes: Axes, x_label: str) -> Iterator[Markup]:
    yield from (_rule(LEFT, axes.y(y), END, axes.y(y), "grid") for y in axes.y_ticks)
    yield from (_text(LEFT - 6, axes.y(y) + 4, mark(y), "end") for y in axes.y_ticks)
    yield from (_rule(axes.x(x), FLOOR, axes.x(x), FLOOR + 4, "grid") for x in axes.x_ticks)
    yield from (_text(axes.x(x), FLOOR + 18, mark(x), "middle") for x in axes.x_ticks)
    yield _text((LEFT + END) / 2, HEIGHT - 6, x_label, "middle")


def _limit(axes: Axes, limit: Limit) -> Markup:
    if limit.is_vertical:
        return _rule(axes.x(limit.value), TOP, axes.x(limit.value), FLOOR, "limit")
    return _rule(LEFT, axes.y(limit.value), END, axes.y(limit.value), "limit")


def _curves(axes: Axes, plot: Plot) -> Iterator[Markup]:
    """The curves, then their points."""
    for place, line in enumerate(plot.lines):
        ends = line.points[-1:]  # drawn twice: a curve of one point is a dot
        dot = " dot" if len(line.points) == 1 else ""
        path = " ".join(f"{axes.x(x)},{axes.y(y)}" for x, y in [*line.points, *ends])
        yield element("polyline", points=path, class_=f"line{dot} c{place % COLOURS}")
    for line in plot.lines:
        for x, y in line.points:
            words = f"{line.name}: {y:.5g} {plot.y_label} at {x:.5g} {plot.x_label}"
            yield _told(axes.x(x), axes.y(y), words)


def _spots(axes: Axes, plot: Plot) -> Iterator[Markup]:
    """Each with its name beside it."""
    drawn = [((axes.x(spot.x), axes.y(spot.y)), spot.label) for spot in plot.spots]
    curves = [[(axes.x(x), axes.y(y)) for x, y in line.points] for line in plot.lines]
    for spot, ((x, y), _) in zip(plot.spots, drawn):
        colour = "c0" if spot.is_marked else "c3"
        if spot.is_crossed:
            arms = f"M{x - ARM},{y - ARM} l{2 * ARM},{2 * ARM} M{x - ARM},{y + ARM} l{2 * ARM},{-2 * ARM}"
            yield element("path", d=arms, class_=f"line {colour}")
        else:
            yield element("polyline", points=f"{x},{y} {x},{y}", class_=f"line spot {colour}")
    for name in spot_names.placed(drawn, curves, spot_names.Box(LEFT, 0, WIDTH, FLOOR)):
        yield _text(round(name.x, 1), round(name.y, 1), name.text, "end" if name.is_left else "start")


def _legend(plot: Plot, drawn: Sequence[Limit]) -> Markup:
    names = [element("span", line.name, class_=f"key c{i % COLOURS}") for i, line in enumerate(plot.lines)]
    for limit in plot.limits:
        is_drawn = limit in drawn
        said = limit.label if is_drawn else f"{limit.label}: far beyond the plot"
        names.append(element("span", said, class_="key limit" if is_drawn else "key"))
    return element("span", joined(*names), class_="keys")


def _told(x: float, y: float, words: str) -> Markup:
    """A point that cannot be seen, and says its numbers to whoever points at it: a browser shows an SVG's title."""
    return element("circle", element("title", words), cx=x, cy=y, r=POINTED, class_="told")


def _most(values: Sequence[float], limits: Sequence[float]) -> float:
    """How far an axis must reach: to the largest value, and to limits that are not so far off that they would press
    the curves flat."""
    most = max(values) or 1.0
    return max([most, *(limit for limit in limits if limit <= FARTHEST * most)])


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor)
