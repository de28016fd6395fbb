"""The rows of the deepseek-r1 dataset: AIME, MATH-500, GPQA, MMLU-Pro and LiveCodeBench in one table.

Source of the schema: language/deepseek-r1 of mlcommons/inference, eval_accuracy.py and mlperf/utils.py.
"""

from __future__ import annotations

from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.datasets import question_rows
from assay.mlperf.workloads.datasets.question_rows import QuestionColumns

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
    return question_rows.samples(columns, NAMES, count, where, is_run=is_run)


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


NAMES = QuestionColumns("dataset", _subset, "ground_truth", cells.number_or_text, "text_input", "tok_input")
SCHEMA = Schema(_samples, _scored)
