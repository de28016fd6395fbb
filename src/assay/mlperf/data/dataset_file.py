"""The file formats of a dataset: pickled DataFrame, Parquet, JSON lines and one JSON array, with the same columns.

Knows the formats, not the schema (that is `dataset.py`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from assay.ground import compressed, paths
from assay.ground.budget import POINTER_BYTES, Budget
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.files import staged
from assay.mlperf.data.columns import Columns

FORMATS = {".pkl": "pickle", ".pickle": "pickle", ".parquet": "parquet", ".jsonl": "jsonl", ".json": "json"}
BATCH_ROWS = 256
"""Rows of a Parquet file that are unfolded before they are counted."""


def format_of(path: Path) -> str:
    """`pickle`, `parquet`, `jsonl` or `json`, by the suffix. Raises: ConfigError for any other suffix."""
    if path.suffix.lower() in FORMATS:
        return FORMATS[path.suffix.lower()]
    raise ConfigError(f"{path}: unknown kind of dataset file", "name it .pkl, .parquet, .jsonl or .json")


def is_dataset_name(path: Path) -> bool:
    """Does the suffix say that this is a dataset file, packed or not?"""
    return _without_packing(path).suffix.lower() in FORMATS


def in_folder(folder: Path) -> list[Path]:
    """The dataset files in `folder`, not below it, by name."""
    return sorted(path for path in folder.iterdir() if is_dataset_name(path) and path.is_file())


def read_columns(path: Path) -> Columns:
    """All columns of the file, as plain Python values; a missing value is None, also where pandas wrote NaN.

    A pickle or JSON may be packed (`.pkl.gz`, as pandas writes it; also bzip2, xz and zip).

    Raises: ArtifactError when the file is missing, damaged, unfolds beyond its budget, or (a pickle) wants to run
    code.
    """
    if path.is_dir():
        _refuse_folder(path)
    kind = format_of(_without_packing(path))
    if not paths.source(path).is_file():
        raise ArtifactError(
            f"{path}: no such dataset file", "give the path of a .pkl, .parquet, .jsonl or .json file"
        )
    budget = Budget.of(path, path.stat().st_size)
    columns = _READERS[kind](path, budget)
    budget.weigh(columns)
    return {name: [None if cell != cell else cell for cell in column] for name, column in columns.items()}


def _refuse_folder(folder: Path) -> NoReturn:
    found = in_folder(folder)
    if not found:
        raise ConfigError(f"{folder} holds no dataset file", "a .pkl, .parquet, .jsonl or .json file")
    names = ", ".join(path.name for path in found[:5]) + (", …" if len(found) > 5 else "")
    raise ConfigError(f"{folder} is a folder with dataset files: {names}", f"name one: {found[0]}")


def _without_packing(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in compressed.SUFFIXES else path


def write_columns(path: Path, columns: Columns) -> None:
    """Write the columns, whole or not at all.

    Raises: EnvironmentProblem when the disk is full, or for a pickle when pandas is not installed; ArtifactError for
    values that the format cannot hold.
    """
    import pyarrow

    kind = format_of(path)
    with staged(path) as part:
        try:
            _WRITERS[kind](part, columns)
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise ArtifactError(
                f"{path}: these columns cannot be written as {kind}: {str(error)[:200]}",
                "write another format",
            ) from error


def _read_pickle(path: Path, budget: Budget) -> Columns:
    from assay.mlperf.data import dataframe_pickle  # it needs numpy, which costs 0.1 s to import

    return dataframe_pickle.read(compressed.read(path, budget), path)


def _read_parquet(path: Path, budget: Budget) -> Columns:
    """Batch by batch, each counted: a run-length code of a few bytes can stand for any number of rows."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            # In a damaged file the claims of a column end the process (Arrow throws where Python cannot catch it).
            # Arrow's own walk over all values, in little memory, meets the same damage as an error.
            file.scan_contents()
            _spend_claims(file.metadata, budget)
            batches = []
            for batch in file.iter_batches(BATCH_ROWS):
                budget.spend(batch.nbytes)
                batches.append(batch)
            table = pyarrow.Table.from_batches(batches, file.schema_arrow)
        return {name: _arrow_column(table.column(name)) for name in table.column_names}
    except (pyarrow.ArrowException, KeyError, *_UNREADABLE) as error:  # KeyError: two columns of one name
        raise ArtifactError(
            f"{path}: no readable Parquet file ({str(error)[:200]})", "compare its checksum"
        ) from error


def _spend_claims(metadata: Any, budget: Budget) -> None:
    """What the file says of itself: a list of a billion ids is refused before Arrow makes room for it."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for place in range(metadata.num_columns):
            chunk = row_group.column(place)
            budget.spend(max(chunk.total_uncompressed_size, POINTER_BYTES * chunk.num_values))


def _arrow_column(column: Any) -> list[Any]:
    """Lists of numbers are cut from one flat list: many times faster than Arrow's `to_pylist`."""
    import pyarrow

    types = pyarrow.types
    array = column.combine_chunks()
    is_list = types.is_list(array.type) or types.is_large_list(array.type)
    if not is_list or array.null_count or not types.is_integer(array.type.value_type):
        values: list[Any] = array.to_pylist()
        return values
    ends = array.value_lengths().to_numpy(zero_copy_only=False).cumsum().tolist()
    flat = array.flatten().to_pylist() if array.flatten().null_count else array.flatten().to_numpy().tolist()
    return [flat[start:end] for start, end in zip([0, *ends], ends)]


def _read_jsonl(path: Path, budget: Budget) -> Columns:
    """Blank lines are no rows, as for pandas' `read_json(lines=True)`."""
    lines = enumerate(io.BytesIO(compressed.read(path, budget)))
    rows = (_json_row(path, number, line) for number, line in lines if line.strip())
    return _columns(rows, path, "line")


def _read_json(path: Path, budget: Budget) -> Columns:
    """One array of objects, as pandas' `read_json` takes it and the CNN/DailyMail references write it."""
    try:
        rows = json.loads(compressed.read(path, budget))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: is no JSON ({error})", _JSON_HINT) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ArtifactError(f"{path}: is no array of JSON objects", _JSON_HINT)
    return _columns(rows, path, "object")


def _columns(rows: Iterable[dict[str, Any]], path: Path, unit: str) -> Columns:
    columns: Columns = {}
    for number, row in enumerate(rows, 1):
        if number == 1:
            columns = {name: [] for name in row}
        if row.keys() != columns.keys():
            odd = sorted(row.keys() ^ columns.keys())
            raise ArtifactError(f"{path}: {unit} {number} differs from {unit} 1 in columns {odd}")
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
    # A lone surrogate, which JSON may hold, is written the way JSON spells it.
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for values in zip(*columns.values(), strict=True):
            file.write(json.dumps(dict(zip(columns, values)), ensure_ascii=False) + "\n")


def _write_json(path: Path, columns: Columns) -> None:
    rows = [dict(zip(columns, values)) for values in zip(*columns.values(), strict=True)]
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(rows, file, indent=4, ensure_ascii=False)


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


_JSON_HINT = "the file may be cut short; one JSON object a line is a .jsonl"
_UNREADABLE = (OSError, ValueError, TypeError, OverflowError, MemoryError)
_READERS: dict[str, Callable[[Path, Budget], Columns]] = {
    "pickle": _read_pickle,
    "parquet": _read_parquet,
    "jsonl": _read_jsonl,
    "json": _read_json,
}
_WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    "pickle": _write_pickle,
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
    "json": _write_json,
}
