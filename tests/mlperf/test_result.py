from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf import result
from assay.mlperf.score import Score, Target
from tests import fakes


def test_a_result_read_back_is_the_result_that_was_written(tmp_path: Path) -> None:
    made = fakes.result()
    made.write(tmp_path)
    assert result.read(tmp_path) == made


def test_a_score_is_held_against_the_target_of_its_own_name_only() -> None:
    targets = {
        "rouge1": Target("rouge1", "%", 45.0, None, 45.5, "s"),
        "tokens_per_sample": Target("tokens_per_sample", "tokens", 130.0, 160.49, 144.84, "s"),
    }
    tokens = Score("tokens_per_sample", 342.0, "tokens", 1, None)
    paired = result.pair(tokens, targets, "log.json")
    assert (paired.low, paired.high, paired.met) == (130.0, 160.49, False)


def test_a_score_without_target_is_not_judged() -> None:
    paired = result.pair(Score("gen_len", 3.0, "characters", 1, None), {}, "log.json")
    assert paired.met is None


def test_a_target_refuses_the_score_of_another_metric() -> None:
    target = Target("rouge1", "%", 45.0, None, 45.5, "s")
    with pytest.raises(ValueError, match="rouge1"):
        target.met_by(Score("gsm8k", 50.0, "%", 1, None))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema_version": 99, "runs": []}', '{"schema_version": 1, "runs": 3}', "null"]
)
def test_a_broken_result_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"result\.json"):
        result.read(tmp_path)


def test_a_missing_result_file_says_what_a_run_folder_is(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="assay bench"):
        result.read(tmp_path)


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    path = fakes.result().write(tmp_path)
    assert json.loads(path.read_text())["schema_version"] == result.SCHEMA_VERSION
