"""Samples of a set with a question a row, as deepseek-r1, gpt-oss-120b and llama3.1-405b have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.sample import Sample

CellReader = Callable[[object], str]


@dataclass(frozen=True)
class QuestionColumns:
    """What the columns of a set are called, and how the cells are read that tell kind and truth of a row."""

    kind: str
    kind_of: CellReader
    """Gives the sample's subset."""
    truth: str
    truth_of: CellReader
    prompt: str
    prompt_ids: str


def samples(
    columns: Columns, names: QuestionColumns, count: int, where: str, *, is_run: bool
) -> list[Sample]:
    """The `count` rows; those of a run have the token ids of their prompt.

    Raises: ArtifactError naming the first cell that cannot be read.
    """
    ids_of = _asked_ids if is_run else cells.token_ids_or_none
    rows = zip(
        cells.column(columns, names.kind, count, where, names.kind_of),
        cells.column(columns, names.truth, count, where, names.truth_of),
        cells.column(columns, names.prompt, count, where, cells.text_or_empty),
        cells.column(columns, names.prompt_ids, count, where, ids_of),
        cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none),
        strict=True,
    )
    return [
        Sample(
            index=index,
            id=f"{kind}.{index}",
            subset=kind,
            prompt=prompt,
            prompt_ids=ids,
            truth=truth,
            reference_ids=reference,
            stop_ids=(),
        )
        for index, (kind, truth, prompt, ids, reference) in enumerate(rows)
    ]


def _asked_ids(cell: object) -> tuple[int, ...]:
    if not (ids := cells.token_ids_or_none(cell)):
        raise ValueError("no token ids")
    return ids
