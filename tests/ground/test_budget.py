"""What a file unfolds to is held against its size, at 8 bytes a pointer and a scalar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.ground.budget import DEPTH_MAX, DISK_FACTOR, DISK_FLOOR_BYTES, FACTOR, FLOOR_BYTES, Budget
from assay.ground.errors import ArtifactError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


def spent(value: Any) -> int:
    budget = Budget("f", 1 << 40)
    budget.weigh(value)
    return (1 << 40) - budget.left_bytes


@pytest.mark.parametrize(
    ("value", "size_bytes"),
    [
        (None, 8),
        (1.5, 8),
        ("abc", 8 + 3),
        (b"abcd", 8 + 4),
        ([], 8),
        ({}, 8),
        ([1, 2, 3], 8 * (1 + 3)),
        ([1, True], 8 + 8 + 8),
        (["ab", "c"], 8 + 10 + 9),
        ({"k": "vw"}, 8 + 9 + 10),
        (([1], {2}), 8 + 16 + 16),
    ],
)
def test_a_value_costs_its_pointers_and_its_letters(value: Any, size_bytes: int) -> None:
    assert spent(value) == size_bytes


def test_a_part_that_is_shared_costs_as_often_as_it_stands_there() -> None:
    part = ["x" * 100]
    assert spent([part] * 10) == 8 + 10 * spent(part)


def test_sixty_levels_that_double_are_weighed_at_once_and_refused() -> None:
    value: list[Any] = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(
        ArtifactError, match=r"f\.pkl: refused: it unfolds to more than 16 MiB and 32 times its size"
    ):
        Budget.of("f.pkl", 1000).weigh(value)


def test_a_file_may_unfold_to_the_floor_and_its_factor_and_to_no_byte_more() -> None:
    budget = Budget.of("f", 10)
    budget.spend(FLOOR_BYTES + 10 * FACTOR)
    with pytest.raises(ArtifactError, match="it unfolds to more than"):
        budget.spend(1)


def test_an_archive_on_a_disk_has_a_wider_limit() -> None:
    budget = Budget.on_disk("logs.zip", 7)
    assert budget.left_bytes == DISK_FLOOR_BYTES + 7 * DISK_FACTOR
    with pytest.raises(ArtifactError, match="1024 MiB and 100 times its size") as error:
        budget.spend(budget.left_bytes + 1)
    assert error.value.hint == "get the file from its publisher again"


def test_a_container_that_holds_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append({"again": ring})
    with pytest.raises(ArtifactError, match="holds itself"):
        spent(ring)


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_so_many_levels_are_taken_and_one_more_is_refused() -> None:
    assert spent(nested(DEPTH_MAX)) == 8 * DEPTH_MAX + 9
    with pytest.raises(ArtifactError, match="more than 100 levels"):
        spent(nested(DEPTH_MAX + 1))


def test_a_shared_part_is_held_against_the_levels_of_each_of_its_places() -> None:
    part = nested(60)
    deep: Any = part
    for _ in range(50):
        deep = [deep]
    with pytest.raises(ArtifactError, match="levels"):
        spent([part, deep])


@pytest.mark.parametrize(
    "value", [1 << 14_000, -(1 << 14_000), [1, 1 << 14_000], [-(1 << 14_000), 5], {1 << 14_000: 1}]
)
def test_a_number_too_long_to_print_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(ArtifactError, match="a whole number of 14001 bits"):
        spent(value)


def test_the_longest_number_that_can_be_printed_is_taken() -> None:
    longest = (1 << 14_000) - 1
    assert spent([longest, -longest]) == 8 * 3
    assert len(str(longest)) > 4000


@given(PLAIN, PLAIN)
@settings(max_examples=40)
def test_a_list_costs_its_parts_and_one_pointer(first: Any, second: Any) -> None:
    assert spent([first, second]) == 8 + spent(first) + spent(second)
