"""The rows of gpt-oss-120b: the accuracy set of AIME, GPQA and LiveCodeBench, and the set for performance runs.

Both have the prompt as token ids in the Harmony format; the second has no answer that could be right.
Source of the schema: language/gpt-oss-120b of mlcommons/inference, mlperf/qsl.py and eval_mlperf_accuracy.py.
"""

from __future__ import annotations

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample

AIME, GPQA, CODE = "aime", "gpqa", "livecodebench"
JUDGED = (AIME, GPQA, CODE)
"""Parts of the names in the column `dataset` of rows that can be judged."""
HINT = "acc_eval_inputs.parquet and perf_eval_ref.parquet of the MLPerf reference have this schema"


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=True)


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=False)


def _read(columns: Columns, where: str, *, is_run: bool) -> list[Sample]:
    ids = "input_tokens" if "input_tokens" in columns else "tok_input"
    count = cells.require(columns, (ids,) if is_run else ("dataset", "ground_truth"), where, HINT)
    if not is_run:
        columns = {name: columns[name] for name in ("dataset", "ground_truth")}
    rows = zip(
        cells.column(columns, "dataset", count, where, _name if is_run else _judged),
        cells.column(columns, "ground_truth", count, where, cells.number_or_text),
        cells.column(columns, "text_input", count, where, _text),
        cells.column(columns, ids, count, where, cells.token_ids_or_none),
        cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none),
        strict=True,
    )
    samples = []
    for i, (subset, truth, prompt, prompt_ids, reference) in enumerate(rows):
        if is_run and not prompt_ids:
            raise ArtifactError(f"{where}: row {i}, column {ids}: no token ids")
        samples.append(Sample(i, f"{subset}.{i}", subset, prompt, prompt_ids, truth, reference, ()))
    return samples


def _judged(cell: object) -> str:
    name = cells.text(cell).lower()
    if not any(part in name for part in JUDGED):
        raise ValueError(f"{cell!r:.60} names none of {', '.join(JUDGED)}: the set of a performance run?")
    return name


def _name(cell: object) -> str:
    return _text(cell).lower()


def _text(cell: object) -> str:
    return "" if cell is None else cells.text(cell)


SCHEMA = Schema(_samples, _scored)
