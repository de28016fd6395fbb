"""The rows of the deepseek-r1 dataset: AIME, MATH-500, GPQA, MMLU-Pro and LiveCodeBench in one table.

Source of the schema: language/deepseek-r1 of mlcommons/inference, eval_accuracy.py and mlperf/utils.py.
"""

from __future__ import annotations

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample

GPQA, MMLU_PRO, MATH, AIME, CODE = "gpqa", "mmlu_pro", "math500", "aime", "livecodebench"
SUBSETS = (GPQA, MMLU_PRO, MATH, AIME, CODE)
"""Parts of the names in the column `dataset`, in the order in which they are looked for."""
HINT = "mlperf_deepseek_r1_dataset_4388_fp8_eval.pkl of the MLPerf reference has this schema"
OTHER_NAMES = {
    "ground_truth": "gt_output",
    "dataset": "metric",
    "tok_input": "input_tokens",
    "text_input": "input",
}
"""Column -> what the files of some versions call it."""


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=True)


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=False)


def _read(columns: Columns, where: str, *, is_run: bool) -> list[Sample]:
    columns = {**columns, **{ours: columns[theirs] for ours, theirs in _renamed(columns)}}
    needed = ("dataset", "ground_truth", *(("tok_input",) if is_run else ()))
    count = cells.require(columns, needed, where, HINT)
    if not is_run:
        columns = {
            name: cell for name, cell in columns.items() if name not in ("tok_input", "tok_ref_output")
        }
    subsets = cells.column(columns, "dataset", count, where, _subset)
    truths = cells.column(columns, "ground_truth", count, where, cells.number_or_text)
    prompts = cells.column(columns, "text_input", count, where, _text_or_none)
    prompt_ids = cells.column(columns, "tok_input", count, where, cells.token_ids_or_none)
    references = cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none)
    rows = []
    for i, (subset, truth, prompt, ids, reference) in enumerate(
        zip(subsets, truths, prompts, prompt_ids, references, strict=True)
    ):
        if is_run and not ids:
            raise ArtifactError(f"{where}: row {i}, column tok_input: no token ids")
        rows.append(Sample(i, f"{subset}.{i}", subset, prompt, ids, truth, reference, ()))
    return rows


def _renamed(columns: Columns) -> list[tuple[str, str]]:
    return [
        (ours, theirs) for ours, theirs in OTHER_NAMES.items() if ours not in columns and theirs in columns
    ]


def _subset(cell: object) -> str:
    name = cells.text(cell).lower()
    for subset in SUBSETS:
        if subset in name:
            return subset
    raise ValueError(f"{cell!r:.60} names none of {', '.join(SUBSETS)}")


def _text_or_none(cell: object) -> str:
    return "" if cell is None else cells.text(cell)


SCHEMA = Schema(_samples, _scored)
