"""A pickle read as data. What Python's own pickler writes of plain values comes back, and nothing is called."""

from __future__ import annotations

import collections
import datetime
import decimal
import pickle
import pickletools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlperf.data.pickle_values import KEY_INT_MAX, Called, PickledName, load

KEYS = st.text(max_size=4) | st.integers(-1000, 1000) | st.binary(max_size=4)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4) | st.tuples(inner, inner)
    ),
    max_leaves=10,
)
DAMAGED = (pickle.UnpicklingError, ValueError, TypeError, AttributeError, LookupError)


def read(content: bytes) -> Any:
    """With every name allowed, and every call left as it is."""
    return load(content, lambda name: None, lambda call: call)


@given(PLAIN, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_plain_values_of_every_protocol_come_back(value: Any, protocol: int) -> None:
    found = read(pickle.dumps(value, protocol)) if protocol > 2 or not _has_bytes(value) else value
    assert found == value
    assert repr(found) == repr(value)  # 1 and True are equal


def _has_bytes(value: Any) -> bool:
    """Protocol 2 spells bytes as a call, which `pickled_arrays` resolves."""
    if isinstance(value, dict):
        return any(map(_has_bytes, [*value, *value.values()]))
    return isinstance(value, bytes) or (isinstance(value, (list, tuple)) and any(map(_has_bytes, value)))


@pytest.mark.parametrize("value", [{1, 2}, frozenset({"a"}), bytearray(b"x"), [{"a": {1}}]])
def test_sets_and_byte_arrays_come_back(value: Any) -> None:
    assert read(pickle.dumps(value, 5)) == value


def test_a_value_that_is_used_twice_is_there_once() -> None:
    part = ["x"]
    found = read(pickle.dumps([part, part], 4))
    assert found[0] is found[1]


def test_millions_of_numbers_are_read_in_one_go() -> None:
    numbers = [*range(-300, 70_000), 1.5, None, True, 2**31, -(2**40)]
    assert read(pickle.dumps(numbers, 4)) == numbers


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (decimal.Decimal("1.5"), "decimal.Decimal"),
        (datetime.date(2026, 1, 2), "datetime.date"),
    ],
)
def test_a_call_is_a_record_of_what_would_have_been_made(value: Any, name: str) -> None:
    found = read(pickle.dumps(value, 4))
    assert isinstance(found, Called)
    assert (str(found.name), found.kind) == (name, name.rpartition(".")[2])
    assert repr(found) == f"<{name}>"


def test_items_for_what_is_no_plain_dict_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="keys and values for what is no dict"):
        read(pickle.dumps(collections.OrderedDict(a=1), 4))


def test_a_state_belongs_to_its_call() -> None:
    found = read(pickle.dumps(Stateful(), 4))
    assert isinstance(found, Called)
    assert found.state == {"a": 1}
    assert Called(PickledName("m", "n"), (), []).state is None


class Stateful:
    def __init__(self) -> None:
        self.a = 1


def test_a_name_that_is_refused_ends_the_reading() -> None:
    def refuse(name: PickledName) -> None:
        raise pickle.UnpicklingError(f"refused {name}")

    with pytest.raises(pickle.UnpicklingError, match=r"refused os\.system"):
        load(b"cos\nsystem\n(S'true'\ntR.", refuse, lambda call: call)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends too early"),
        (b"\x80\x04", "ends too early"),
        (b"\xff.", "is no opcode"),
        (b"K", "cut short"),
        (b"]K\x01s.", ""),
        (b"}]K\x01s.", "a key of type list"),
        (b"}G?\xf0\0\0\0\0\0\0K\x01s.", "a key of type float"),
        (b"}J\0\0\0\x7fK\x01s.", ""),
        (b"\x85.", "values that are not there"),
        (b"K\x01K\x02a.", "items for what is no list"),
        (b"]K\x01K\x02s.", "keys and values for what is no dict"),
        (b"K\x01K\x02R.", "a call of what is no name"),
        (b"K\x01K\x02b.", "a state for what has none"),
        (b"K\x01K\x02\x93.", "a name that is no text"),
        (b"Pabc\n.", "opcode PERSID is not one of a DataFrame's"),
        (b"(K\x01ccopy_reg\n_reconstructor\n.", ""),
    ],
)
def test_a_damaged_or_hostile_program_ends_in_one_of_the_named_errors(content: bytes, words: str) -> None:
    if not words:
        with suppress(DAMAGED):
            read(content)
        return
    with pytest.raises(pickle.UnpicklingError, match=words):
        read(content)


@pytest.mark.parametrize("key", [KEY_INT_MAX, -KEY_INT_MAX, 2**61 - 1])
def test_numbers_that_could_be_made_to_collide_are_no_keys(key: int) -> None:
    with pytest.raises(pickle.UnpicklingError, match="a key of type int"):
        read(pickle.dumps({key: 1}, 4))


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_named_error(content: bytes) -> None:
    with suppress(DAMAGED):
        read(content)


@given(PLAIN, st.integers(0, 500), st.integers(0, 255))
def test_a_changed_byte_gives_a_value_or_a_named_error(value: Any, place: int, byte: int) -> None:
    content = bytearray(pickle.dumps(value, 4))
    content[place % len(content)] = byte
    with suppress(DAMAGED):
        read(bytes(content))


def test_every_opcode_of_plain_values_is_known_to_the_reader() -> None:
    value = [{"a": (1, 2.5, None, True, b"x", "y" * 300)}, {1, 2}, frozenset({3}), (), (1,), (1, 2), 2**100]
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(value, protocol)
        assert [opcode.name for opcode, _, _ in pickletools.genops(content)]
        assert protocol == 3 or read(content) == value
