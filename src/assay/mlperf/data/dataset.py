"""A dataset file -> Samples by a workload's schema, and rows back to the columns of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.files import sha256
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset_file import read_columns
from assay.mlperf.data.sample import Sample


@dataclass(frozen=True)
class Dataset:
    """Samples and where they came from."""

    samples: Sequence[Sample]
    source: str
    """The file's path, or what made the rows."""
    sha256: str
    """Of the file; of the rows as JSON lines where there is none."""


def _no_warnings(_: Sequence[Sample]) -> list[str]:
    return []


@dataclass(frozen=True)
class Schema:
    """How the columns of a workload's dataset become samples. `dataset_cells` has the readers of single cells."""

    samples: Callable[[Columns, str], list[Sample]]
    """(columns of equal length, name of the source for errors) -> rows. Raises: ArtifactError naming the cell."""
    scored: Callable[[Columns, str], list[Sample]]
    """The same for scoring alone: columns of token ids may be absent or damaged, and are left out."""
    warnings: Callable[[Sequence[Sample]], list[str]] = _no_warnings
    """Warnings for the owner of these rows."""


def load(path: Path, schema: Schema) -> Dataset:
    """`read` with the file's SHA-256, for the record of a run."""
    return of_columns(read_columns(path), path, schema)


def of_columns(columns: Columns, path: Path, schema: Schema) -> Dataset:
    """`load` of the columns of the file, which is read once however many forms are tried. Raises: as `read`."""
    return Dataset(schema.samples(columns, str(path)), str(path), sha256(path))


def read(path: Path, schema: Schema) -> list[Sample]:
    """All rows of a .pkl, .parquet or .jsonl file; the list position is LoadGen's sample index.

    Raises: ArtifactError naming the file and the column or row that is wrong.
    """
    return schema.samples(read_columns(path), str(path))


def read_scored(path: Path, schema: Schema) -> list[Sample]:
    """`read` for scoring alone, as the official evaluators do. Raises: as `read`."""
    return schema.scored(read_columns(path), str(path))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows with the same keys -> columns, in the order of the first row."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
