"""The scorers proved through LoadGen on published data (ASSAY_REAL_DATA): canonical answers score 100."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import read_columns, write_columns
from assay.mlperf.record import result
from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA
from tests.end_to_end import rows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loadgen", "sandbox")]
SAMPLES = 60
PLANTED = {"GSM8K": 3, "MBXP": 2}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.tokenizer(tmp_path_factory.mktemp("words"))


def build(real_data: Path, words: Path, out: Path) -> Path:
    sources = ["--gsm8k", real_data / "gsm8k" / "test.jsonl", "--mbxp", real_data / "mbxp"]
    sources += ["--instruct", real_data / "instruct" / "instruct-5000.jsonl", "--tokenizer", words]
    made = main(
        [
            "dataset",
            "build",
            *map(str, sources),
            "--samples",
            str(SAMPLES),
            "--only-passing",
            "--out",
            str(out),
        ]
    )
    assert made == 0
    return out


def scores(data: Path, words: Path, out: Path) -> dict[str, Any]:
    asked = ["bench", "mixtral-8x7b", "--sut", "echo", "--mode", "accuracy", "--samples", str(SAMPLES)]
    assert main([*asked, "--checkpoint", str(words), "--dataset", str(data), "--out", str(out)]) == 0
    run = result.read(out).find("Offline", "accuracy")
    assert run is not None
    return {score.metric: score for score in run.scores}


def test_canonical_answers_score_100_and_planted_wrong_ones_cost_their_number(
    real_data: Path, words: Path, tmp_path: Path
) -> None:
    right = build(real_data, words, tmp_path / "right.parquet")
    found = scores(right, words, tmp_path / "right")
    # A reference answer without a letter or digit has nothing that ROUGE could count.
    blank = [
        s.index for s in dataset.read(right, SCHEMA) if not any(c.isascii() and c.isalnum() for c in s.truth)
    ]
    assert not blank
    assert [found[m].value for m in ("rouge1", "rouge2", "rougeL", "gsm8k", "mbxp")] == [100] * 5

    columns = read_columns(right)
    left = dict(PLANTED)
    wrong_ids = rows.encode(words, "The answer is 123456789.5\n```\n")
    for row, subset in enumerate(columns["dataset"]):
        if left.get(subset):
            left[subset] -= 1
            columns["tok_ref_output"][row] = wrong_ids
    write_columns(tmp_path / "wrong.parquet", columns)
    found = scores(tmp_path / "wrong.parquet", words, tmp_path / "wrong")
    for metric, subset in (("gsm8k", "GSM8K"), ("mbxp", "MBXP")):
        n = found[metric].n
        assert found[metric].value == pytest.approx(100 * (n - PLANTED[subset]) / n)
    assert found["rouge1"].value == 100
