"""The harness's scorers over answers of `nano`, as metric -> percent."""

from __future__ import annotations

from typing import Any

from assay import nano
from assay.mlperf.data import dataset as readers
from assay.mlperf.data import tokenizer as tokenizers
from assay.mlperf.scoring.log import Record
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import score
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS
from assay.nano.greedy import GreedyAnswer


def right_answers(rows: list[dict[str, Any]], answers: list[GreedyAnswer]) -> dict[str, float]:
    """rouge1, gsm8k and mbxp; fails when a language cannot be graded here."""
    samples = readers.samples(readers.columns_of(rows), "mixtral-nano")
    records = [Record(i, answer.ids) for i, answer in enumerate(answers)]
    found = {
        s.metric: s for s in score(records, samples, tokenizers.load(nano.checkpoint_dir()), Grade(), SCORERS)
    }
    values = {metric: found[metric].value for metric in ("rouge1", "gsm8k", "mbxp")}
    assert None not in values.values(), found["mbxp"].reason
    return {metric: value for metric, value in values.items() if value is not None}
