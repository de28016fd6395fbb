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
from assay.mlperf.scoring import gsm8k

REQUIRED = ("dataset", "id", "input", "gt_output", "tok_input", "tok_stop_sequence")
"""Columns that a run or its scoring needs."""
SCORED = ("dataset", "id", "input", "gt_output")
"""Columns that scoring alone needs, as the official evaluator does."""
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


def read_scored(path: Path) -> list[Sample]:
    """`read` for scoring alone: columns of token ids may be absent or damaged, and are left out.

    Raises: as `read`.
    """
    columns = read_columns(path)
    return samples({name: columns[name] for name in SCORED if name in columns}, str(path), SCORED)


def warnings(rows: Sequence[Sample]) -> list[str]:
    """What the owner of these rows should know, in words."""
    odd = [row for row in rows if row.subset is Subset.GSM8K and not gsm8k.is_number(row.truth)]
    if not odd:
        return []
    return [
        f"{len(odd)} GSM8K row{'s have' if len(odd) > 1 else ' has'} a truth that is no number (row {odd[0].index}: "
        f"{odd[0].truth[:40]!r}): every answer to such a row counts as wrong, as in the official evaluator"
    ]


def convert(source: Path, target: Path) -> int:
    """Rewrite a dataset in the format of the target's suffix, all columns kept; gives the number of rows.

    Raises: ArtifactError as `read` does: what is no dataset is not converted.
    """
    columns = read_columns(source)
    rows = len(samples(columns, str(source)))
    write_columns(target, columns)
    return rows


def samples(columns: Columns, where: str, needed: Sequence[str] = REQUIRED) -> list[Sample]:
    """Columns of equal length -> Samples. `where` names the source in errors."""
    _check_columns(columns, where, needed)
    subsets = list(_cells(columns, "dataset", where, _subset))
    ids = _ids if needed is REQUIRED else _ids_or_none
    read_cells = zip(
        subsets,
        _cells(columns, "id", where, _text),
        _cells(columns, "input", where, _text),
        _cells(columns, "tok_input", where, ids),
        _cells(_truths(columns, subsets), "gt_output", where, _text),
        _cells(columns, "tok_ref_output", where, _ids_or_none),
        _cells(columns, "tok_stop_sequence", where, ids),
        strict=True,
    )
    rows = [
        Sample(index, id, subset, prompt, prompt_ids, truth, reference_ids, stop_ids)
        for index, (subset, id, prompt, prompt_ids, truth, reference_ids, stop_ids) in enumerate(read_cells)
    ]
    for sample in rows:
        _check_sample(sample, where, "tok_input" in needed)
    return rows


def _truths(columns: Columns, subsets: Sequence[Subset]) -> Columns:
    """`gt_output` with GSM8K's numbers as text: the official evaluator calls float() on what is there."""
    truths = [
        _number_text(cell) if subset is Subset.GSM8K else cell
        for subset, cell in zip(subsets, columns["gt_output"], strict=True)
    ]
    return {**columns, "gt_output": truths}


def _number_text(cell: Any) -> Any:
    if cell is None:
        return ""
    return repr(cell) if type(cell) in (int, float) else cell


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows with the same keys -> columns, in the order of the first row."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _check_columns(columns: Columns, where: str, needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        near = did_you_mean(missing[0], map(str, columns))
        held = f"it has {', '.join(map(str, columns)) or 'none'}"
        raise ArtifactError(
            f"{where}: not the official schema: no column {', '.join(missing)}; {held}",
            near if near.startswith("did you mean") else "`assay dataset build` makes a set in this schema",
        )
    if not columns["dataset"]:
        raise ArtifactError(f"{where}: no rows")


def _check_sample(sample: Sample, where: str, is_run: bool) -> None:
    problem = ""
    if is_run and not sample.prompt_ids:
        problem = "column tok_input: empty"
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
    raise TypeError("text expected, it is missing" if cell is None else f"text expected, not {cell!r:.60}")


def _ids(cell: Any) -> tuple[int, ...]:
    """Token ids; `array` refuses what is no int32 at C speed."""
    if cell is None:
        raise TypeError("a list of token ids expected, it is missing")
    if not isinstance(cell, (list, tuple)):
        raise TypeError(f"a list of token ids expected, not {cell!r:.60}")
    ids = tuple(array("i", cell))
    if ids and min(ids) < 0:
        raise ValueError(f"token id {min(ids)} is negative")
    return ids


def _ids_or_none(cell: Any) -> tuple[int, ...]:
    return () if cell is None else _ids(cell)
