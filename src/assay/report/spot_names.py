"""Where the names of a plot's spots stand: beside their spots, and on nothing else. In units of the drawing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LETTER, LINE = 6.5, 13
"""About the width of a letter, and the height of a line of text."""
SPOT, AWAY = 5, 7
"""Half of a spot, and how far from its middle its name begins."""
HEIGHTS = (4, -7, 17, -20, 30, -33, 43)
"""Base lines below the middle of the spot, the most wanted first."""
EVERY = 4
"""A curve is avoided at points this far apart."""
WORST, FARTHER = 100, 1
"""To cover a spot or a name, and to stand one height farther away, are as bad as to cover so many points of curves."""
Point = tuple[float, float]


class Box(NamedTuple):
    """What is covered."""

    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: Box) -> bool:
        is_beside = self.left >= other.right or other.left >= self.right
        return not (is_beside or self.top >= other.bottom or other.top >= self.bottom)


class Name(NamedTuple):
    """A text, where it begins or ends, and on which base line."""

    x: float
    y: float
    text: str
    is_left: bool
    """It stands left of its spot, and ends at x."""

    @property
    def box(self) -> Box:
        width = LETTER * len(self.text)
        left = self.x - width if self.is_left else self.x
        return Box(left, self.y - LINE + 3, left + width, self.y + 3)


def placed(
    spots: Sequence[tuple[Point, str]], curves: Sequence[Sequence[Point]], room: Box
) -> Iterator[Name]:
    """A name for each spot, where it covers as little as can be and stays in `room`."""
    taken = [(_around(point, SPOT), WORST) for point, _ in spots]
    taken += [(_around(point, 1), 1) for curve in curves for point in _along(curve)]
    for (x, y), text in spots:
        sides = (x > (room.left + room.right) / 2, x <= (room.left + room.right) / 2)
        tried = [
            (FARTHER * step, Name(x - AWAY if is_left else x + AWAY, y + height, text, is_left))
            for step, height in enumerate(HEIGHTS)
            for is_left in sides
        ]
        inside = [each for each in tried if _holds(room, each[1].box)] or tried
        _, best = min(
            inside, key=lambda each: each[0] + sum(b for box, b in taken if each[1].box.covers(box))
        )
        taken.append((best.box, WORST))
        yield best


def _around(point: Point, half: float) -> Box:
    x, y = point
    return Box(x - half, y - half, x + half, y + half)


def _along(curve: Sequence[Point]) -> Iterator[Point]:
    for (x1, y1), (x2, y2) in itertools.pairwise(curve):
        steps = math.ceil(math.hypot(x2 - x1, y2 - y1) / EVERY)
        yield from ((x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) for i in range(steps))


def _holds(room: Box, box: Box) -> bool:
    is_across = room.left <= box.left and box.right <= room.right
    return is_across and room.top <= box.top and box.bottom <= room.bottom
