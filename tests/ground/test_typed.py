from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from assay.ground.typed import typed


class Colour(str, Enum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    size: float
    path: Path | None = None


@dataclass(frozen=True)
class Whole:
    colour: Colour
    parts: tuple[Part, ...]
    pair: tuple[float, float] | None
    counts: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, str | int | float | bool | tuple[str, ...]] = field(default_factory=dict)


def test_plain_values_become_the_types_that_the_fields_say() -> None:
    plain = {"colour": "red", "parts": [{"size": 1, "path": "/a"}], "pair": [1.5, 2.0], "counts": {"x": 3}}
    assert typed(Whole, plain, "it") == Whole(Colour.RED, (Part(1.0, Path("/a")),), (1.5, 2.0), {"x": 3})


def test_a_field_with_a_default_may_be_absent_and_a_strange_one_is_passed_over() -> None:
    plain = {"colour": "red", "parts": [], "pair": None, "later": 1}
    assert typed(Whole, plain, "it") == Whole(Colour.RED, (), None)


def test_a_value_that_may_be_of_several_types_keeps_its_own() -> None:
    plain = {"a": "x", "b": 3, "c": 0.5, "d": True, "e": ["x", "y"]}
    made = typed(Whole, {"colour": "red", "parts": [], "pair": None, "options": plain}, "it").options
    assert made == {**plain, "e": ("x", "y")}
    assert [type(value) for value in made.values()] == [str, int, float, bool, tuple]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "blue"}, "it.colour is 'blue', none of red"),
        ({"colour": []}, "it.colour is"),
        ({"parts": {}}, "it.parts is '{}', which is no list"),
        ({"parts": [3]}, r"it.parts\[0\] is '3', which is no dict"),
        ({"parts": [{}]}, r"it.parts\[0\] has no size"),
        ({"parts": [{"size": True}]}, "size is 'True', which is no float"),
        ({"parts": [{"size": "1"}]}, "size is '1', which is no float"),
        ({"pair": [1.0]}, "it.pair holds 1 values, not 2"),
        ({"counts": {"x": 1.5}}, "it.counts.x is '1.5', which is no int"),
        ({"options": {"x": {}}}, "it.options.x is"),
        ({"counts": {"x": None}}, "it.counts.x is 'None', which is no int"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(changes: dict[str, object], said: str) -> None:
    plain = {"colour": "red", "parts": [], "pair": None, **changes}
    with pytest.raises(ValueError, match=said):
        typed(Whole, plain, "it")
