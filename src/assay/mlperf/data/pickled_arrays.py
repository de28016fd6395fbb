"""Arrays of numpy and Arrow in a pickle that was read as data: their values as plain Python lists.

Lengths, offsets and codes are the file's claims: each is held against the bytes that are there.
Source of the layouts: numpy's `ndarray.__reduce__`, and Arrow's columnar format ("Physical memory layout").
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from assay.ground.budget import POINTER_BYTES, Budget
from assay.mlperf.data.pickle_values import Called

_PLAIN_DTYPE = re.compile(r"b1|[iu][1248]|f[248]|[SU]\d+")
_ARROW_NUMBERS = {
    **{f"int{bits}": f"i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits // 8}" for bits in (8, 16, 32, 64)},
    "halffloat": "f2",
    "float": "f4",
    "double": "f8",
}
_ARROW_OFFSETS = {"string": "i4", "large_string": "i8", "list_": "i4", "large_list": "i8"}


class Unreadable(TypeError):
    """An array of a kind that this reader does not know."""


def resolve(call: Called) -> Any:
    """The plain value of a call that stands for one: bytes as protocol 2 spells them, a number of numpy's.

    Raises: pickle.UnpicklingError for a call that no pickle of pandas makes.
    """
    name = str(call.name)
    if name == "_codecs.encode":
        return _latin1(*call.args)
    if name.endswith(".bytearray"):
        return _latin1(*call.args) if len(call.args) == 2 else _bytes(*(call.args or (b"",)))
    if name == "numpy.ndarray":
        raise pickle.UnpicklingError("an array over memory of the file's choice")
    return _scalar(call) if name.endswith(".multiarray.scalar") else call


def _latin1(text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise pickle.UnpicklingError("bytes spelled in another encoding than latin1")
    return text.encode("latin1")


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise pickle.UnpicklingError("a bytearray that is not made of bytes")
    return value


def _scalar(call: Called) -> Any:
    dtype, raw = call.args
    if _is_object(dtype):
        raise pickle.UnpicklingError("a numpy scalar that holds an object")
    try:
        return np.frombuffer(_bytes(raw), _dtype(dtype), count=1)[0].item()
    except Unreadable:
        return call


def _dtype(call: Any) -> np.dtype[Any]:
    code = call.args[0] if isinstance(call, Called) and call.args else None
    if not isinstance(code, str):
        raise pickle.UnpicklingError("a dtype without a code")
    if not _PLAIN_DTYPE.fullmatch(code):
        raise Unreadable(f"an array of dtype {code[:20]}")
    order = call.state[1] if call.state else "|"
    return np.dtype(f"{order}{code}" if order in ("<", ">") else code)


def _is_object(dtype: Any) -> bool:
    return isinstance(dtype, Called) and dtype.args[:1] in (("O8",), ("O4",), ("O",))


def wholes(values: Sequence[Any], least: int = 0) -> Sequence[int]:
    """The values, all whole numbers. Their types are looked at first: to compare what a file made up may never end.

    Raises: TypeError; ValueError below `least`.
    """
    if set(map(type, values)) - {int}:
        raise TypeError("whole numbers expected")
    if min(values, default=least) < least:
        raise ValueError(f"a number below {least}")
    return values


def is_array(value: Any) -> bool:
    return isinstance(value, Called) and value.kind in ("_reconstruct", "_frombuffer")


def lines(array: Called, budget: Budget) -> list[list[Any]]:
    """The rows of an array of two dimensions, or the one row of an array of one.

    Raises: Unreadable; ValueError or TypeError for a shape that does not fit the values; ArtifactError for more than
    the budget has.
    """
    if array.kind == "_frombuffer":
        raw, dtype, shape, order = array.args
    else:
        _, shape, dtype, is_fortran, raw = array.state
        order = "F" if is_fortran else "C"
    values = raw if _is_object(dtype) else np.frombuffer(_bytes(raw), _dtype(dtype)).tolist()
    if not isinstance(values, list) or len(shape) not in (1, 2):
        raise ValueError("an array of an unknown form")
    count, length = wholes(shape if len(shape) == 2 else (1, *shape))
    budget.spend(POINTER_BYTES * (count + len(values)))
    if count * length != len(values):
        raise ValueError(f"an array of {count} x {length} with {len(values)} values")
    if order not in ("C", "F"):
        raise ValueError("an array of an unknown order")
    if order == "F":
        return [values[place::count] for place in range(count)]
    return [values[place * length : (place + 1) * length] for place in range(count)]


def arrow(stored: Any, budget: Budget) -> list[Any]:
    """The values of an Arrow array or chunked array, a missing one as None. Raises: as `lines`."""
    if stored.kind == "chunked_array":
        return [value for chunk in stored.args[0] for value in arrow(chunk, budget)]
    return _arrow_array(stored.args[0], budget)


def _arrow_array(stored: Sequence[Any], budget: Budget) -> list[Any]:
    kind, length, _, start, buffers, children = stored[:6]
    wholes((length, start))
    raw = [None if buffer is None else _bytes(buffer.args[0]) for buffer in buffers]
    budget.spend(POINTER_BYTES * length + sum(len(part) for part in raw if part))
    values = _arrow_values(kind, length, start, raw, children, budget)
    if len(values) != length:
        raise ValueError("an Arrow array of another length than its buffers")
    if raw[0] is None:
        return values
    valid = _bits(raw[0], start, length)
    return [value if there else None for value, there in zip(values, valid, strict=True)]


def _arrow_values(
    kind: Called, length: int, start: int, raw: list[bytes | None], children: Any, budget: Budget
) -> list[Any]:
    name = kind.args[0] if kind.kind == "type_for_alias" else kind.kind
    if not isinstance(name, str) or name not in ("bool", *_ARROW_NUMBERS, *_ARROW_OFFSETS):
        raise Unreadable("an Arrow array of another type")
    buffer = raw[1] or b""
    if name == "bool":
        return _bits(buffer, start, length)
    if name in _ARROW_NUMBERS:
        dtype = np.dtype(_ARROW_NUMBERS[name])
        whole = len(buffer) // dtype.itemsize  # Arrow pads its buffers
        return list(np.frombuffer(buffer, dtype, count=whole)[start : start + length].tolist())
    if not length:
        return []
    dtype = np.dtype(_ARROW_OFFSETS[name])
    ends = np.frombuffer(buffer, dtype, count=length + 1, offset=start * dtype.itemsize)
    content: Any = _arrow_array(children[0], budget) if "list" in name else raw[2] or b""
    if ends[0] < 0 or ends[-1] > len(content) or (np.diff(ends) < 0).any():
        raise ValueError("offsets of an Arrow array that lead out of it")
    parts = [content[first:end] for first, end in pairwise(ends.tolist())]
    return parts if isinstance(content, list) else [part.decode() for part in parts]


def _bits(raw: bytes, start: int, length: int) -> list[Any]:
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
    return list(bits[start : start + length].astype(bool).tolist())
