"""The data sets as a run meets them: the official schema, counts, ids, stored answers, and a known SHA-256."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from assay import nano
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.data import dataset as readers
from assay.nano import rows as nano_rows
from assay.nano.greedy import cut
from assay.nano.tokenizer import EOS_ID, load_tokenizer

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return nano.dataset("default")


@pytest.fixture(scope="module")
def validation() -> Rows:
    return nano.dataset("validation")


def test_the_rows_are_samples_to_the_harness(rows: Rows) -> None:
    samples = workloads.get("mixtral-nano").schema.samples(readers.columns_of(rows), "mixtral-nano")
    assert [s.index for s in samples] == list(range(300))
    assert tuple(rows[0]) == nano_rows.COLUMNS


def test_the_subsets_stand_in_blocks_of_100_and_the_languages_take_turns(rows: Rows) -> None:
    assert [row["dataset"] for row in rows] == ["GSM8K"] * 100 + ["OpenOrca"] * 100 + ["MBXP"] * 100
    languages = Counter(row["id"].split("_", 1)[0] for row in rows[200:])
    assert set(languages) == {"python", "javascript", "ruby", "php", "cpp", "typescript"}
    assert set(languages.values()) <= {16, 17}


def test_the_default_set_is_the_first_part_of_each_subset_of_the_validation_set(
    rows: Rows, validation: Rows
) -> None:
    assert len(validation) == 1500
    assert rows == [row for i in range(3) for row in validation[i * 500 : i * 500 + 100]]


def test_no_row_stands_twice_and_calibration_is_apart(validation: Rows) -> None:
    calibration = nano.dataset("calibration")
    assert len({row["id"] for row in validation}) == 1500
    assert len({row["input"] for row in validation}) == 1500
    assert not {row["input"] for row in calibration} & {row["input"] for row in validation}


@pytest.mark.parametrize("kind", ["default", "validation", "calibration"])
def test_the_rows_are_those_that_the_reference_scores_were_taken_on(kind: Any) -> None:
    reference = nano.reference(kind)
    rows = nano.dataset(kind)
    assert nano_rows.rows_sha256(rows) == reference.rows_sha256
    assert len(rows) == reference.samples
    assert max(row["tok_ref_output_len"] for row in rows) == reference.longest_output_tokens


def test_lengths_and_stop_sequences_fit_the_ids(rows: Rows) -> None:
    stop = load_tokenizer(nano.checkpoint_dir()).encode("\n```\n", add_special_tokens=False).ids
    for row in rows:
        assert row["tok_input_len"] == len(row["tok_input"])
        assert row["tok_ref_output_len"] == len(row["tok_ref_output"]) >= 2
        assert row["tok_stop_sequence"] == (stop if row["dataset"] == "MBXP" else [EOS_ID])
        assert EOS_ID not in row["tok_ref_output"]


def test_the_reference_meets_what_the_model_was_made_for() -> None:
    reference = nano.reference("validation")
    for metric in ("rouge1", "gsm8k", "mbxp"):
        assert reference.scores[metric] >= 60
    assert 20 <= reference.scores["tokens_per_sample"] <= 200
    assert reference.stopped_percent >= 99
    assert reference.counts == {
        "rouge1": 500,
        "rouge2": 500,
        "rougeL": 500,
        "gsm8k": 500,
        "mbxp": 500,
        "tokens_per_sample": 1500,
    }


def test_an_unknown_set_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="no validatoin set"):
        nano.reference("validatoin")  # type: ignore[arg-type]


def test_an_answer_is_cut_after_the_stop_sequence_and_before_eos() -> None:
    assert cut([5, 6, 2, 2, 2], [2]).ids == [5, 6]
    assert cut([5, 13, 9, 13, 7, 2], [13, 9, 13]).ids == [5, 13, 9, 13]
    assert cut([5, 13, 9, 13, 7, 2], [13, 9, 13]).stopped
    assert not cut([5, 6, 7], [2]).stopped
