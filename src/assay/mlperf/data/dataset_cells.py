"""The cells of a dataset, read with their types: what every workload's schema is made of.

Each reader raises TypeError or ValueError in words; `column` adds where it happened.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from assay.ground.errors import ArtifactError, did_you_mean
from assay.mlperf.data.columns import Columns

Cell = TypeVar("Cell")


def require(columns: Columns, needed: Sequence[str], where: str, hint: str) -> int:
    """The number of rows. Raises: ArtifactError when a needed column is missing, or there is no row."""
    missing = [name for name in needed if name not in columns]
    if missing:
        near = did_you_mean(missing[0], map(str, columns))
        held = f"it has {', '.join(map(str, columns)) or 'none'}"
        raise ArtifactError(
            f"{where}: not the official schema: no column {', '.join(missing)}; {held}",
            near if near.startswith("did you mean") else hint,
        )
    rows = len(columns[needed[0]])
    if not rows:
        raise ArtifactError(f"{where}: no rows")
    return rows


def column(
    columns: Columns, name: str, rows: int, where: str, parse: Callable[[object], Cell]
) -> Iterator[Cell]:
    """Each cell of a column, parsed; a column that is not there has None in each row.

    Raises: ArtifactError naming the first cell that `parse` refuses.
    """
    for row, cell in enumerate(columns[name] if name in columns else [None] * rows):
        try:
            yield parse(cell)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"{where}: row {row}, column {name}: {error}") from error


def text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    raise TypeError("text expected, it is missing" if cell is None else f"text expected, not {cell!r:.60}")


def text_or_empty(cell: object) -> str:
    """Text; empty for a missing cell."""
    return "" if cell is None else text(cell)


def number_or_text(cell: object) -> str:
    """Text, a number as text; a missing cell is empty."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell) if type(cell) in (int, float) else text(cell)


def one_of(names: Sequence[str]) -> Callable[[object], str]:
    """A reader of one of these texts."""

    def parse(cell: object) -> str:
        if isinstance(cell, str) and cell in names:
            return cell
        raise ValueError(f"{cell!r:.60} is none of {', '.join(names)}")

    return parse


def token_ids(cell: object) -> tuple[int, ...]:
    """`array` refuses what is no int32 at C speed."""
    if cell is None:
        raise TypeError("a list of token ids expected, it is missing")
    if not isinstance(cell, (list, tuple)):
        raise TypeError(f"a list of token ids expected, not {cell!r:.60}")
    ids = tuple(array("i", cell))
    if ids and min(ids) < 0:
        raise ValueError(f"token id {min(ids)} is negative")
    return ids


def prompt_ids(cell: object) -> tuple[int, ...]:
    """Token ids, one at least."""
    if not (found := token_ids(cell)):
        raise ValueError("empty")
    return found


def token_ids_or_none(cell: object) -> tuple[int, ...]:
    """Token ids; none for a missing cell."""
    return () if cell is None else token_ids(cell)
