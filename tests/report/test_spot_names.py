"""The names of spots cover nothing else that is drawn, where there is room."""

from __future__ import annotations

import itertools

from assay.report import spot_names
from assay.report.spot_names import Box, Name

ROOM = Box(50, 0, 440, 200)


def placed(*spots: tuple[float, float], curve: tuple[tuple[float, float], ...] = ()) -> list[Name]:
    named = [(point, f"name {number}") for number, point in enumerate(spots)]
    found = list(spot_names.placed(named, [curve], ROOM))
    assert [each.text for each in found] == [text for _, text in named]
    assert all(ROOM.left <= each.box.left and each.box.right <= ROOM.right for each in found)
    return found


def test_a_name_stands_beside_its_spot_on_the_side_that_has_room() -> None:
    left, right = placed((60, 100), (430, 100))
    assert (left.x, left.is_left) == (67, False) and (right.x, right.is_left) == (423, True)
    assert left.y == right.y == 104


def test_names_of_spots_that_lie_close_cover_neither_each_other_nor_a_spot() -> None:
    points = ((100, 100), (100, 101), (110, 103), (101, 110))
    found = placed(*points)
    assert not any(one.box.covers(other.box) for one, other in itertools.combinations(found, 2))
    assert not any(each.box.covers(Box(x, y, x + 1, y + 1)) for each in found for x, y in points)
    assert all(abs(each.y - y) <= max(spot_names.HEIGHTS) for each, (_, y) in zip(found, points))


def test_a_name_keeps_off_a_curve() -> None:
    (name,) = placed((100, 100), curve=((100, 100), (400, 100)))
    assert not name.box.covers(Box(100, 99, 400, 101))
