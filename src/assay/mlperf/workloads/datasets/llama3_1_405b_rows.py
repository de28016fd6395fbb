"""The rows of the llama3.1-405b dataset: long texts to summarise, needles to find and questions to answer.

Source of the schema: language/llama3.1-405b of mlcommons/inference, dataset.py and evaluate-accuracy.py.
"""

from __future__ import annotations

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample

ROUGE, NEEDLE, QUESTION = "rouge", "niah_em", "qa_em"
SUBSETS = (ROUGE, NEEDLE, QUESTION)
"""Values of the column `metric`: how an answer is judged."""
HINT = "mlperf_llama3.1_405b_dataset_8313_processed_fp16_eval.pkl of the MLPerf reference has this schema"


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=True)


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, is_run=False)


def _read(columns: Columns, where: str, *, is_run: bool) -> list[Sample]:
    count = cells.require(columns, ("metric", "gt_output", *(("tok_input",) if is_run else ())), where, HINT)
    if not is_run:
        columns = {name: columns[name] for name in ("gt_output", "metric")}
    rows = zip(
        cells.column(columns, "metric", count, where, cells.one_of(SUBSETS)),
        cells.column(columns, "gt_output", count, where, cells.text),
        cells.column(columns, "input", count, where, _text_or_empty),
        cells.column(columns, "tok_input", count, where, cells.token_ids_or_none),
        cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none),
        strict=True,
    )
    samples = []
    for i, (subset, truth, prompt, ids, reference) in enumerate(rows):
        if is_run and not ids:
            raise ArtifactError(f"{where}: row {i}, column tok_input: no token ids")
        samples.append(Sample(i, f"{subset}.{i}", subset, prompt, ids, truth, reference, ()))
    return samples


def _text_or_empty(cell: object) -> str:
    return "" if cell is None else cells.text(cell)


SCHEMA = Schema(_samples, _scored)
