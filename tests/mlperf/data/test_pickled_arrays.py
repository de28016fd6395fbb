"""Arrays of numpy in a pickle, as plain lists, with every claim of the file held against its bytes."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.budget import Budget
from assay.ground.errors import ArtifactError
from assay.mlperf.data import pickle_values
from assay.mlperf.data.pickle_values import Called, PickledName
from assay.mlperf.data.pickled_arrays import Unreadable, is_array, lines, resolve, wholes


def stored(array: np.ndarray[Any, Any], protocol: int = 4) -> Called:
    call = pickle_values.load(pickle.dumps(array, protocol), lambda name: None, resolve)
    assert is_array(call)
    return call  # type: ignore[no-any-return]


def budget(size_bytes: int = 1 << 20) -> Budget:
    return Budget("f", size_bytes)


@pytest.mark.parametrize("dtype", ["b1", "i1", "u2", "<i4", ">i4", "i8", "f2", "f4", "f8", "U3", "S3", "O"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_row_of_any_plain_type_comes_back(dtype: str, protocol: int) -> None:
    array = np.array([1, 0, 1]).astype(dtype)
    assert lines(stored(array, protocol), budget()) == [array.tolist()]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_rows_of_two_dimensions_come_back_in_either_order(order: str, protocol: int) -> None:
    array = np.asarray(np.arange(6).reshape(2, 3), order=order)  # type: ignore[call-overload]
    assert lines(stored(array, protocol), budget()) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("dtype", ["M8[ns]", "c16", "V4"])
def test_another_type_is_not_read(dtype: str) -> None:
    with pytest.raises(Unreadable, match="an array of dtype"):
        lines(stored(np.zeros(2, dtype)), budget())


def with_state(*state: Any) -> Called:
    return Called(PickledName("numpy.core.multiarray", "_reconstruct"), (), [state])


I8 = Called(PickledName("numpy", "dtype"), ("i8", False, True), [])


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((3,), "an array of 1 x 3 with 2 values"),
        ((1, 1), "1 x 1 with 2"),
        ((1, 1, 2), "an unknown form"),
        ((), "unknown form"),
        ((-2,), "a number below 0"),
    ],
)
def test_a_shape_that_does_not_fit_the_values_is_refused(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lines(with_state(1, shape, I8, False, bytes(16)), budget())


@pytest.mark.parametrize("shape", [("2",), (2.0,), (None,), (True,)])
def test_a_shape_of_other_than_whole_numbers_is_refused(shape: Any) -> None:
    with pytest.raises(TypeError, match="whole numbers expected"):
        lines(with_state(1, shape, I8, False, bytes(16)), budget())


def test_empty_rows_without_end_are_held_against_the_budget() -> None:
    with pytest.raises(ArtifactError, match="unfolds to more"):
        lines(with_state(1, (1 << 40, 0), I8, False, b""), budget())


def test_an_array_over_memory_of_the_files_choice_is_refused() -> None:
    call = Called(PickledName("numpy", "ndarray"), ((2,), I8, 0), [])
    with pytest.raises(pickle.UnpicklingError, match="memory of the file's choice"):
        resolve(call)


@pytest.mark.parametrize("value", [np.float64(1.5), np.int32(-7), np.bool_(True), np.str_("ab")])
def test_a_scalar_of_numpy_is_a_plain_value(value: Any) -> None:
    assert pickle_values.load(pickle.dumps(value, 4), lambda name: None, resolve) == value.item()


def test_bytes_of_protocol_2_are_spelled_as_latin_1_and_as_nothing_else() -> None:
    assert pickle_values.load(pickle.dumps(b"\xff\0", 2), lambda name: None, resolve) == b"\xff\0"
    with pytest.raises(pickle.UnpicklingError, match="another encoding"):
        resolve(Called(PickledName("_codecs", "encode"), ("a", "rot13"), []))
    with pytest.raises(pickle.UnpicklingError, match="not made of bytes"):
        resolve(Called(PickledName("builtins", "bytearray"), (1 << 40,), []))


@given(st.lists(st.integers(-5, 5), max_size=6), st.integers(-5, 5))
def test_whole_numbers_are_not_below_the_least(values: list[int], least: int) -> None:
    if all(value >= least for value in values):
        assert wholes(values, least) == values
    else:
        with pytest.raises(ValueError, match=f"a number below {least}"):
            wholes(values, least)
