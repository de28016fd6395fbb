"""A pickled pandas DataFrame, read without pandas and without running anything that the file names.

A pickle is a program. This reader lets it build numpy arrays and plain Python containers; every name of
pandas or pyarrow becomes a `Recorded`, which keeps what it was called with and does nothing. The columns are
then picked out of the records. Any other name in the file is refused.
Understands the layouts that pandas 1.1 to 3.x write. Knows nothing of MLPerf's columns.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from assay.ground.errors import ArtifactError

Columns = dict[str, list[Any]]
"""Column name -> one value per row; all columns have one length."""


class Recorded:
    """Stands in for one object of the file: the arguments and the state that the file gave it."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


_RECORDED = {
    "pandas": ("DataFrame", "Index", "RangeIndex", "StringDtype", "NA"),
    "pandas.arrays": ("ArrowStringArray", "StringArray"),
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
    "pandas._libs.internals": ("_unpickle_block", "BlockPlacement"),
    "pandas._libs.missing": ("NA", "NAType"),
    "pandas.core.arrays.string_": ("StringArray", "StringDtype"),
    "pandas.core.arrays.string_arrow": ("ArrowStringArray",),
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.indexes.base": ("_new_Index", "Index"),
    "pandas.core.indexes.numeric": ("Int64Index",),
    "pandas.core.indexes.range": ("RangeIndex",),
    "pandas.core.internals.managers": ("BlockManager",),
    "pyarrow.lib": ("_restore_array", "chunked_array", "py_buffer", "type_for_alias"),
}


def _scalar(dtype: np.dtype[Any], raw: bytes) -> Any:
    """One numpy number, as the Python number that it is."""
    if dtype.hasobject:
        raise pickle.UnpicklingError("a numpy scalar that holds an object")
    return np.frombuffer(raw, dtype, count=1)[0].item()


def _array(raw: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: str) -> np.ndarray[Any, Any]:
    if order not in ("C", "F"):
        raise pickle.UnpicklingError(f"array order {order!r}")
    return np.frombuffer(raw, dtype).reshape(shape, order="C" if order == "C" else "F")


def _empty_array(kind: object, shape: object, code: object) -> np.ndarray[Any, Any]:
    """What numpy's own `_reconstruct` gives for a pickle: empty; the state that follows fills it."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("an array of an unknown class")
    return np.empty(0, np.int8)


def _latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes spelled in {encoding!r}")
    return text.encode("latin1")


_BUILT: dict[tuple[str, str], Callable[..., Any]] = {
    ("builtins", "slice"): slice,
    ("__builtin__", "slice"): slice,
    ("__builtin__", "bytearray"): bytearray,
    ("builtins", "bytearray"): bytearray,
    ("_codecs", "encode"): _latin1,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
for _core in ("numpy.core", "numpy._core"):
    _BUILT[f"{_core}.multiarray", "_reconstruct"] = _empty_array
    _BUILT[f"{_core}.multiarray", "scalar"] = _scalar
    _BUILT[f"{_core}.numeric", "_frombuffer"] = _array
_BUILT |= {
    (module, name): type(name, (Recorded,), {"__module__": __name__})
    for module, names in _RECORDED.items()
    for name in names
}

# What loading bytes that are no pickle, or a cut or crafted one, may raise.
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    ValueError,
    TypeError,
    MemoryError,
    RecursionError,
    OverflowError,
)


class _ContainerUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _BUILT:
            raise _ForbiddenName(f"{module}.{name}")
        return _BUILT[module, name]


class _ForbiddenName(Exception):
    pass


def read(path: Path) -> Columns:
    """The columns of a pickled DataFrame.

    Raises: ArtifactError when the file names anything but pandas and numpy containers (nothing of it has
    been run), is cut short, or holds something other than a DataFrame.
    """
    try:
        with path.open("rb") as file:
            frame = _ContainerUnpickler(file).load()
        return _columns(frame)
    except _ForbiddenName as name:
        raise ArtifactError(
            f"{path}: refused: the pickle asks for {name}, which no DataFrame needs; nothing was run",
            "get the dataset from its publisher again and compare the checksum",
        ) from None
    except _BROKEN as error:
        raise ArtifactError(
            f"{path}: no pickled DataFrame, or a damaged one ({type(error).__name__}: {error})",
            "compare the file's size and checksum with the publisher's",
        ) from error


def _columns(frame: Any) -> Columns:
    if type(frame).__name__ != "DataFrame" or not isinstance(frame, Recorded):
        raise TypeError(f"the pickle holds a {type(frame).__name__}")
    manager = frame.state["_mgr"] if "_mgr" in frame.state else frame.state["_data"]
    blocks, axes = _blocks_and_axes(manager)
    names = _values(axes[0].args[1]["data"]).tolist()
    columns: dict[int, list[Any]] = {}
    for values, places in blocks:
        rows = values.reshape(1, -1) if values.ndim == 1 else values
        positions = range(len(names))[places] if isinstance(places, slice) else places
        columns |= {int(place): row.tolist() for place, row in zip(positions, rows, strict=True)}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("columns of different lengths")
    return {str(name): columns[place] for place, name in enumerate(names)}


def _blocks_and_axes(manager: Recorded) -> tuple[list[tuple[np.ndarray[Any, Any], Any]], list[Recorded]]:
    """(values, column positions) of each block, and the axes (columns, rows)."""
    if manager.args:  # pandas 1.3 and later
        blocks, axes = manager.args
        return [(_values(block.args[0]), _placement(block.args[1])) for block in blocks], axes
    older = manager.state[3]["0.14.1"]
    return [(_values(block["values"]), _placement(block["mgr_locs"])) for block in older["blocks"]], older[
        "axes"
    ]


def _placement(places: Any) -> Any:
    return places.args[0] if isinstance(places, Recorded) else places


def _values(values: Any) -> np.ndarray[Any, Any]:
    """The numpy array behind a block: an array itself, or one of pandas' two string arrays."""
    if isinstance(values, np.ndarray):
        return values
    if type(values).__name__ == "__pyx_unpickle_NDArrayBacked":
        return _values(values.state[1])
    if type(values).__name__ == "ArrowStringArray":
        return _arrow_strings(values.state["_pa_array"])
    raise TypeError(f"a column of kind {type(values).__name__}")


def _arrow_strings(stored: Recorded) -> np.ndarray[Any, Any]:
    """Arrow strings rebuilt from their buffers through Arrow's own checks (offsets in range, UTF-8)."""
    import pyarrow

    if type(stored).__name__ == "chunked_array":
        return np.concatenate([_arrow_strings(chunk) for chunk in stored.args[0]])
    kind, length, null_count, offset, buffers = stored.args[0][:5]
    types = {"string": pyarrow.string(), "large_string": pyarrow.large_string()}
    array = pyarrow.Array.from_buffers(
        types[kind.args[0]],
        length,
        [None if buffer is None else pyarrow.py_buffer(bytes(buffer.args[0])) for buffer in buffers],
        null_count,
        offset,
    )
    array.validate(full=True)
    return np.array(array.to_pylist(), dtype=object)
