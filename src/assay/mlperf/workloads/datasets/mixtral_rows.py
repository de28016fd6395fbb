"""The rows of the mixtral-8x7b dataset: OpenOrca, GSM8K and MBXP in one table.

Source of the schema: mixtral-8x7b reference, README "Dataset", the validation pickle of 15,000 rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import gsm8k

OPENORCA, GSM8K, MBXP = "OpenOrca", "GSM8K", "MBXP"
SUBSETS = (OPENORCA, GSM8K, MBXP)
"""Values of the column `dataset`."""
SCORED = ("dataset", "id", "input", "gt_output")
"""Columns that scoring alone needs, as the official evaluator does."""
REQUIRED = (*SCORED, "tok_input", "tok_stop_sequence")
"""Columns that a run needs. Others of the official file, `tok_ref_output` among them, may be left out."""
HINT = "`assay dataset build` makes a set in this schema"


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, REQUIRED)


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read({name: columns[name] for name in SCORED if name in columns}, where, SCORED)


def _read(columns: Columns, where: str, needed: Sequence[str]) -> list[Sample]:
    count = cells.require(columns, needed, where, HINT)
    is_run = needed is REQUIRED
    ids = cells.token_ids if is_run else cells.token_ids_or_none
    subsets = list(cells.column(columns, "dataset", count, where, cells.one_of(SUBSETS)))
    read_cells = zip(
        subsets,
        cells.column(columns, "id", count, where, cells.text),
        cells.column(columns, "input", count, where, cells.text),
        cells.column(columns, "tok_input", count, where, ids),
        cells.column(_truths(columns, subsets), "gt_output", count, where, cells.text),
        cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none),
        cells.column(columns, "tok_stop_sequence", count, where, ids),
        strict=True,
    )
    rows = []
    for index, (subset, id, prompt, prompt_ids, truth, reference_ids, stop_ids) in enumerate(read_cells):
        is_program = subset == MBXP
        if is_run and not prompt_ids:
            raise ArtifactError(f"{where}: row {index}, column tok_input: empty")
        if is_program and "_" not in id:
            raise ArtifactError(
                f"{where}: row {index}, column id: {id[:40]!r} is not <language>_<entry point>, "
                "as an MBXP row needs"
            )
        rows.append(
            Sample(
                index=index,
                id=id,
                subset=subset,
                prompt=prompt,
                prompt_ids=prompt_ids,
                truth=truth,
                reference_ids=reference_ids,
                # Only programs end at their stop sequence. Source: mixtral-8x7b reference implementation.
                stop_ids=stop_ids if is_program else (),
                language=id.split("_", 1)[0] if is_program else None,
            )
        )
    return rows


def _truths(columns: Columns, subsets: Sequence[str]) -> Columns:
    """`gt_output` with GSM8K's numbers as text: the official evaluator calls float() on what is there."""
    truths = [
        _number_text(cell) if subset == GSM8K else cell
        for subset, cell in zip(subsets, columns["gt_output"], strict=True)
    ]
    return {**columns, "gt_output": truths}


def _number_text(cell: object) -> object:
    if cell is None:
        return ""
    return repr(cell) if type(cell) in (int, float) else cell


def _warnings(rows: Sequence[Sample]) -> list[str]:
    odd = [row for row in rows if row.subset == GSM8K and not gsm8k.is_number(row.truth)]
    if not odd:
        return []
    return [
        f"{len(odd)} GSM8K row{'s have' if len(odd) > 1 else ' has'} a truth that is no number (row {odd[0].index}: "
        f"{odd[0].truth[:40]!r}): every answer to such a row counts as wrong, as in the official evaluator"
    ]


SCHEMA = Schema(_samples, _scored, _warnings)
