"""The score of an accuracy run: its log read, accuracy.txt written, each metric beside its own target."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.bench import measure, score_run
from assay.bench.running import RunInProgress
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf.rounds.target import Score
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.scoring import metric
from assay.mlperf.scoring.metric import Metric, Scorer
from assay.mlperf.scoring.score import by_metric
from tests import fakes
from tests.bench import echo_job

SUBSET = "GSM8K"


@pytest.fixture
def run(tmp_path: Path) -> tuple[RunInProgress, RunSpec]:
    """An accuracy run over questions of one subset whose log holds the reference answers."""
    running = echo_job.begun(tmp_path / "run")
    some = [sample for sample in running.data.samples if sample.subset == SUBSET][:4]
    running.data = dataclasses.replace(running.data, samples=some)
    running.target_qps[Scenario.OFFLINE] = 1.0
    running.requests.append(
        pa.table({"sample_index": pa.array([3, 1, 2, 0], pa.int32()), "verdict": pa.nulls(4)})
    )
    spec = measure.run_spec(running, Scenario.OFFLINE, Mode.ACCURACY)
    return running, spec


def log(running: RunInProgress, spec: RunSpec, wrong: tuple[int, ...] = ()) -> None:
    rows = []
    for index, sample in enumerate(running.samples):
        ids = [5, 5, 5] if index in wrong else list(sample.reference_ids or ())
        data = np.array(ids, "<i4").tobytes().hex().upper()
        rows.append({"seq_id": index, "qsl_idx": index, "data": data, "token_count": len(ids)})
    spec.out.mkdir(parents=True)
    (spec.out / "mlperf_log_accuracy.json").write_text(json.dumps(rows))


def test_answers_are_scored_by_metric_and_each_row_gets_its_verdict(
    run: tuple[RunInProgress, RunSpec],
) -> None:
    running, spec = run
    log(running, spec, wrong=(1,))
    found = {each.metric: each for each in score_run.scores(running, spec)}
    assert found["gsm8k"].value == pytest.approx(75.0)
    assert found["gsm8k"].file == "Offline/accuracy/mlperf_log_accuracy.json"
    assert (spec.out / "accuracy.txt").read_text().strip()
    rows = running.requests[-1]
    assert dict(zip(rows["sample_index"].to_pylist(), rows["verdict"].to_pylist())) == {
        0: "right",
        1: "wrong",
        2: "right",
        3: "right",
    }


def test_without_a_tokenizer_nothing_is_scored_and_the_run_says_so(
    run: tuple[RunInProgress, RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, spec = run
    monkeypatch.setattr(RunInProgress, "tokenizer", None)
    assert score_run.scores(running, spec) == ()
    assert "--tokenizer DIR" in running.notes[0]


def test_a_log_that_cannot_be_read_is_told(run: tuple[RunInProgress, RunSpec]) -> None:
    running, spec = run
    with pytest.raises(ArtifactError, match="no accuracy log"):
        score_run.scores(running, spec)
    assert score_run.no_scores(running, spec) == ()


@pytest.mark.parametrize(("lost", "met"), [(0, True), (90, False)])
def test_the_paired_test_takes_the_place_of_the_plain_gate(lost: int, met: bool) -> None:
    ours = {index: float(index >= lost) for index in range(100)}
    score = Score("gsm8k", 100.0 - lost, "%", 100, None, by_sample=ours)
    reference = {"gsm8k": dict.fromkeys(range(100), 1.0)}
    judged = score_run.judged(fakes.scored("gsm8k", 100.0 - lost, met=None), score, reference, 0.01)
    assert judged.met is met and "paired test" in judged.source
    unscored = fakes.scored("gsm8k", None)
    assert score_run.judged(unscored, score, reference, 0.01) is unscored
    assert score_run.judged(fakes.scored("gsm8k", 3.0), score, {"gsm8k": {}}, 0.01).source == "round v5.1"


def test_a_sum_over_a_part_of_the_set_is_held_against_no_target(
    run: tuple[RunInProgress, RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, spec = run
    log(running, spec)
    total = Metric("tokens_per_sample", "tokens/sample", "Tokens", is_total=True)
    scorer = Scorer((total,), lambda answers: [metric.mean(total, answers.answered, [1.0] * 4)])
    workload = dataclasses.replace(running.job.workload, scorers=(scorer,), official_results=by_metric)
    monkeypatch.setattr(running, "job", dataclasses.replace(running.job, workload=workload))
    (found,) = score_run.scores(running, spec)
    assert found.met is None and found.low is not None and found.value == 1.0
    monkeypatch.setattr(
        running,
        "job",
        dataclasses.replace(running.job, rules=dataclasses.replace(running.job.rules, dataset_samples=4)),
    )
    (whole,) = score_run.scores(running, spec)
    assert whole.met is False
