"""The rows of the llama3.1-405b dataset: long texts to summarise, needles to find and questions to answer.

Source of the schema: language/llama3.1-405b of mlcommons/inference, dataset.py and evaluate-accuracy.py.
"""

from __future__ import annotations

from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.datasets import question_rows
from assay.mlperf.workloads.datasets.question_rows import QuestionColumns

ROUGE, NEEDLE, QUESTION = "rouge", "niah_em", "qa_em"
SUBSETS = (ROUGE, NEEDLE, QUESTION)
"""Values of the column `metric`: how an answer is judged."""
NAMES = QuestionColumns("metric", cells.one_of(SUBSETS), "gt_output", cells.text, "input", "tok_input")
HINT = "mlperf_llama3.1_405b_dataset_8313_processed_fp16_eval.pkl of the MLPerf reference has this schema"


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=True)


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=False)


def _read(columns: Columns, where: str, *, is_run: bool) -> list[Sample]:
    count = cells.require(columns, ("metric", "gt_output", *(("tok_input",) if is_run else ())), where, HINT)
    if not is_run:
        columns = {name: columns[name] for name in ("gt_output", "metric")}
    return question_rows.samples(columns, NAMES, count, where, is_run=is_run)


SCHEMA = Schema(_samples, _scored)
