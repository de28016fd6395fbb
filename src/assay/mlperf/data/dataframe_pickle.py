"""A pickled pandas DataFrame, read without pandas and without running anything that the file names.

A pickle is a program; `pickle_values` reads it as data. The columns are picked out of that here.
Understands the layouts that pandas 1.1 to 3.x write. Knows nothing of MLPerf's columns.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from assay.ground.budget import POINTER_BYTES, Budget
from assay.ground.errors import ArtifactError
from assay.mlperf.data import pickle_values, pickled_arrays
from assay.mlperf.data.columns import Columns, Unread
from assay.mlperf.data.pickle_values import Called, PickledName
from assay.mlperf.data.pickled_arrays import Unreadable

_NAT = ("_nat_unpickle", "__nat_unpickle")
_LIBRARIES = ("pandas", "numpy", "pyarrow")
"""A class of theirs may be named, for it is only written down. A function may not, but for these:"""
_FUNCTIONS = {
    "_codecs": ("encode",),
    "builtins": ("slice", "bytearray"),
    "__builtin__": ("slice", "bytearray"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "uuid": ("UUID",),
    "zoneinfo": ("ZoneInfo._unpickle",),
    "pytz": ("_UTC", "_p"),
    "numpy": ("dtype", "ndarray"),
    **dict.fromkeys(("numpy.core.multiarray", "numpy._core.multiarray"), ("_reconstruct", "scalar")),
    **dict.fromkeys(("numpy.core.numeric", "numpy._core.numeric"), ("_frombuffer",)),
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas._libs.tslibs.nattype": _NAT,
    "pandas._libs.tslibs.timestamps": ("_unpickle_timestamp",),
    "pandas._libs.tslibs.timedeltas": ("_timedelta_unpickle",),
    "pandas.core.indexes.base": ("_new_Index",),
    "pandas.core.indexes.datetimes": ("_new_DatetimeIndex",),
    "pyarrow.lib": (
        *("_restore_array", "chunked_array", "py_buffer", "type_for_alias", "field", "list_", "large_list"),
        *("dictionary", "struct", "timestamp", "duration", "decimal128", "map_", "time32", "time64"),
    ),
}

# What bytes that are no pickle, or a cut or crafted one, make the readers raise.
_BROKEN = (
    pickle.UnpicklingError,
    AttributeError,
    LookupError,
    ValueError,
    TypeError,
    MemoryError,
    RecursionError,
    OverflowError,
)


class _ForbiddenName(Exception):
    pass


def _allow(name: PickledName) -> None:
    is_class = name.name[:1].isupper() and name.name.isidentifier()
    if is_class and name.module.partition(".")[0] in _LIBRARIES:
        return
    if name.name not in _FUNCTIONS.get(name.module, ()):
        raise _ForbiddenName(str(name))


def read(content: bytes, where: object) -> Columns:
    """The columns of a pickled DataFrame. `where` names the source in errors.

    Raises: ArtifactError when the file names anything but pandas and numpy containers (nothing of it has
    been run), is cut short, holds something other than a DataFrame, or unfolds beyond what its size may.
    """
    budget = Budget.of(where, len(content))
    try:
        return _columns(pickle_values.load(content, _allow, pickled_arrays.resolve), budget)
    except _ForbiddenName as name:
        raise ArtifactError(
            f"{where}: refused: the pickle asks for {str(name)[:200]}, which no DataFrame needs; nothing was run",
            "get the dataset from its publisher again and compare the checksum",
        ) from None
    except _BROKEN as error:
        raise ArtifactError(
            f"{where}: no pickled DataFrame, or a damaged one ({type(error).__name__}: {str(error)[:200]})",
            "compare the file's size and checksum with the publisher's",
        ) from error


def _columns(frame: Any, budget: Budget) -> Columns:
    if not isinstance(frame, Called) or frame.kind != "DataFrame":
        raise TypeError("the pickle holds something else than a DataFrame")
    manager = frame.state["_mgr"] if "_mgr" in frame.state else frame.state["_data"]
    blocks, axes = _blocks_and_axes(manager)
    names = _labels(axes[0], budget)
    columns: dict[int, list[Any]] = {}
    unread: dict[int, Unread] = {}
    for values, places in blocks:
        positions = _positions(places, names, budget)
        try:
            rows = _rows(values, budget)
        except Unreadable as error:
            unread |= dict.fromkeys(positions, Unread(str(error)))
        else:
            columns |= dict(zip(positions, rows, strict=True))
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError("columns of different lengths")
    for place, mark in unread.items():
        columns[place] = [mark] * max(lengths, default=0)
        budget.spend(POINTER_BYTES * len(columns[place]))
    return {
        _name(names[place]): [_cell(cell, budget) for cell in columns[place]] for place in sorted(columns)
    }


def _blocks_and_axes(manager: Called) -> tuple[list[tuple[Any, Any]], list[Called]]:
    """(values, column positions) of each block, and the axes (columns, rows)."""
    if manager.args:  # pandas 1.3 and later
        blocks, axes = manager.args
        return [(block.args[0], block.args[1]) for block in blocks], axes
    older = manager.state[3]["0.14.1"]
    return [(block["values"], block["mgr_locs"]) for block in older["blocks"]], older["axes"]


def _positions(places: Any, names: Sequence[Any], budget: Budget) -> Sequence[int]:
    """Where the rows of a block stand among the columns: a slice, or an array of numbers."""
    if isinstance(places, Called) and places.kind == "BlockPlacement":
        places = places.args[0]
    if pickled_arrays.is_array(places):
        return pickled_arrays.wholes(_rows(places, budget)[0])
    return range(len(names))[slice(*pickled_arrays.wholes(places.args))]


def _labels(index: Called, budget: Budget) -> Sequence[Any]:
    facts = index.args[1]
    if "data" in facts:
        return _rows(facts["data"], budget)[0]
    return range(facts["start"], facts["stop"], facts["step"])


def _name(label: Any) -> str:
    if type(label) not in (str, int):
        raise TypeError("a column whose name is neither text nor a number")
    return str(label)


def _rows(values: Any, budget: Budget) -> list[list[Any]]:
    """The rows of a block's values: an array, or one of the kinds that pandas puts around arrays."""
    if pickled_arrays.is_array(values):
        return pickled_arrays.lines(values, budget)
    held = values.state
    if isinstance(held, tuple):  # (dtype, array) or, in older files, (array, dtype)
        held = {"_ndarray" if pickled_arrays.is_array(part) else "_dtype": part for part in held[:2]}
    kind = values.args[0].name if values.kind == "__pyx_unpickle_NDArrayBacked" else values.kind
    if kind == "Categorical":
        return _categories(held, budget)
    if kind in ("IntegerArray", "FloatingArray", "BooleanArray"):
        rows = zip(_rows(held["_data"], budget)[0], _rows(held["_mask"], budget)[0], strict=True)
        return [[None if is_missing else value for value, is_missing in rows]]
    if kind in ("ArrowStringArray", "ArrowExtensionArray"):
        return [pickled_arrays.arrow(held["_pa_array" if "_pa_array" in held else "_data"], budget)]
    if kind in ("StringArray", "NumpyExtensionArray", "PandasArray"):
        return _rows(held["_ndarray"], budget)
    raise Unreadable(f"the kind {kind}")


def _categories(held: dict[str, Any], budget: Budget) -> list[list[Any]]:
    codes = _rows(held["_ndarray" if "_ndarray" in held else "_codes"], budget)
    categories = _labels(held["_dtype"].state["categories"], budget)
    return [
        [None if code < 0 else categories[code] for code in pickled_arrays.wholes(row, least=-1)]
        for row in codes
    ]


def _cell(cell: Any, budget: Budget) -> Any:
    """A cell as plain Python: an array as a list, what pandas calls NA or NaT as None."""
    if isinstance(cell, PickledName):
        return None if cell.name == "NA" else Unread("a class")
    if not isinstance(cell, Called):
        return cell
    if cell.kind in _NAT:
        return None
    try:
        rows = _rows(cell, budget)
    except Unreadable as error:
        return Unread(str(error))
    return rows[0] if len(rows) == 1 else rows
