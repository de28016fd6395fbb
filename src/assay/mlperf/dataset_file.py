"""The three file formats of a dataset: pickled DataFrame, Parquet and JSON lines, with the same columns.

Knows the formats, not the schema (that is `dataset.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.files import staged
from assay.mlperf import dataframe_pickle
from assay.mlperf.dataframe_pickle import Columns

FORMATS = {".pkl": "pickle", ".pickle": "pickle", ".parquet": "parquet", ".jsonl": "jsonl"}


def format_of(path: Path) -> str:
    """`pickle`, `parquet` or `jsonl`, by the suffix. Raises: ConfigError for any other suffix."""
    if path.suffix.lower() in FORMATS:
        return FORMATS[path.suffix.lower()]
    raise ConfigError(f"{path}: unknown kind of dataset file", "name it .pkl, .parquet or .jsonl")


def read_columns(path: Path) -> Columns:
    """All columns of the file, as plain Python values.

    Raises: ArtifactError when the file is missing, damaged, or (a pickle) wants to run code.
    """
    kind = format_of(path)
    if not path.is_file():
        raise ArtifactError(
            f"{path}: no such dataset file", "give the path of a .pkl, .parquet or .jsonl file"
        )
    return _READERS[kind](path)


def write_columns(path: Path, columns: Columns) -> None:
    """Write the columns, whole or not at all.

    Raises: EnvironmentProblem when the disk is full, or for a pickle when pandas is not installed.
    """
    writer = _WRITERS[format_of(path)]
    with staged(path) as part:
        writer(part, columns)


def _read_parquet(path: Path) -> Columns:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ArtifactError(f"{path}: no readable Parquet file ({error})", "compare its checksum") from error
    return {name: _arrow_column(table.column(name)) for name in table.column_names}


def _arrow_column(column: Any) -> list[Any]:
    """Lists of numbers are cut from one flat list: many times faster than Arrow's `to_pylist`."""
    import pyarrow

    array = column.combine_chunks()
    if not (pyarrow.types.is_list(array.type) or pyarrow.types.is_large_list(array.type)) or array.null_count:
        values: list[Any] = array.to_pylist()
        return values
    ends = array.value_lengths().to_numpy().cumsum().tolist()
    flat = array.flatten().to_pylist() if array.flatten().null_count else array.flatten().to_numpy().tolist()
    return [flat[start:end] for start, end in zip([0, *ends], ends)]


def _read_jsonl(path: Path) -> Columns:
    columns: Columns = {}
    with path.open("rb") as file:
        for number, line in enumerate(file):
            row = _json_row(path, number, line)
            if number == 0:
                columns = {name: [] for name in row}
            if row.keys() != columns.keys():
                odd = sorted(row.keys() ^ columns.keys())
                raise ArtifactError(f"{path}: line {number + 1} differs from line 1 in columns {odd}")
            for name, value in row.items():
                columns[name].append(value)
    return columns


def _json_row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{path}: line {number + 1} is no JSON ({error})", "the file may be cut short"
        ) from error
    if not isinstance(row, dict):
        raise ArtifactError(f"{path}: line {number + 1} is no JSON object")
    return row


def _write_parquet(path: Path, columns: Columns) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def _write_jsonl(path: Path, columns: Columns) -> None:
    with path.open("w", encoding="utf-8") as file:
        for values in zip(*columns.values(), strict=True):
            file.write(json.dumps(dict(zip(columns, values)), ensure_ascii=False) + "\n")


def _write_pickle(path: Path, columns: Columns) -> None:
    """Text as plain objects and protocol 4: readable by every pandas from 1.1 on, on any Python 3."""
    try:
        import pandas
    except ImportError as error:
        raise EnvironmentProblem(
            "writing a pickled DataFrame needs pandas (reading one does not)",
            "pip install pandas, or write .parquet or .jsonl",
        ) from error
    text = {name for name, column in columns.items() if not isinstance(next(iter(column), 0), int)}
    series = {
        name: pandas.Series(column, dtype=object if name in text else None)
        for name, column in columns.items()
    }
    frame = pandas.DataFrame(series)
    frame.columns = pandas.Index(list(columns), dtype=object)
    frame.to_pickle(path, protocol=4, compression=None)


_READERS: dict[str, Callable[[Path], Columns]] = {
    "pickle": dataframe_pickle.read,
    "parquet": _read_parquet,
    "jsonl": _read_jsonl,
}
_WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    "pickle": _write_pickle,
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
}
