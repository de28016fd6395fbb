"""The rows of gpt-oss-120b: the accuracy set of AIME, GPQA and LiveCodeBench, and the set for performance runs.

Both have the prompt as token ids in the Harmony format; the second has no answer that could be right.
Source of the schema: language/gpt-oss-120b of mlcommons/inference, mlperf/qsl.py and eval_mlperf_accuracy.py.
"""

from __future__ import annotations

from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.datasets import question_rows
from assay.mlperf.workloads.datasets.question_rows import QuestionColumns

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
    kind_of = _name if is_run else _judged
    names = QuestionColumns("dataset", kind_of, "ground_truth", cells.number_or_text, "text_input", ids)
    return question_rows.samples(columns, names, count, where, is_run=is_run)


def _judged(cell: object) -> str:
    name = cells.text(cell).lower()
    if not any(part in name for part in JUDGED):
        raise ValueError(f"{cell!r:.60} names none of {', '.join(JUDGED)}: the set of a performance run?")
    return name


def _name(cell: object) -> str:
    return cells.text_or_empty(cell).lower()


SCHEMA = Schema(_samples, _scored)
