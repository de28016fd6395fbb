"""A dataset in the official schema -> Samples, every cell checked; and Samples' columns back to a file.

Source of the schema: mixtral-8x7b reference, README "Dataset", the validation pickle of 15,000 rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError, did_you_mean
from assay.ground.files import sha256
from assay.mlperf.dataframe_pickle import Columns
from assay.mlperf.dataset_file import read_columns, write_columns
from assay.mlperf.sample import Sample, Subset

REQUIRED = ("dataset", "id", "input", "gt_output", "tok_input", "tok_stop_sequence")
"""Columns that a run or its scoring needs."""
OPTIONAL = (
    "question",
    "ref_output",
    "tok_ref_output",
    "stop_sequence",
    "tok_input_len",
    "tok_ref_output_len",
)
"""Columns of the official file that some derivatives leave out."""

_SUBSETS = {subset.value: subset for subset in Subset}


@dataclass(frozen=True)
class Dataset:
    """Samples and where they came from."""

    samples: Sequence[Sample]
    source: str
    """The file's path, or what made the rows."""
    sha256: str
    """Of the file; of the rows as JSON lines where there is none."""


def load(path: Path) -> Dataset:
    """`read` with the file's SHA-256, for the record of a run."""
    return Dataset(read(path), str(path), sha256(path))


def read(path: Path) -> list[Sample]:
    """All rows of a .pkl, .parquet or .jsonl file; the list position is LoadGen's sample index.

    Raises: ArtifactError naming the file and the column or row that is wrong.
    """
    return samples(read_columns(path), str(path))


def convert(source: Path, target: Path) -> int:
    """Rewrite a dataset in the format of the target's suffix, all columns kept; gives the number of rows.

    Raises: ArtifactError as `read` does: what is no dataset is not converted.
    """
    columns = read_columns(source)
    rows = len(samples(columns, str(source)))
    write_columns(target, columns)
    return rows


def samples(columns: Columns, where: str) -> list[Sample]:
    """Columns of equal length -> Samples. `where` names the source in errors."""
    _check_columns(columns, where)
    read_cells = zip(
        _cells(columns, "dataset", where, _subset),
        _cells(columns, "id", where, _text),
        _cells(columns, "input", where, _text),
        _cells(columns, "tok_input", where, _ids),
        _cells(columns, "gt_output", where, _text),
        _cells(columns, "tok_ref_output", where, _ids_or_none),
        _cells(columns, "tok_stop_sequence", where, _ids),
        strict=True,
    )
    rows = [
        Sample(index, id, subset, prompt, prompt_ids, truth, reference_ids, stop_ids)
        for index, (subset, id, prompt, prompt_ids, truth, reference_ids, stop_ids) in enumerate(read_cells)
    ]
    for sample in rows:
        _check_sample(sample, where)
    return rows


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows with the same keys -> columns, in the order of the first row."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _check_columns(columns: Columns, where: str) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        near = did_you_mean(missing[0], map(str, columns))
        held = f"it has {', '.join(map(str, columns)) or 'none'}"
        raise ArtifactError(
            f"{where}: not the official schema: no column {', '.join(missing)}; {held}",
            near if near.startswith("did you mean") else "`assay dataset build` makes a set in this schema",
        )
    if not columns["dataset"]:
        raise ArtifactError(f"{where}: no rows")


def _check_sample(sample: Sample, where: str) -> None:
    problem = ""
    if not sample.prompt_ids:
        problem = "column tok_input: empty"
    elif sample.subset is Subset.GSM8K and not _is_number(sample.truth):
        problem = f"column gt_output: {sample.truth[:40]!r} is no number, as a GSM8K row needs"
    elif sample.subset is Subset.MBXP and "_" not in sample.id:
        problem = f"column id: {sample.id[:40]!r} is not <language>_<entry point>, as an MBXP row needs"
    if problem:
        raise ArtifactError(f"{where}: row {sample.index}, {problem}")


def _cells(columns: Columns, name: str, where: str, parse: Any) -> Iterator[Any]:
    """Each cell of a column, parsed; the first that is wrong ends in an ArtifactError naming it."""
    column = columns[name] if name in columns else [None] * len(columns["dataset"])
    for row, cell in enumerate(column):
        try:
            yield parse(cell)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"{where}: row {row}, column {name}: {error}") from error


def _subset(cell: object) -> Subset:
    if isinstance(cell, str) and cell in _SUBSETS:
        return _SUBSETS[cell]
    raise ValueError(f"{cell!r:.60} is none of {', '.join(_SUBSETS)}")


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    raise TypeError(f"text expected, not {cell!r:.60}")


def _ids(cell: Any) -> tuple[int, ...]:
    """Token ids; `array` refuses what is no int32 at C speed."""
    if not hasattr(cell, "__iter__") or isinstance(cell, (str, bytes)):
        raise TypeError(f"a list of token ids expected, not {cell!r:.60}")
    ids = tuple(array("i", cell))
    if ids and min(ids) < 0:
        raise ValueError(f"token id {min(ids)} is negative")
    return ids


def _ids_or_none(cell: Any) -> tuple[int, ...]:
    return () if cell is None else _ids(cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
